# Two images: `--target operator` (the default) and `--target factory`.
# A release takes these by the digests that the tags have then: `make docker-buildx` looks them up, unless one stands here
# already, as in NAME:TAG@sha256:DIGEST. Another registry's are named by --build-arg.
ARG GO_IMAGE=golang:1.26
ARG BASE_IMAGE=gcr.io/distroless/static:nonroot
FROM --platform=$BUILDPLATFORM $GO_IMAGE AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The repository is not copied, so that they are told what they are built from.
ARG VERSION COMMIT
ARG BUILT_FROM=github.com/prometheus/common/version
# As in the Makefile.
ARG TAGS=disable_grpc_modules,grpcnotrace
ARG LDFLAGS="-s -w -X $BUILT_FROM.Version=$VERSION -X $BUILT_FROM.Revision=$COMMIT"
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -tags="$TAGS" -trimpath -ldflags="$LDFLAGS" -o /out/manager . && \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -tags="$TAGS" -trimpath -ldflags="$LDFLAGS" -o /out/factory ./cmd/factory

FROM $BASE_IMAGE AS factory
COPY --from=build /out/factory /factory
# The number, because Kubernetes cannot tell that a name is not root.
USER 65532:65532
ENTRYPOINT ["/factory"]

FROM $BASE_IMAGE AS operator
COPY --from=build /out/manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
