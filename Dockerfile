# Two images: `--target operator` (the default) and `--target factory`.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags="-s -w" -o /out/manager . && \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags="-s -w" -o /out/factory ./cmd/factory

FROM gcr.io/distroless/static:nonroot AS factory
COPY --from=build /out/factory /factory
# The number, because Kubernetes cannot tell that a name is not root.
USER 65532:65532
ENTRYPOINT ["/factory"]

FROM gcr.io/distroless/static:nonroot AS operator
COPY --from=build /out/manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
