package controller

import (
	"errors"
	"net/http"
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
			d.Create(job)
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
			d.Eventually("waiting for it to be over, because "+test.why, func() error {
				_, _ = d.pass(job)
				d.Get("job", job)
				d.refresh(job)
				return equal("Finished", meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionFinished), test.over)
			})
			calls := d.factory.calls.Load()
			if result, err := d.pass(job); err != nil || !test.over && (result.RequeueAfter == 0 || result.RequeueAfter > cleanupBudget) {
				t.Errorf("it is looked at again after %s: %v", result.RequeueAfter, err)
			}
			if got := d.factory.calls.Load() - calls; got != 0 {
				t.Errorf("another pass made %d calls", got)
			}
			d.factory.behave()
			if state := d.remoteJobs()[0].Status; (state == mistral.JobCancelled) != (test.state == "" && test.over) {
				t.Errorf("the factory has the job as %s", state)
			}
		})
	}
}

// jobToApprove makes a job that waits for approval and then has a minute.
func (d *driver) jobToApprove() *classifierv1alpha1.ClassifierTrainingJob {
	d.T.Helper()
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.Suspend = new(true)
	job.Spec.ActiveDeadlineSeconds = new(int64(60))
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonSuspended)
	return job
}

// TestWaitingForApprovalDoesNotCount holds that a job that was approved late has
// its full time.
func TestWaitingForApprovalDoesNotCount(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	job := d.jobToApprove()
	d.jobs.clock = testclock.NewFakePassiveClock(time.Now().Add(24 * time.Hour))
	d.settle(job, classifierv1alpha1.ReasonSuspended)
	d.Edit(job, func() { job.Spec.Suspend = new(false) })
	d.settle(job, classifierv1alpha1.ReasonPublished)
}

// TestDeadlineIsNotBlamedForAnotherEnd looks late at jobs that ended by themselves,
// one of them after a night of waiting for approval.
func TestDeadlineIsNotBlamedForAnotherEnd(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		end    mistral.JobStatus
		reason string
		why    string
	}{
		{mistral.JobFailedValidation, classifierv1alpha1.ReasonValidationFailed, "more time would not have helped"},
		{mistral.JobFailed, classifierv1alpha1.ReasonTrainingFailed, "it broke off, and is not tried again anyway"},
		{mistral.JobCancelled, classifierv1alpha1.ReasonCancelled, "the time did not run before it was started"},
	} {
		t.Run(string(test.end), func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			job := d.jobToApprove()
			distortJobs(d.factory, func(job map[string]any) { job["status"] = test.end })
			d.jobs.clock = testclock.NewFakePassiveClock(time.Now().Add(24 * time.Hour))
			d.Eventually("waiting for its end", func() error {
				_, _ = d.pass(job)
				d.Get("job", job)
				d.refresh(job)
				if !isFinished(job) {
					return errors.New("it is not over")
				}
				return nil
			})
			if failed := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionFailed); failed == nil || failed.Reason != test.reason {
				t.Errorf("Failed is %+v, want %s: %s", failed, test.reason, test.why)
			}
		})
	}
}

// TestDeadlineEndsWhatTheFactoryDoesNot holds that nobody waits for ever for a
// model without a name, or for a cancellation that the factory refuses.
func TestDeadlineEndsWhatTheFactoryDoesNot(t *testing.T) {
	t.Parallel()
	const deadline = time.Hour
	for _, test := range []struct {
		name      string
		interfere func(d *driver)
	}{
		{"a model without a name", func(d *driver) {
			distortJobs(d.factory, func(job map[string]any) { job["status"], job["fine_tuned_model"] = mistral.JobSuccess, nil })
		}},
		{"a cancellation that is not allowed", func(d *driver) { d.factory.refuse("/cancel", http.StatusForbidden) }},
		{"a cancellation that is not known", func(d *driver) { d.factory.refuse("/cancel", http.StatusNotFound) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			d.largeDataset("data")
			job := driven(d.trainingJob("job", "data"))
			job.Spec.ActiveDeadlineSeconds = new(int64(deadline.Seconds()))
			d.Create(job)
			d.settle(job, classifierv1alpha1.ReasonTraining)
			test.interfere(d)
			d.refresh(job)
			over := job.Status.StartTime.Add(deadline + cleanupBudget)
			d.jobs.clock = testclock.NewFakePassiveClock(over.Add(-time.Second))
			if result, err := d.pass(job); err != nil || result.RequeueAfter == 0 || result.RequeueAfter > credentialRecheck {
				t.Errorf("it is looked at again after %s: %v", result.RequeueAfter, err)
			}
			if d.Get("job", job); isFinished(job) {
				t.Error("it was given up too early")
			}
			d.jobs.clock = testclock.NewFakePassiveClock(over.Add(time.Second))
			d.settle(job, classifierv1alpha1.ReasonDeadlineExceeded)
			if !isFinished(job) {
				t.Errorf("the conditions are %+v", job.Status.Conditions)
			}
		})
	}
}

