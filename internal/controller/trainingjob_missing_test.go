package controller

import (
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/clock"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
)

// jobsAt makes it later for jobs. From then on the time goes on.
func (d *driver) jobsAt(now time.Time) {
	later := laterClock{ahead: time.Until(now)}
	d.jobs.clock, d.jobs.looks.clock = later, later
}

type laterClock struct {
	clock.RealClock
	ahead time.Duration
}

func (c laterClock) Now() time.Time { return c.RealClock.Now().Add(c.ahead) }

// lose makes the factory not know a job any more, and lets the operator give it up.
func (d *driver) lose(job *classifierv1alpha1.ClassifierTrainingJob) {
	d.Helper()
	d.factory.answer("", "/v1/fine_tuning/jobs/"+job.Status.RemoteJob.ID, http.StatusNotFound)
	d.settle(job, classifierv1alpha1.ReasonRemoteJobMissing)
	if meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionStalled) {
		d.Fatal("the job was given up at once")
	}
	d.jobsAt(time.Now().Add(missingGrace + time.Second))
	d.expectLost(job)
}

// expectLost holds that a job is given up, but not for ever.
func (d *driver) expectLost(job *classifierv1alpha1.ClassifierTrainingJob) {
	d.Helper()
	result, err := d.pass(job)
	if err != nil || result.RequeueAfter == 0 || result.RequeueAfter > time.Minute {
		d.Errorf("the next pass comes after %s: %v", result.RequeueAfter, err)
	}
	d.Get(job.Name, job)
	stalled := controllertest.Condition(job, classifierv1alpha1.ConditionStalled)
	if stalled.Reason != classifierv1alpha1.ReasonRemoteJobMissing || isFinished(job) || job.Status.State != stalled.Reason {
		d.Fatalf("in the state %s the conditions are %+v", job.Status.State, job.Status.Conditions)
	}
	if !strings.Contains(stalled.Message, "spec.importJobID") || strings.Contains(stalled.Message, "delete") {
		d.Errorf("deleting the object would cancel a job that runs: %s", stalled.Message)
	}
	if submitted := controllertest.Condition(job, classifierv1alpha1.ConditionSubmitted); submitted.Reason != classifierv1alpha1.ReasonRemoteJobMissing {
		d.Errorf("Submitted is %+v", submitted)
	}
}

// resume starts a job that was suspended.
func (d *driver) resume(job *classifierv1alpha1.ClassifierTrainingJob) {
	d.Helper()
	d.Edit(job, func() { job.Spec.Suspend = new(false) })
}

// TestLostJobIsFoundAgain holds every way in which a job comes back that the factory
// did not know for a while, and that none is created in its place.
func TestLostJobIsFoundAgain(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name string
		come func(d *driver, job *classifierv1alpha1.ClassifierTrainingJob)
	}{
		{"the factory knows it again", func(d *driver, _ *classifierv1alpha1.ClassifierTrainingJob) {
			d.factory.behave()
			d.jobsAt(time.Now().Add(missingGrace + maxMissingRecheck))
		}},
		{"and the user asks for a look", func(d *driver, job *classifierv1alpha1.ClassifierTrainingJob) {
			d.factory.behave()
			d.Edit(job, func() {
				job.Annotations = map[string]string{classifierv1alpha1.ReconcileRequestAnnotation: "now"}
			})
		}},
		{"the Secret gets a key that knows it", func(d *driver, _ *classifierv1alpha1.ClassifierTrainingJob) {
			d.factory.behave()
			secret := &corev1.Secret{}
			secret.Name = connectionSecret
			// The white space makes another connection of the same key.
			d.Edit(secret, func() { secret.StringData = map[string]string{connectionURIKey: d.factory.URL + "/v1"} })
		}},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			d, job := validated(t)
			d = d.restarted() // to a poller that knows nothing old
			d.lose(job)
			d.expectLost(job)
			way.come(d, job)
			d.resume(job)
			d.settle(job, classifierv1alpha1.ReasonPublished)
			if jobs := d.remoteJobs(); len(jobs) != 1 {
				t.Errorf("the factory has the jobs %+v", jobs)
			}
		})
	}
}

