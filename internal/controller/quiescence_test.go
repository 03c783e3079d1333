package controller

import (
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestSecondReconcileDoesNothing brings an object into each state and reconciles
// it again: whatever wakes a reconciler up, it costs neither the API server a
// write nor the factory a call.
func TestSecondReconcileDoesNothing(t *testing.T) {
	t.Parallel()
	for _, state := range []struct {
		name   string
		reason string // of Ready
		make   func(*driver) client.Object
	}{
		{"dataset without its ConfigMap", classifierv1alpha1.ReasonSourceNotFound, func(d *driver) client.Object {
			return d.dataset("data", "nowhere", "data")
		}},
		{"dataset without its key", classifierv1alpha1.ReasonSourceKeyNotFound, func(d *driver) client.Object {
			d.configMap("data", map[string]string{"other": ""})
			return d.dataset("data", "data", "data")
		}},
		{"invalid dataset", classifierv1alpha1.ReasonInvalidSamples, func(d *driver) client.Object {
			return d.inlineDataset("data", "no JSON")
		}},
		{"dataset with a single label", classifierv1alpha1.ReasonInvalidDataset, func(d *driver) client.Object {
			return d.inlineDataset("data", strings.ReplaceAll(sentiments(4), "negative", "positive"))
		}},
		{"dataset with a report", classifierv1alpha1.ReasonUploaded, func(d *driver) client.Object {
			data := d.inlineDataset("data", sentiments(4))
			data.Spec.Report = &classifierv1alpha1.DatasetReportRequest{ConfigMapName: "report"}
			return data
		}},
		{"dataset whose report is in somebody's way", classifierv1alpha1.ReasonUploaded, func(d *driver) client.Object {
			d.configMap("report", map[string]string{"other": ""})
			data := d.inlineDataset("data", sentiments(4))
			data.Spec.Report = &classifierv1alpha1.DatasetReportRequest{ConfigMapName: "report"}
			return data
		}},
		{"suspended dataset", classifierv1alpha1.ReasonSuspended, func(d *driver) client.Object {
			data := d.inlineDataset("data", sentiments(4))
			data.Spec.Suspend = new(true)
			return data
		}},
		{"dataset without its connection", classifierv1alpha1.ReasonConnectionNotFound, func(d *driver) client.Object {
			data := d.inlineDataset("data", sentiments(4))
			data.Spec.ConnectionSecretRef.Name = "nowhere"
			return data
		}},
		{"dataset with a wrong key", classifierv1alpha1.ReasonUnauthorized, func(d *driver) client.Object {
			secret := d.connection("")
			d.Edit(secret, func() { secret.Data[connectionAPIKeyKey] = []byte("wrong") })
			return d.inlineDataset("data", sentiments(4))
		}},
		{"dataset whose key may not upload", classifierv1alpha1.ReasonForbidden, func(d *driver) client.Object {
			d.factory.answer(http.MethodPost, "/v1/files", http.StatusForbidden)
			return d.inlineDataset("data", sentiments(4))
		}},
		{"dataset that the factory refuses", classifierv1alpha1.ReasonRejected, func(d *driver) client.Object {
			d.factory.answer(http.MethodPost, "/v1/files", http.StatusUnprocessableEntity)
			return d.inlineDataset("data", sentiments(4))
		}},
		{"dataset at a factory that is down", classifierv1alpha1.ReasonUnreachable, func(d *driver) client.Object {
			d.factory.answer("", "/", http.StatusBadGateway)
			return d.inlineDataset("data", sentiments(4))
		}},
		{"uploaded dataset", classifierv1alpha1.ReasonUploaded, func(d *driver) client.Object {
			return d.inlineDataset("data", sentiments(4))
		}},
		{"job without its dataset", classifierv1alpha1.ReasonDatasetNotFound, func(d *driver) client.Object {
			return d.trainingJob("job", "nowhere")
		}},
		{"job with another connection than its dataset's", classifierv1alpha1.ReasonConnectionMismatch, func(d *driver) client.Object {
			d.ready(d.inlineDataset("data", sentiments(4)))
			job := d.trainingJob("job", "data")
			job.Spec.ConnectionSecretRef = nil
			return job
		}},
		{"job whose key for Weights & Biases is missing", classifierv1alpha1.ReasonCredentialsNotFound, func(d *driver) client.Object {
			d.ready(d.inlineDataset("data", sentiments(4)))
			job := d.trainingJob("job", "data")
			job.Spec.Training.WeightsAndBiases = &classifierv1alpha1.WeightsAndBiases{
				Project:         "sentiments",
				APIKeySecretRef: classifierv1alpha1.SecretKeyReference{Name: "nowhere", Key: "key"},
			}
			return job
		}},
		{"import of a job that is not there", classifierv1alpha1.ReasonImportNotFound, func(d *driver) client.Object {
			job := d.trainingJob("job", "data")
			job.Spec.ImportJobID = "00000000-0000-0000-0000-000000000000"
			return job
		}},
		{"job above its budget", classifierv1alpha1.ReasonBudgetExceeded, func(d *driver) client.Object {
			d.ready(d.inlineDataset("data", sentiments(4)))
			d.price(5.01, "EUR")
			job := d.trainingJob("job", "data")
			job.Spec.MaxCost = &classifierv1alpha1.Cost{Amount: "5.00", Currency: "EUR"}
			return job
		}},
		{"job that will be tried again", classifierv1alpha1.ReasonBackingOff, func(d *driver) client.Object {
			d.ready(d.inlineDataset("data", sentiments(4)))
			d.breakOff()
			job := d.trainingJob("job", "data")
			job.Spec.BackoffLimit = new(int32(1))
			return job
		}},
		{"job that the factory refuses to start", classifierv1alpha1.ReasonRejected, func(d *driver) client.Object {
			d.ready(d.inlineDataset("data", sentiments(4)))
			d.factory.refuse("/start", http.StatusUnprocessableEntity)
			return d.trainingJob("job", "data")
		}},
		{"job that the key may not start", classifierv1alpha1.ReasonForbidden, func(d *driver) client.Object {
			d.ready(d.inlineDataset("data", sentiments(4)))
			d.factory.refuse("/start", http.StatusForbidden)
			return d.trainingJob("job", "data")
		}},
		{"import of another type of job", classifierv1alpha1.ReasonImportMismatch, func(d *driver) client.Object {
			remote := d.elsewhere(true)
			d.factory.distort("/v1/fine_tuning/jobs/", func(job map[string]any) { job["job_type"] = mistral.JobTypeCompletion })
			job := d.trainingJob("job", "data")
			job.Spec.ImportJobID = remote.ID
			return job
		}},
		{"job that the factory refuses", classifierv1alpha1.ReasonRejected, func(d *driver) client.Object {
			d.ready(d.inlineDataset("data", sentiments(4)))
			job := d.trainingJob("job", "data")
			job.Spec.Training.Model = "no-such-model"
			return job
		}},
		{"job at a server that no longer trains", classifierv1alpha1.ReasonFactoryRetired, func(d *driver) client.Object {
			d.ready(d.inlineDataset("data", sentiments(4)))
			d.factory.answer(http.MethodPost, "/v1/fine_tuning/jobs", http.StatusGone)
			return d.trainingJob("job", "data")
		}},
		{"job whose creation may have come through", classifierv1alpha1.ReasonSubmitting, func(d *driver) client.Object {
			d.ready(d.inlineDataset("data", sentiments(4)))
			d.factory.answer(http.MethodPost, "/v1/fine_tuning/jobs", http.StatusBadGateway)
			return d.trainingJob("job", "data")
		}},
		{"job that waits for approval", classifierv1alpha1.ReasonSuspended, func(d *driver) client.Object {
			d.ready(d.inlineDataset("data", sentiments(4)))
			job := d.trainingJob("job", "data")
			job.Spec.Suspend = new(true)
			return job
		}},
		{"training job", classifierv1alpha1.ReasonTraining, func(d *driver) client.Object {
			d.largeDataset("data")
			return d.trainingJob("job", "data")
		}},
		{"job whose data the factory finds unfit", classifierv1alpha1.ReasonValidationFailed, func(d *driver) client.Object {
			d.ready(d.inlineDataset("data", sentiments(4)))
			job := d.trainingJob("job", "data")
			job.Spec.Training.Targets = []classifierv1alpha1.TrainingTarget{{Name: "sentiment", Labels: []string{"happy", "sad"}}}
			return job
		}},
		{"job with a Secret in its way", classifierv1alpha1.ReasonSecretConflict, func(d *driver) client.Object {
			d.Create(&corev1.Secret{ObjectMeta: d.ObjectMeta("job")})
			d.ready(d.inlineDataset("data", sentiments(4)))
			return d.trainingJob("job", "data")
		}},
		{"published job", classifierv1alpha1.ReasonPublished, func(d *driver) client.Object {
			d.ready(d.inlineDataset("data", sentiments(4)))
			return d.trainingJob("job", "data")
		}},
	} {
		t.Run(state.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			object := driven(state.make(d))
			d.Create(object)
			d.settle(object, state.reason)
			// Whatever the last pass left to say is said in one more.
			_, _ = d.pass(object)

			writes, calls := d.writes.Load(), d.factory.calls.Load()
			_, _ = d.pass(object)
			if got := d.writes.Load() - writes; got != 0 {
				t.Errorf("a second pass made %d writes", got)
			}
			if got := d.factory.calls.Load() - calls; got != 0 {
				t.Errorf("a second pass made %d calls", got)
			}
		})
	}
}

// ready brings a dataset to the factory.
func (d *driver) ready(dataset *classifierv1alpha1.ClassifierDataset) {
	d.Helper()
	d.Create(driven(dataset))
	d.settle(dataset, classifierv1alpha1.ReasonUploaded)
}
