package controller

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	testclock "k8s.io/utils/clock/testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestDeadlineCancelsTheJob holds that a job that takes too long is cancelled at
// the factory, and Finished, whatever the factory says of the cancellation.
func TestDeadlineCancelsTheJob(t *testing.T) {
	t.Parallel()
	const deadline = time.Hour
	for _, test := range []struct {
		name   string
		state  mistral.JobStatus // that the factory shows after the deadline; empty: the true one
		passed time.Duration
		reason string // of Ready then
		over   bool   // Finished
		why    string
	}{
		{"in time", "", deadline - time.Second, classifierv1alpha1.ReasonTraining, false, "nothing is to be done yet"},
		{"too late", "", deadline + time.Second, classifierv1alpha1.ReasonDeadlineExceeded, true, "the job is cancelled"},
		{"a cancellation that takes its time", mistral.JobCancellationRequested, deadline + time.Second,
			classifierv1alpha1.ReasonDeadlineExceeded, false, "the object waits, and says for what"},
		{"a cancellation without end", mistral.JobCancellationRequested, deadline + cleanupBudget + time.Second,
			classifierv1alpha1.ReasonDeadlineExceeded, true, "the object does not wait for ever"},
		{"a success that was quicker", mistral.JobSuccess, deadline + time.Second, classifierv1alpha1.ReasonPublished, true,
			"what was paid for is there"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			d.largeDataset("data")
			job := driven(d.trainingJob("job", "data"))
			job.Spec.ActiveDeadlineSeconds = new(int64(deadline.Seconds()))
			d.create(job)
			d.settle(job, classifierv1alpha1.ReasonTraining)
			if test.state != "" {
				distortJobs(d.factory, func(job map[string]any) {
					job["status"] = test.state
					if test.state == mistral.JobSuccess {
						job["fine_tuned_model"] = "ft:model"
					}
				})
			}
			d.jobs.clock = testclock.NewFakePassiveClock(job.Status.StartTime.Add(test.passed))
			d.settle(job, test.reason)
			d.eventually("waiting for it to be over, because "+test.why, func() error {
				_, _ = d.pass(job)
				d.get("job", job)
				d.refresh(job)
				return equal("Finished", meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionFinished), test.over)
			})
			d.factory.behave()
			if state := d.remoteJobs()[0].Status; (state == mistral.JobCancelled) != (test.state == "" && test.over) {
				t.Errorf("the factory has the job as %s", state)
			}
		})
	}
}

// TestWaitingForApprovalDoesNotCount holds that a job that was approved late has
// its full time.
func TestWaitingForApprovalDoesNotCount(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.Suspend = new(true)
	job.Spec.ActiveDeadlineSeconds = new(int64(60))
	d.create(job)
	d.settle(job, classifierv1alpha1.ReasonSuspended)
	d.jobs.clock = testclock.NewFakePassiveClock(time.Now().Add(24 * time.Hour))
	d.settle(job, classifierv1alpha1.ReasonSuspended)
	d.edit(job, func() { job.Spec.Suspend = new(false) })
	d.settle(job, classifierv1alpha1.ReasonPublished)
}
