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
	// Prometheus sees no increase of a counter that begins at 1.
	for _, outcome := range []string{outcomeUploaded, outcomeAdopted, outcomeFailed} {
		m.uploads.WithLabelValues(outcome)
	}
	for _, outcome := range []string{outcomeAdopted, outcomeCancelled} {
		m.orphans.WithLabelValues(outcome)
	}
	if registerer != nil {
		registerer.MustRegister(m.readySeconds, m.uploads, m.uploadedBytes, m.orphans, objectCollector{reader})
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

// objectCollector counts the objects in the manager's cache when it is asked.
type objectCollector struct{ reader client.Reader }

var (
	jobsDescription = prometheus.NewDesc("classifier_factory_operator_training_jobs",
		"ClassifierTrainingJobs, by the state of their remote job: none before it is submitted, other if the protocol does not name it.",
		[]string{"state"}, nil)
	objectsDescription = prometheus.NewDesc("classifier_factory_operator_objects",
		"Objects, by kind, by status, which is Ready, Reconciling or Stalled, and by the reason of their condition Ready.",
		[]string{"kind", "status", "reason"}, nil)
)

// Describe implements prometheus.Collector.
func (objectCollector) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- jobsDescription
	descriptions <- objectsDescription
}

// Collect implements prometheus.Collector.
func (c objectCollector) Collect(collected chan<- prometheus.Metric) {
	// Before the cache is filled there is nothing to tell.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	datasets, jobs := &classifierv1alpha1.ClassifierDatasetList{}, &classifierv1alpha1.ClassifierTrainingJobList{}
	for _, list := range []client.ObjectList{datasets, jobs} {
		if err := c.reader.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return
		}
	}
	states, objects := map[string]float64{}, map[[3]string]float64{}
	for i := range datasets.Items {
		status, reason := standing(datasets.Items[i].Status.Conditions)
		objects[[3]string{kindDataset, status, reason}]++
	}
	for i := range jobs.Items {
		states[stateLabel(jobs.Items[i].Status.RemoteJob)]++
		status, reason := standing(jobs.Items[i].Status.Conditions)
		objects[[3]string{kindTrainingJob, status, reason}]++
	}
	for state, count := range states {
		collected <- prometheus.MustNewConstMetric(jobsDescription, prometheus.GaugeValue, count, state)
	}
	for labels, count := range objects {
		collected <- prometheus.MustNewConstMetric(objectsDescription, prometheus.GaugeValue, count, labels[:]...)
	}
}

// standing is what the conditions of an object come to.
func standing(conditions []metav1.Condition) (status, reason string) {
	reason = classifierv1alpha1.ReasonPending
	if ready := meta.FindStatusCondition(conditions, classifierv1alpha1.ConditionReady); ready != nil {
		reason = ready.Reason
	}
	for _, status := range []string{classifierv1alpha1.ConditionReady, classifierv1alpha1.ConditionStalled} {
		if meta.IsStatusConditionTrue(conditions, status) {
			return status, reason
		}
	}
	return classifierv1alpha1.ConditionReconciling, reason
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
