package controller

import (
	"net/http"
	"slices"
	"testing"
	"time"

	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestDeletionWaitsForACreationUnderWay deletes a job of which it is not known
// whether the factory got it. Were the object let go, nobody would cancel it.
func TestDeletionWaitsForACreationUnderWay(t *testing.T) {
	t.Parallel()
	// deleted is such an object after the first pass of its deletion.
	deleted := func(t *testing.T) (*driver, *classifierv1alpha1.ClassifierTrainingJob, *classifierv1alpha1.ClassifierDataset) {
		d := newDriver(t)
		data := d.inlineDataset("data", sentiments(20))
		d.ready(data)
		job := driven(d.trainingJob("job", "data"))
		d.Create(job)
		d.factory.answer(http.MethodPost, "/v1/fine_tuning/jobs", http.StatusGatewayTimeout)
		_, _ = d.pass(job)
		d.factory.behave()
		d = d.restarted() // to a connection that does not pause
		d.told()
		d.Get("job", job)
		d.Delete(job)
		if result, err := d.pass(job); err != nil || result.RequeueAfter == 0 || result.RequeueAfter > cleanupRecheck {
			t.Errorf("the job is looked for again after %s: %v", result.RequeueAfter, err)
		}
		if err := cluster.Admin.Get(d.ctx, client.ObjectKeyFromObject(job), job); err != nil {
			t.Fatalf("the object was let go: %v", err)
		}
		return d, job, data
	}
	t.Run("it comes through late and is cancelled", func(t *testing.T) {
		t.Parallel()
		d, job, data := deleted(t)
		d.createLate(job, data, 100)
		d.passUntilGone(job)
		if jobs := d.remoteJobs(); len(jobs) != 1 || jobs[0].Status != mistral.JobCancelled {
			t.Errorf("the factory has the jobs %+v", jobs)
		}
	})
	t.Run("it never comes through", func(t *testing.T) {
		t.Parallel()
		d, job, _ := deleted(t)
		now := testclock.NewFakeClock(job.Status.Attempt.PendingSince.Add(creationGrace + time.Second))
		if now.Now().After(job.DeletionTimestamp.Add(cleanupBudget)) {
			t.Fatal("the grace period outlasts the clean-up")
		}
		d.jobs.clock = now
		if _, err := d.pass(job); err != nil {
			t.Error(err)
		}
		d.WaitUntilGone(job)
		if err := containsReason(d.told(), classifierv1alpha1.ReasonDeletionIncomplete, 0); err != nil {
			t.Error(err)
		}
	})
}

// createLate lets the creation of an attempt's job come through after all.
func (d *driver) createLate(job *classifierv1alpha1.ClassifierTrainingJob, data *classifierv1alpha1.ClassifierDataset, steps int64) string {
	d.Helper()
	created, err := d.api.CreateJob(d.ctx, mistral.CreateJobRequest{
		Model:           "ministral-3b-latest",
		JobType:         mistral.JobTypeClassifier,
		TrainingFiles:   []mistral.TrainingFile{{FileID: data.Status.Files[0].ID, Weight: 1}},
		Hyperparameters: mistral.Hyperparameters{TrainingSteps: &steps},
		Suffix:          &job.Status.Attempt.Marker,
	})
	if err != nil {
		d.Fatal(err)
	}
	return created.ID
}

// TestDeletionCancelsEveryJob deletes an object of which two jobs were created and
// none was recorded. That the first one's cancellation takes its time does not
// keep the second one.
func TestDeletionCancelsEveryJob(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := d.inlineDataset("data", sentiments(20))
	d.ready(data)
	job := driven(d.trainingJob("job", "data"))
	d.Create(job)
	d.factory.answer(http.MethodPost, "/v1/fine_tuning/jobs", http.StatusGatewayTimeout)
	_, _ = d.pass(job)
	d.Get("job", job)
	d.factory.behave()
	var ids []string
	for _, steps := range []int64{100, 101} { // the factory refuses a twin
		ids = append(ids, d.createLate(job, data, steps))
	}
	distortJobs(d.factory, func(job map[string]any) {
		job["created_at"] = 1 // that of both, so that their IDs decide
		if job["id"] == slices.Min(ids) {
			job["status"] = mistral.JobCancellationRequested
		}
	})
	d = d.restarted()
	d.Delete(job)
	_, _ = d.pass(job)
	d.factory.behave()
	late, err := d.api.GetJob(d.ctx, slices.Max(ids))
	if err != nil || late.Status != mistral.JobCancelled {
		t.Errorf("the second job is %+v: %v", late, err)
	}
}
