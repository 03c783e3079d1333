package tracing

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	defaultTimeout = 10 * time.Second // as OpenTelemetry's specification says
	maxAnswerBytes = 64 << 10
)

// collector is where spans go, by OTLP over HTTP. OpenTelemetry's own client for that brings all of gRPC along.
type collector struct {
	address string
	headers http.Header
	client  http.Client
}

// newCollector has the one that the environment names, or nil.
func newCollector(environment func(string) string) (*collector, error) {
	setting := func(name string) string {
		return cmp.Or(environment("OTEL_EXPORTER_OTLP_TRACES_"+name), environment("OTEL_EXPORTER_OTLP_"+name))
	}
	if setting("ENDPOINT") == "" || environment("OTEL_SDK_DISABLED") == "true" || environment("OTEL_TRACES_EXPORTER") == "none" {
		return nil, nil
	}
	if protocol := setting("PROTOCOL"); protocol != "" && protocol != "http/protobuf" {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q; traces are sent as http/protobuf, which collectors take at port 4318", protocol)
	}
	address, err := url.Parse(setting("ENDPOINT"))
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, errors.New("OTEL_EXPORTER_OTLP_ENDPOINT must start with http:// or https:// and a host")
	}
	if environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		address = address.JoinPath("v1", "traces")
	}
	c := &collector{address: address.String(), headers: http.Header{}, client: http.Client{Timeout: defaultTimeout}}
	if text := setting("TIMEOUT"); text != "" {
		milliseconds, err := strconv.Atoi(text)
		if err != nil || milliseconds < 1 {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_TIMEOUT is %q; it must be a number of milliseconds", text)
		}
		c.client.Timeout = time.Duration(milliseconds) * time.Millisecond
	}
	for pair := range strings.SplitSeq(setting("HEADERS"), ",") {
		if name, value, found := strings.Cut(pair, "="); found {
			value, err := url.PathUnescape(strings.TrimSpace(value))
			if err != nil {
				return nil, errors.New("OTEL_EXPORTER_OTLP_HEADERS has a value that is not percent-encoded") // which may be a secret
			}
			c.headers.Set(strings.TrimSpace(name), value)
		}
	}
	return c, nil
}

// Start implements otlptrace.Client.
func (*collector) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *collector) Stop(context.Context) error {
	c.client.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client. What a collector does not take is lost: nobody waits for spans.
func (c *collector) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// On the wire it is the request of the collector's service.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = c.headers.Clone()
	request.Header.Set("Content-Type", "application/x-protobuf")
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswerBytes)) // so that the connection is used again
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the collector of traces answered %s", response.Status)
	}
	return nil
}
