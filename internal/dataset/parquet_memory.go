package dataset

import (
	"errors"
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// A page is what a column is compressed and decoded by. Most programs write pages of a
// megabyte; DuckDB makes one of 122880 rows, and 32 MiB are enough for 270 bytes of each.
const (
	maxPageBytes   = 32 << 20
	maxPagesBytes  = 64 << 20 // of the pages of all columns at a time
	maxHeaderBytes = 1 << 20  // of a page, which may have the least and the greatest value
	// maxPrefixedBytes is less because values are made of the ones before: each of a batch
	// may be as large as the page.
	maxPrefixedBytes = 4 << 20
	prefixedBatch    = 8
	// maxListed is how many values a page may have of which something is kept for each.
	maxListed = 1 << 20
)

// errPages is what an allocator that has given all it has panics with: the interface that
// the library wants of it knows no errors.
var errPages = errors.New("pages take too much memory")

// pageMemory gives the library memory for the pages of one row group.
type pageMemory struct {
	memory.GoAllocator
	used int
}

func (m *pageMemory) Allocate(size int) []byte {
	m.take(size)
	return m.GoAllocator.Allocate(size)
}

func (m *pageMemory) Reallocate(size int, old []byte) []byte {
	m.take(size - len(old))
	return m.GoAllocator.Reallocate(size, old)
}

func (m *pageMemory) Free(old []byte) {
	m.used -= len(old)
	m.GoAllocator.Free(old)
}

func (m *pageMemory) take(size int) {
	if m.used += size; m.used > maxPagesBytes {
		panic(errPages)
	}
}

// errPage is of a page that would be decoded into too much.
var errPage = errors.New("a page declares too many values")

// boundedPages are the pages of a column. They end at one of which the decoder would
// keep something for more values than it should.
type boundedPages struct {
	file.PageReader
	prefixed bool // the page's values are made of the ones before
	err      error
}

func (p *boundedPages) Next() bool {
	if p.err != nil || !p.PageReader.Next() {
		return false
	}
	page := p.Page()
	listed := false
	p.prefixed = false
	switch parquet.Encoding(page.Encoding()) {
	case parquet.Encodings.DeltaByteArray:
		listed, p.prefixed = true, true
	case parquet.Encodings.DeltaLengthByteArray, parquet.Encodings.DeltaBinaryPacked:
		listed = true
	}
	if _, isDictionary := page.(*file.DictionaryPage); isDictionary {
		listed = true
	}
	if listed && page.NumValues() > maxListed || p.prefixed && len(page.Data()) > maxPrefixedBytes {
		p.err = errPage
	}
	return p.err == nil
}

func (p *boundedPages) GetDictionaryPage() (*file.DictionaryPage, error) {
	page, err := p.PageReader.GetDictionaryPage()
	if err == nil && page != nil && page.NumValues() > maxListed {
		err = errPage
	}
	return page, err
}

func (p *boundedPages) Err() error {
	if p.err != nil {
		return p.err
	}
	return p.PageReader.Err()
}

// boundCodecs gives the library decoders that make no more of a page than its header
// declares, which the limits above bound. Its own make whatever the page's content says.
var boundCodecs = sync.OnceValue(func() error {
	decoder, err := zstd.NewReader(nil, zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	for codec, decode := range map[compress.Compression]func(to, from []byte) ([]byte, error){
		compress.Codecs.Zstd:   func(to, from []byte) ([]byte, error) { return decoder.DecodeAll(from, to[:0:len(to)]) },
		compress.Codecs.Snappy: decodeSnappy,
	} {
		own, err := compress.GetCodec(codec)
		if err != nil {
			return err
		}
		streaming, ok := own.(streamingCodec)
		if !ok {
			return fmt.Errorf("the Parquet library has no streams of %v", codec)
		}
		compress.RegisterCodec(codec, boundedCodec{streaming, decode})
	}
	return nil
})

func decodeSnappy(to, from []byte) ([]byte, error) {
	size, err := snappy.DecodedLen(from)
	if err != nil {
		return nil, err
	}
	if size > len(to) {
		return nil, errPage
	}
	return snappy.Decode(to, from)
}

type streamingCodec interface {
	compress.Codec
	compress.StreamingCodec
}

type boundedCodec struct {
	streamingCodec
	decode func(to, from []byte) ([]byte, error)
}

// DecodeWithError is what the library calls instead of Decode.
func (c boundedCodec) DecodeWithError(to, from []byte) ([]byte, error) { return c.decode(to, from) }
