package factory

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// metrics of one factory, in a registry of its own: a process may have several.
type metrics struct {
	registry       *prometheus.Registry
	requestSeconds *prometheus.HistogramVec
}

func newMetrics(store *store.Store) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requestSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "classifier_factory_http_request_duration_seconds",
			Help: "How long requests took, by route and status code.",
		}, []string{"route", "code"}),
	}
	m.registry.MustRegister(m.requestSeconds, jobCollector{store},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
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
func (f *Factory) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(f.metrics.registry, promhttp.HandlerOpts{})
}

// observed measures and logs requests: what was asked for and how it went,
// never what was sent.
func (f *Factory) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := f.now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(recorder, r)
		duration := f.now().Sub(started)
		f.metrics.requestSeconds.WithLabelValues(r.Pattern, strconv.Itoa(recorder.status)).Observe(duration.Seconds())
		level := slog.LevelInfo
		if r.Method == http.MethodGet && recorder.status < http.StatusBadRequest {
			level = slog.LevelDebug // polling and probes would drown the rest
		}
		f.logger.Log(r.Context(), level, "request",
			slog.String("method", r.Method), slog.String("route", r.Pattern), slog.Int("status", recorder.status), slog.Duration("duration", duration))
	})
}

// statusRecorder remembers the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusRecorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusRecorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