// TestLostJobStaysLostAcrossARestart holds that an operator which has not asked yet
// does not take the job for found, and does not begin to count anew.
func TestLostJobStaysLostAcrossARestart(t *testing.T) {
	t.Parallel()
	d, job := validated(t)
	d = d.restarted()
	d.factory.answer("", "/v1/fine_tuning/jobs/"+job.Status.RemoteJob.ID, http.StatusNotFound)
	d.settle(job, classifierv1alpha1.ReasonRemoteJobMissing)
	since := controllertest.Condition(job, classifierv1alpha1.ConditionSubmitted).LastTransitionTime
	for _, passed := range []time.Duration{missingGrace / 2, missingGrace + time.Second, time.Hour} {
		d = d.restarted()
		d.jobsAt(since.Add(passed))
		if _, err := d.pass(job); err != nil {
			t.Fatal(err)
		}
		d.Get("job", job)
		submitted := controllertest.Condition(job, classifierv1alpha1.ConditionSubmitted)
		stalled := meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionStalled)
		if submitted.Reason != classifierv1alpha1.ReasonRemoteJobMissing || !submitted.LastTransitionTime.Equal(&since) || stalled != (passed > missingGrace) {
			t.Errorf("after %s: stalled %t, %+v", passed, stalled, submitted)
		}
	}
}

// TestLostJobsAreLookedForLessAndLessOften holds what jobs cost that stay lost.
func TestLostJobsAreLookedForLessAndLessOften(t *testing.T) {
	t.Parallel()
	d, job := validated(t)
	d = d.restarted()
	d.lose(job)
	began, calls, passes := time.Now().Add(missingGrace), d.factory.calls.Load(), 0
	for now := began; now.Before(began.Add(time.Hour)); passes++ {
		d.jobsAt(now)
		result, err := d.pass(job)
		if err != nil || result.RequeueAfter == 0 {
			t.Fatalf("the next pass comes after %s: %v", result.RequeueAfter, err)
		}
		now = now.Add(result.RequeueAfter)
	}
	if got := d.factory.calls.Load() - calls; got < 6 || got > 40 {
		t.Errorf("%d calls in an hour", got)
	}
	if passes > 120 {
		t.Errorf("%d passes in an hour", passes)
	}
}

// TestDeadlineEndsALostJob holds that somebody who set a deadline gets an end.
func TestDeadlineEndsALostJob(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.largeDataset("data")
	job := driven(d.trainingJob("job", "data"))
	job.Spec.ActiveDeadlineSeconds = new(int64(time.Hour.Seconds()))
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonTraining)
	d = d.restarted()
	d.lose(job)
	d.jobsAt(job.Status.StartTime.Add(time.Hour + time.Second))
	d.settle(job, classifierv1alpha1.ReasonDeadlineExceeded)
	if failed := controllertest.Condition(job, classifierv1alpha1.ConditionFailed); !isFinished(job) || !strings.Contains(failed.Message, "does not know it") {
		t.Errorf("the conditions are %+v", job.Status.Conditions)
	}
}

// TestLostImportIsLookedForToo holds the same for a job that somebody else made.
func TestLostImportIsLookedForToo(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	remote := d.elsewhere(false)
	job := d.imported(remote.ID)
	d.settle(job, classifierv1alpha1.ReasonAwaitingStart)
	d = d.restarted()
	d.lose(job)
	d.factory.behave()
	if _, err := d.api.StartJob(d.ctx, remote.ID); err != nil {
		t.Fatal(err)
	}
	d.jobsAt(time.Now().Add(missingGrace + maxMissingRecheck))
	d.settle(job, classifierv1alpha1.ReasonPublished)
}

// TestDeletionOfALostJobEndsAndSaysWhatMayBeLeft holds that an object does not hang whose
// job only another key knows, and that its end does not claim that all is cleaned up.
func TestDeletionOfALostJobEndsAndSaysWhatMayBeLeft(t *testing.T) {
	t.Parallel()
	d, job := validated(t)
	d = d.restarted()
	d.lose(job)
	d.told()
	d.Delete(job)
	if _, err := d.pass(job); err != nil {
		t.Fatal(err)
	}
	d.WaitUntilGone(job)
	told := strings.Join(d.told(), "\n")
	if !strings.Contains(told, classifierv1alpha1.ReasonDeletionIncomplete) || !strings.Contains(told, job.Status.RemoteJob.ID) {
		t.Errorf("the events are %s", told)
	}
}
