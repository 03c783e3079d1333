package controller

import (
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestDeletionCancelsTheTrainingAndRemovesTheFiles(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	dataset := f.largeDataset("large")
	f.Create(dataset)
	job := f.trainingJob("large", "large")
	f.Create(job)
	f.waitFor(job, classifierv1alpha1.ConditionStarted, metav1.ConditionTrue, classifierv1alpha1.ReasonStarted)

	// The dataset goes first, as in a namespace that is deleted: its file stays
	// until the job no longer reads it.
	f.Delete(dataset)
	f.Delete(job)
	f.WaitUntilGone(job)
	f.WaitUntilGone(dataset)
	if jobs := f.remoteJobs(); len(jobs) != 1 || jobs[0].Status != mistral.JobCancelled {
		t.Errorf("the factory has the jobs %+v", jobs)
	}
	if files := f.remoteFiles(); len(files) != 0 {
		t.Errorf("the factory still has the files %+v", files)
	}
}

func TestDeletionPoliciesDecideWhatStays(t *testing.T) {
	t.Parallel()
	for _, policy := range []struct {
		name          string
		job           classifierv1alpha1.TrainingJobDeletionPolicy
		dataset       classifierv1alpha1.DatasetDeletionPolicy
		models, files int
	}{
		{"a model outlives its job unless told otherwise", classifierv1alpha1.TrainingJobCancel, classifierv1alpha1.DatasetDelete, 1, 0},
		{"what is retained stays whole", classifierv1alpha1.TrainingJobRetain, classifierv1alpha1.DatasetRetain, 1, 1},
		{"a model goes with its job when that is asked for", classifierv1alpha1.TrainingJobCancelAndDeleteModel, classifierv1alpha1.DatasetDelete, 0, 0},
	} {
		t.Run(policy.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			dataset, job := f.inlineDataset("sentiment", sentiments(20)), f.trainingJob("sentiment", "sentiment")
			dataset.Spec.DeletionPolicy, job.Spec.DeletionPolicy = policy.dataset, policy.job
			f.Create(dataset)
			f.Create(job)
			f.waitUntilReady(job)
			f.Delete(job)
			f.Delete(dataset)
			f.WaitUntilGone(job)
			f.WaitUntilGone(dataset)
			if got := len(f.remoteFiles()); got != policy.files {
				t.Errorf("%d files are left, want %d", got, policy.files)
			}
			if got := f.fineTunedModels(); got != policy.models {
				t.Errorf("%d models are left, want %d", got, policy.models)
			}
		})
	}
}

// TestDeletionEnds holds that an object never hangs, whatever became of the
// factory and the credential.
func TestDeletionEnds(t *testing.T) {
	t.Parallel()
	t.Run("the credential went first", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t)
		dataset := f.inlineDataset("sentiment", sentiments(4))
		f.Create(dataset)
		f.waitUntilReady(dataset)
		f.Delete(f.connection(""))
		f.Delete(dataset)
		f.WaitUntilGone(dataset)
		// The operator still had the connection that the Secret made.
		if files := f.remoteFiles(); len(files) != 0 {
			t.Errorf("the factory still has the files %+v", files)
		}
	})
	t.Run("nothing was ever created", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t)
		f.factory.Close()
		job := f.trainingJob("waiting", "nowhere")
		f.Create(job)
		f.waitFor(job, classifierv1alpha1.ConditionDatasetsReady, metav1.ConditionFalse, classifierv1alpha1.ReasonDatasetNotFound)
		f.Delete(job)
		f.WaitUntilGone(job)
	})
	t.Run("the factory is gone for good", func(t *testing.T) {
		t.Parallel()
		d := newDriver(t)
		dataset := d.inlineDataset("sentiment", sentiments(4))
		d.ready(dataset)
		d.factory.answer("", "/", http.StatusServiceUnavailable)
		d.Delete(dataset)
		if result, err := d.pass(dataset); err != nil || result.RequeueAfter > cleanupRecheck {
			t.Errorf("the first try looks again after %s: %v", result.RequeueAfter, err)
		}
		d.Get(dataset.Name, dataset)

		now := dataset.DeletionTimestamp.Add(cleanupBudget + time.Second)
		d.datasets.clock = testclock.NewFakeClock(now)
		if _, err := d.pass(dataset); err != nil {
			t.Error(err)
		}
		d.WaitUntilGone(dataset)
		event := <-d.recorder.Events
		for !strings.Contains(event, classifierv1alpha1.ReasonDeletionIncomplete) {
			event = <-d.recorder.Events
		}
		if !strings.Contains(event, "classifier-dataset-") {
			t.Errorf("the event does not name what was left: %s", event)
		}
	})
}
