package embeddings

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those of one encoder.
type metrics struct {
	cached, asked      prometheus.Counter // texts
	requests, failures prometheus.Counter
}

func newMetrics(baseModel string) *metrics {
	counter := func(name, help string, labels prometheus.Labels) prometheus.Counter {
		labels["base_model"] = baseModel
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "classifier_factory_" + name, Help: help, ConstLabels: labels})
	}
	const represented, help = "embedded_texts_total", "How many texts were represented by an encoder, by where the vector came from."
	return &metrics{
		cached:   counter(represented, help, prometheus.Labels{"source": "cache"}),
		asked:    counter(represented, help, prometheus.Labels{"source": "encoder"}),
		requests: counter("encoder_requests_total", "How many requests were made of an encoder.", prometheus.Labels{}),
		failures: counter("encoder_failures_total", "How many requests of an encoder failed; some are made again.", prometheus.Labels{}),
	}
}

// failed counts what is not the end of who asked.
func (m *metrics) failed(ctx context.Context) {
	if ctx.Err() == nil {
		m.failures.Inc()
	}
}

// Collectors are the metrics of what this process asks.
func (e *Encoder) Collectors() []prometheus.Collector {
	return []prometheus.Collector{e.metrics.cached, e.metrics.asked, e.metrics.requests, e.metrics.failures}
}
