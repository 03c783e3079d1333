# Two images: `--target operator` (the default) and `--target factory`.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
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

FROM gcr.io/distroless/static:nonroot AS factory
COPY --from=build /out/factory /factory
# The number, because Kubernetes cannot tell that a name is not root.
USER 65532:65532
ENTRYPOINT ["/factory"]

FROM gcr.io/distroless/static:nonroot AS operator
COPY --from=build /out/manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
