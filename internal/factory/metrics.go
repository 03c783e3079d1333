package factory

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/version"
)

// newRegistry is that of one factory: a process may have several.
func newRegistry(stored *store.Store) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(jobCollector{stored}, version.Collector("classifier_factory"),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// jobCollector counts the jobs when it is asked, so that the number is that of
// the store and survives restarts.
type jobCollector struct{ store *store.Store }

var jobsDescription = prometheus.NewDesc("classifier_factory_jobs", "How many jobs there are, by status.", []string{"status"}, nil)

// Describe implements prometheus.Collector.
func (jobCollector) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- jobsDescription }

// Collect implements prometheus.Collector.
func (c jobCollector) Collect(collected chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	counts, err := c.store.CountJobs(ctx)
	if err != nil {
		collected <- prometheus.NewInvalidMetric(jobsDescription, err)
		return
	}
	for status, jobs := range counts {
		collected <- prometheus.MustNewConstMetric(jobsDescription, prometheus.GaugeValue, float64(jobs), status)
	}
}

// MetricsHandler serves the metrics in the format of Prometheus.
func (f *foundation) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(f.registry, promhttp.HandlerOpts{})
}
