package factory

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/version"
)

// newRegistry is that of one factory: a process may have several.
func newRegistry(stored *store.Store, directory string, now func() time.Time) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(jobCollector{stored, now}, volumeCollector{directory}, version.Collector("classifier_factory"),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// jobCollector looks at the jobs when it is asked, so that what it says is of the
// store and survives restarts.
type jobCollector struct {
	store *store.Store
	now   func() time.Time
}

var (
	jobsDescription    = prometheus.NewDesc("classifier_factory_jobs", "How many jobs there are, by status.", []string{"status"}, nil)
	waitingDescription = prometheus.NewDesc("classifier_factory_oldest_waiting_job_seconds",
		"How long the job has waited that has waited longest, by the stage that it waits for: validating or training.", []string{"stage"}, nil)
)

// Describe implements prometheus.Collector.
func (jobCollector) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- jobsDescription
	descriptions <- waitingDescription
}

// Collect implements prometheus.Collector.
func (c jobCollector) Collect(collected chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	counts, err := c.store.CountJobs(ctx)
	since, waitingErr := c.store.WaitingSince(ctx)
	if err := errors.Join(err, waitingErr); err != nil {
		collected <- prometheus.NewInvalidMetric(jobsDescription, err)
		return
	}
	for _, status := range store.JobStatuses { // those without a job, too: Prometheus sees no change from nothing
		collected <- prometheus.MustNewConstMetric(jobsDescription, prometheus.GaugeValue, float64(counts[string(status)]), string(status))
	}
	for _, stage := range []store.Stage{store.Validating, store.Training} {
		waited := 0.0
		if first, waits := since[stage]; waits {
			waited = max(0, c.now().Sub(first).Seconds())
		}
		collected <- prometheus.MustNewConstMetric(waitingDescription, prometheus.GaugeValue, waited, string(stage))
	}
}

// volumeCollector looks at the volume of a directory. What the system does not tell, it leaves out.
type volumeCollector struct{ directory string }

var (
	sizeDescription = prometheus.NewDesc("classifier_factory_volume_size_bytes",
		"How many bytes the volume of the data directory has.", nil, nil)
	availableDescription = prometheus.NewDesc("classifier_factory_volume_available_bytes",
		"How many bytes of it the factory can still write.", nil, nil)
)

// Describe implements prometheus.Collector.
func (volumeCollector) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- sizeDescription
	descriptions <- availableDescription
}

// Collect implements prometheus.Collector.
func (c volumeCollector) Collect(collected chan<- prometheus.Metric) {
	size, available, err := volumeBytes(c.directory)
	if err != nil {
		return
	}
	collected <- prometheus.MustNewConstMetric(sizeDescription, prometheus.GaugeValue, size)
	collected <- prometheus.MustNewConstMetric(availableDescription, prometheus.GaugeValue, available)
}

// MetricsHandler serves the metrics in the format of Prometheus.
func (f *foundation) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(f.registry, promhttp.HandlerOpts{})
}
