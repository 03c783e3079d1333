package controller

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// Values of labels.
const (
	kindDataset     = "ClassifierDataset"
	kindTrainingJob = "ClassifierTrainingJob"

	outcomeUploaded  = "uploaded"
	outcomeAdopted   = "adopted"
	outcomeFailed    = "failed"
	outcomeCancelled = "cancelled"

	// Of jobs without a remote one, and in a state that the protocol does not name.
	stateNone  = "none"
	stateOther = "other"
)

// metrics count what the reconcilers do. Their labels are bounded: no object's
// name and no server's word is one.
type metrics struct {
	readySeconds  *prometheus.HistogramVec
	uploads       *prometheus.CounterVec
	uploadedBytes prometheus.Counter
	orphans       *prometheus.CounterVec
}

// newMetrics registers the metrics; a nil registerer leaves them unseen.
func newMetrics(registerer prometheus.Registerer, reader client.Reader) *metrics {
	m := &metrics{
		readySeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "classifier_factory_operator_ready_seconds",
			Help:    "Time from the creation of an object until it was first Ready, by kind.",
			Buckets: prometheus.ExponentialBuckets(0.5, 3, 12), // to 24 hours
		}, []string{"kind"}),
		uploads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "classifier_factory_operator_uploads_total",
			Help: "Files that datasets needed at a factory: uploaded, adopted because they were there already, or failed.",
		}, []string{"outcome"}),
		uploadedBytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "classifier_factory_operator_uploaded_bytes_total",
			Help: "Bytes of the files that were uploaded.",
		}),
		orphans: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "classifier_factory_operator_orphaned_jobs_total",
			Help: "Remote jobs that were found because their creation had not been recorded: adopted, or cancelled as surplus.",
		}, []string{"outcome"}),
	}
	if registerer != nil {
		registerer.MustRegister(m.readySeconds, m.uploads, m.uploadedBytes, m.orphans, jobCollector{reader})
	}
	return m
}

// sawReady notes the time until an object was Ready, if it is and never was before.
func (m *metrics) sawReady(kind string, object client.Object, conditions []metav1.Condition, wasReady bool, now time.Time) {
	if !wasReady && meta.IsStatusConditionTrue(conditions, classifierv1alpha1.ConditionReady) {
		m.readySeconds.WithLabelValues(kind).Observe(now.Sub(object.GetCreationTimestamp().Time).Seconds())
	}
}

// wasUploaded reports whether any revision of the dataset was ever uploaded.
func wasUploaded(status *classifierv1alpha1.ClassifierDatasetStatus) bool {
	return len(status.History) > 0 || slices.ContainsFunc(status.Files, func(file classifierv1alpha1.DatasetFile) bool {
		return file.UploadedAt != nil
	})
}

func (m *metrics) uploaded(bytes int64, err error) {
	if err != nil {
		m.uploads.WithLabelValues(outcomeFailed).Inc()
		return
	}
	m.uploads.WithLabelValues(outcomeUploaded).Inc()
	m.uploadedBytes.Add(float64(bytes))
}

// jobCollector counts the jobs in the manager's cache when it is asked.
type jobCollector struct{ reader client.Reader }

var jobsDescription = prometheus.NewDesc("classifier_factory_operator_training_jobs",
	"ClassifierTrainingJobs, by the state of their remote job: none before it is submitted, other if the protocol does not name it.",
	[]string{"state"}, nil)

// Describe implements prometheus.Collector.
func (jobCollector) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- jobsDescription }

// Collect implements prometheus.Collector.
func (c jobCollector) Collect(collected chan<- prometheus.Metric) {
	// Before the cache is filled there is nothing to tell.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	jobs := &classifierv1alpha1.ClassifierTrainingJobList{}
	if err := c.reader.List(ctx, jobs, client.UnsafeDisableDeepCopy); err != nil {
		return
	}
	counts := map[string]float64{}
	for i := range jobs.Items {
		counts[stateLabel(jobs.Items[i].Status.RemoteJob)]++
	}
	for state, count := range counts {
		collected <- prometheus.MustNewConstMetric(jobsDescription, prometheus.GaugeValue, count, state)
	}
}

func stateLabel(job *classifierv1alpha1.RemoteJob) string {
	if job == nil {
		return stateNone
	}
	switch state := mistral.JobStatus(job.State); state {
	case mistral.JobQueued, mistral.JobStarted, mistral.JobValidating, mistral.JobValidated, mistral.JobRunning,
		mistral.JobFailedValidation, mistral.JobFailed, mistral.JobSuccess, mistral.JobCancelled, mistral.JobCancellationRequested:
		return string(state)
	}
	return stateOther
}
