// Package tracing sends spans to a collector of OpenTelemetry, if the environment names one. It registers nothing
// with OpenTelemetry's globals: libraries that look there would tell of buckets, addresses and queries.
package tracing

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/classifier-factory/classifier-factory/internal/version"
)

// scope names who made the spans.
const scope = "github.com/classifier-factory/classifier-factory"

// Off makes no spans.
func Off() trace.Tracer { return noop.NewTracerProvider().Tracer(scope) }

// Open gives the tracer of a service, and a function that sends what spans are left. OpenTelemetry's own variables
// say where to, how many and in which batches: OTEL_EXPORTER_OTLP_*, OTEL_TRACES_SAMPLER, OTEL_BSP_*,
// OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME. Without an endpoint no span is made.
func Open(ctx context.Context, service string, environment func(name string) string) (trace.Tracer, func(context.Context) error, error) {
	collector, err := newCollector(environment)
	if err != nil {
		return nil, nil, err
	}
	if collector == nil {
		return Off(), func(context.Context) error { return nil }, nil
	}
	exporter, err := otlptrace.New(ctx, collector)
	if err != nil {
		return nil, nil, fmt.Errorf("trace to %s: %w", collector.address, err)
	}
	described, err := resource.New(ctx,
		resource.WithAttributes(semconv.ServiceName(service), semconv.ServiceVersion(version.Number())), resource.WithFromEnv())
	if err != nil {
		return nil, nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(described))
	return provider.Tracer(scope), provider.Shutdown, nil
}
