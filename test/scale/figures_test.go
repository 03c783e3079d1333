package scale

import (
	"net/http"
	"slices"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/classifier-factory/classifier-factory/test/processes"
)

// figures are what an operator has done since it started, by its own metrics.
type figures struct {
	reconciles float64
	calls      float64 // to factories
	writes     float64 // to the API server, events among them
	cpu        time.Duration
	ready      float64            // objects that became it
	jobs       map[string]float64 // there are, by the state of their remote job
}

func (o *operator) figures(t testing.TB) figures {
	t.Helper()
	families := processes.Metrics(t, o.metrics)
	all := func(*dto.Metric) bool { return true }
	read := figures{
		reconciles: sum(families["controller_runtime_reconcile_total"], all),
		calls:      sum(families["classifier_factory_operator_calls_total"], all),
		writes:     sum(families["rest_client_requests_total"], isWrite),
		cpu:        time.Duration(sum(families["process_cpu_seconds_total"], all) * float64(time.Second)),
		jobs:       map[string]float64{},
	}
	for _, metric := range families["classifier_factory_operator_ready_seconds"].GetMetric() {
		read.ready += float64(metric.GetHistogram().GetSampleCount())
	}
	for _, metric := range families["classifier_factory_operator_training_jobs"].GetMetric() {
		read.jobs[metric.GetLabel()[0].GetValue()] = metric.GetGauge().GetValue()
	}
	return read
}

func (f figures) since(earlier figures) figures {
	return figures{
		reconciles: f.reconciles - earlier.reconciles,
		calls:      f.calls - earlier.calls,
		writes:     f.writes - earlier.writes,
		cpu:        f.cpu - earlier.cpu,
	}
}

func sum(family *dto.MetricFamily, counts func(*dto.Metric) bool) (sum float64) {
	for _, metric := range family.GetMetric() {
		if counts(metric) {
			sum += metric.GetCounter().GetValue()
		}
	}
	return sum
}

func isWrite(metric *dto.Metric) bool {
	return slices.ContainsFunc(metric.GetLabel(), func(label *dto.LabelPair) bool {
		return label.GetName() == "method" && label.GetValue() != http.MethodGet
	})
}