// TestModelThatIsNamedLateIsNotGivenUp restarts the operator while the factory names
// no model yet. That nothing is known at first is no reason to give up what was paid for.
func TestModelThatIsNamedLateIsNotGivenUp(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.ActiveDeadlineSeconds = new(int64(3600))
	d.Create(job)
	distortJobs(d.factory, func(job map[string]any) { job["fine_tuned_model"] = nil })
	d.Eventually("waiting for the training", func() error {
		_, _ = d.pass(job)
		d.Get("job", job)
		d.refresh(job)
		return equal("state", newJobScope(job).state(), mistral.JobSuccess)
	})
	d.factory.behave()
	d = d.restarted()
	d.jobs.clock = testclock.NewFakePassiveClock(job.Status.StartTime.Add(time.Hour + cleanupBudget + time.Second))
	d.settle(job, classifierv1alpha1.ReasonPublished)
}

// TestDeadlineEndsThePauseBeforeARetry holds that there is no other try when there
// is no time for it.
func TestDeadlineEndsThePauseBeforeARetry(t *testing.T) {
	t.Parallel()
	d, job := backingOff(t)
	d.Edit(job, func() { job.Spec.ActiveDeadlineSeconds = new(int64(3600)) })
	d = d.restarted()
	d.jobs.clock = testclock.NewFakePassiveClock(job.Status.StartTime.Add(time.Hour + time.Second))
	d.settle(job, classifierv1alpha1.ReasonDeadlineExceeded)
	if jobs := d.remoteJobs(); !isFinished(job) || len(jobs) != 1 {
		t.Errorf("finished: %t, after %d tries", isFinished(job), len(jobs))
	}
}

// TestDeadlineRunsOnBetweenTries holds that a second try which its price holds back
// is not started after the deadline, to be cancelled in the next moment.
func TestDeadlineRunsOnBetweenTries(t *testing.T) {
	t.Parallel()
	d, job := backingOff(t)
	d.price(6, "EUR")
	d.Edit(job, func() {
		job.Spec.ActiveDeadlineSeconds = new(int64(3600))
		job.Spec.MaxCost = &classifierv1alpha1.Cost{Amount: "5.00", Currency: "EUR"}
	})
	d.jobs.clock = testclock.NewFakePassiveClock(job.Status.Failures[0].Time.Add(minBackoff))
	d.settle(job, classifierv1alpha1.ReasonBudgetExceeded)
	d.jobs.clock = testclock.NewFakePassiveClock(job.Status.StartTime.Add(time.Hour + time.Second))
	d.settle(job, classifierv1alpha1.ReasonDeadlineExceeded)
	if remote := d.remoteJob(job); !isFinished(job) || remote.Status != mistral.JobCancelled {
		t.Errorf("the second try is %s", remote.Status)
	}
}

func (d *driver) remoteJob(job *classifierv1alpha1.ClassifierTrainingJob) *mistral.DetailedJob {
	d.Helper()
	remote, err := d.api.GetJob(d.ctx, job.Status.RemoteJob.ID)
	if err != nil {
		d.Fatal(err)
	}
	return remote
}
