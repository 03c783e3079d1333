package connection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// Values of the cause label.
const (
	causeBudget = "budget"
	causePause  = "pause"
)

// metrics count the calls of all connections of a pool, and trace them. Their labels are
// bounded: neither a factory's address nor an object's name is one.
type metrics struct {
	tracer    trace.Tracer
	calls     *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	throttled *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer, tracer trace.Tracer) *metrics {
	if tracer == nil {
		tracer = noop.Tracer{}
	}
	m := &metrics{
		tracer: tracer,
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "classifier_factory_operator_calls_total",
			Help: "Calls to factories, by operation and class of the status code. The class is none where no answer came.",
		}, []string{"operation", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "classifier_factory_operator_call_duration_seconds",
			Help:    "How long calls to factories took, by operation.",
			Buckets: prometheus.ExponentialBuckets(0.002, 4, 9), // to 131 seconds
		}, []string{"operation"}),
		throttled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "classifier_factory_operator_calls_throttled_total",
			Help: "Calls that were not made: because others were to be served first, or in the pause after a failure.",
		}, []string{"cause"}),
	}
	// Prometheus sees no increase of a counter that begins at 1.
	for _, cause := range []string{causeBudget, causePause} {
		m.throttled.WithLabelValues(cause)
	}
	if registerer != nil {
		registerer.MustRegister(m.calls, m.duration, m.throttled)
	}
	return m
}

// calling begins the span of a call, which goes to the factory with it.
func (m *metrics) calling(ctx context.Context, operation string) (context.Context, func(error)) {
	ctx, span := m.tracer.Start(ctx, operation, trace.WithSpanKind(trace.SpanKindClient))
	return ctx, func(err error) {
		span.SetAttributes(attribute.String("classifier_factory.answer", codeClass(err)))
		if err != nil {
			span.SetStatus(codes.Error, "") // the log has the words
		}
		span.End()
	}
}

func (m *metrics) called(operation string, took time.Duration, err error) {
	m.calls.WithLabelValues(operation, codeClass(err)).Inc()
	m.duration.WithLabelValues(operation).Observe(took.Seconds())
}

func (m *metrics) notCalled(err error) {
	cause := causeBudget
	if closed := (*ClosedError)(nil); errors.As(err, &closed) && closed.Cause != nil {
		cause = causePause
	}
	m.throttled.WithLabelValues(cause).Inc()
}

func codeClass(err error) string {
	if err == nil {
		return "2xx"
	}
	var answer *mistral.Error
	if !errors.As(err, &answer) || answer.StatusCode < 100 || answer.StatusCode > 599 {
		return "none"
	}
	return fmt.Sprintf("%dxx", answer.StatusCode/100)
}
