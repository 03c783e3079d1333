// The peers that datasets are measured against. A module of its own: none of them
// is the product's.
module github.com/classifier-factory/classifier-factory/test/bench

go 1.26.0

replace github.com/classifier-factory/classifier-factory => ../..

require (
	github.com/classifier-factory/classifier-factory v0.0.0
	github.com/go-json-experiment/json v1.27.2
	github.com/minio/simdjson-go v0.4.5
	github.com/valyala/fastjson v1.6.10
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/klauspost/cpuid/v2 v2.2.3 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
