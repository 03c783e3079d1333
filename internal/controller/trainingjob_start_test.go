package controller

import (
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// validated is a job that waits for its start, and that the operator takes for
// VALIDATED whatever becomes of it at the factory.
func validated(t *testing.T) (*driver, *classifierv1alpha1.ClassifierTrainingJob) {
	t.Helper()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.Suspend = new(true)
	d.create(job)
	d.settle(job, classifierv1alpha1.ReasonSuspended)
	return d, job
}

// TestJobThatEndedBeforeItsStartIsFinishedAtOnce lets a job end at the factory
// while the operator still takes it for VALIDATED. The pass that is about to
// start it is the last one that anything wakes: it must tell the end.
func TestJobThatEndedBeforeItsStartIsFinishedAtOnce(t *testing.T) {
	t.Parallel()
	for _, end := range []struct {
		status  mistral.JobStatus
		reason  string
		started bool
		why     string
	}{
		{mistral.JobCancelled, classifierv1alpha1.ReasonCancelled, false, "a job is cancelled before its start, too"},
		{mistral.JobFailedValidation, classifierv1alpha1.ReasonValidationFailed, false, "validation comes before the start"},
		{mistral.JobFailed, classifierv1alpha1.ReasonTrainingFailed, true, "only a started job fails"},
		{mistral.JobSuccess, classifierv1alpha1.ReasonSucceeded, true, "only a started job succeeds"},
	} {
		t.Run(string(end.status), func(t *testing.T) {
			t.Parallel()
			d, job := validated(t)
			d.endUnseen(job.Status.RemoteJob.ID, end.status)
			d.edit(job, func() { job.Spec.Suspend = new(false) })
			if _, err := d.pass(job); err != nil {
				t.Fatal(err)
			}
			d.get("job", job)
			if finished := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionFinished); finished == nil || finished.Reason != end.reason {
				t.Errorf("Finished is %+v, want the reason %s", finished, end.reason)
			}
			if started := job.Status.StartTime != nil; started != end.started {
				t.Errorf("a start time is there: %t, because %s", started, end.why)
			}
			if end.status == mistral.JobSuccess {
				d.get("job", &corev1.Secret{})
			}
		})
	}
}

// endUnseen gives a validated job an end of which the operator does not learn.
func (d *driver) endUnseen(id string, status mistral.JobStatus) {
	d.Helper()
	if status != mistral.JobSuccess {
		d.factory.distort("/v1/fine_tuning/jobs/", func(job map[string]any) { job["status"] = status })
		return
	}
	if _, err := d.api.StartJob(d.ctx, id); err != nil {
		d.Fatal(err)
	}
	d.eventually("waiting for the training", func() error {
		job, err := d.api.GetJob(d.ctx, id)
		if err != nil {
			return err
		}
		return equal("state", job.Status, mistral.JobSuccess)
	})
}

// TestStartThatTheFactoryPutsOffIsTriedAgain holds that a job whose start is in
// conflict with something does not wait for an event that never comes.
func TestStartThatTheFactoryPutsOffIsTriedAgain(t *testing.T) {
	t.Parallel()
	d, job := validated(t)
	d.factory.answer(http.MethodPost, "/v1/fine_tuning/jobs/"+job.Status.RemoteJob.ID+"/start", http.StatusConflict)
	d.edit(job, func() { job.Spec.Suspend = new(false) })
	for range 2 {
		if result, err := d.pass(job); err == nil && result.RequeueAfter == 0 {
			t.Error("the pass asks for no other one")
		}
		d.get("job", job)
		if job.Status.StartTime != nil || job.Status.CompletionTime != nil {
			t.Errorf("the status says that the job was started: %+v", job.Status)
		}
	}
	d.factory.behave()
	d.settle(job, classifierv1alpha1.ReasonPublished)
}
