package controller

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestJobWhoseRecordFailedIsNotLost holds that a job which was created is known
// from then on, whatever becomes of the write that says so. The first write of
// the pass notes the attempt, the second one the job's ID.
func TestJobWhoseRecordFailedIsNotLost(t *testing.T) {
	t.Parallel()
	for _, loss := range []struct {
		name  string
		write func(number int64, write func() error) error
	}{
		{"the API server refuses it once", func(number int64, write func() error) error {
			if number == 2 {
				return apierrors.NewServiceUnavailable("there is no leader")
			}
			return write()
		}},
		{"no further write of the pass comes through", func(number int64, write func() error) error {
			if number == 2 || number == 3 {
				return apierrors.NewServiceUnavailable("there is no leader")
			}
			return write()
		}},
		{"it comes through, but the answer times out", func(number int64, write func() error) error {
			err := write()
			if number == 2 && err == nil {
				return apierrors.NewTimeoutError("the answer was lost", 0)
			}
			return err
		}},
	} {
		t.Run(loss.name, func(t *testing.T) {
			t.Parallel()
			t.Run("and the job is trained once", func(t *testing.T) {
				t.Parallel()
				d, job := submitted(t, false, loss.write)
				d.settle(job, classifierv1alpha1.ReasonPublished)
				if jobs := d.remoteJobs(); len(jobs) != 1 || jobs[0].ID != job.Status.RemoteJob.ID {
					t.Errorf("the object follows %s, the factory has %+v", job.Status.RemoteJob.ID, jobs)
				}
			})
			t.Run("and the object is deleted", func(t *testing.T) {
				t.Parallel()
				d, job := submitted(t, false, loss.write)
				d.Delete(job)
				d.passUntilGone(job)
				if jobs := d.remoteJobs(); len(jobs) != 1 || jobs[0].Status != mistral.JobCancelled {
					t.Errorf("the factory has the jobs %+v", jobs)
				}
			})
			t.Run("and somebody cancels the job at the factory", func(t *testing.T) {
				t.Parallel()
				d, job := submitted(t, true, loss.write)
				if _, err := d.api.CancelJob(d.ctx, d.remoteJobs()[0].ID); err != nil {
					t.Fatal(err)
				}
				d.settle(job, classifierv1alpha1.ReasonCancelled)
				if failures := job.Status.Failures; len(failures) != 1 || failures[0].Attempt != 1 {
					t.Errorf("the failures are %+v", failures)
				}
			})
		})
	}
}

// submitted is a job after the pass that created it, whose status writes went as given.
func submitted(t *testing.T, suspended bool, write func(int64, func() error) error) (*driver, *classifierv1alpha1.ClassifierTrainingJob) {
	t.Helper()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.Suspend = &suspended
	d.Create(job)
	d.onStatusWrite(write)
	if result, err := d.pass(job); err == nil && result.RequeueAfter == 0 {
		t.Error("the failed write asks for no other pass")
	}
	d.Get("job", job)
	if job.Status.Attempt == nil || !pinsInputs(job) {
		t.Fatalf("the attempt and its inputs are not known: %+v", job.Status)
	}
	return d, job
}

// TestTwinThatTheFactorySpeaksOfIsLookedFor holds that a conflict on creation is
// no refusal: what stands in the way may be the job's own earlier creation.
func TestTwinThatTheFactorySpeaksOfIsLookedFor(t *testing.T) {
	t.Parallel()
	t.Run("it is our own", func(t *testing.T) {
		t.Parallel()
		d := newDriver(t)
		d.ready(d.inlineDataset("data", sentiments(20)))
		job := driven(d.trainingJob("job", "data"))
		d.Create(job)
		var creations atomic.Int64
		interfere := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
			if r.Method == http.MethodPost && r.URL.Path == "/v1/fine_tuning/jobs" {
				creations.Add(1)
				real.ServeHTTP(httptest.NewRecorder(), r)
				http.Error(w, `{"detail":"there is such a job"}`, http.StatusConflict)
				return
			}
			real.ServeHTTP(w, r)
		}
		d.factory.interfere.Store(&interfere)
		d.settle(job, classifierv1alpha1.ReasonPublished)
		if got := creations.Load(); got != 1 || len(d.remoteJobs()) != 1 {
			t.Errorf("after %d creations the factory has the jobs %+v", got, d.remoteJobs())
		}
	})
	t.Run("it is somebody else's", func(t *testing.T) {
		t.Parallel()
		d := newDriver(t)
		d.ready(d.inlineDataset("data", sentiments(20)))
		job := driven(d.trainingJob("job", "data"))
		d.Create(job)
		d.factory.answer(http.MethodPost, "/v1/fine_tuning/jobs", http.StatusConflict)
		d.settle(job, classifierv1alpha1.ReasonSubmitting)
		if job.Status.Attempt == nil || !pinsInputs(job) {
			t.Errorf("the attempt is given up: %+v", job.Status)
		}
	})
}

// TestOperatorsOwnLimitIsNoWordOnTheFactory spends the operator's budget of
// calls. That is said where it stops the object, and not of the factory.
func TestOperatorsOwnLimitIsNoWordOnTheFactory(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data, job := driven(d.inlineDataset("data", sentiments(20))), driven(d.trainingJob("job", "data"))
	d.Create(data)
	d.limitCalls(0)
	d.settleAfterShortWait(data, classifierv1alpha1.ReasonRateLimited)
	if reachable := meta.FindStatusCondition(data.Status.Conditions, classifierv1alpha1.ConditionFactoryReachable); reachable != nil {
		t.Errorf("the dataset says of the factory %+v", reachable)
	}

	d.limitCalls(10)
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	d.Create(job)
	d.limitCalls(0)
	d.settleAfterShortWait(job, classifierv1alpha1.ReasonRateLimited)
	if reachable := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionFactoryReachable); reachable != nil {
		t.Errorf("the job says of the factory %+v", reachable)
	}
}

// TestAttemptIsNotNotedWhileNoCallIsLeft holds that jobs which wait for the
// operator's budget cost the API server nothing.
func TestAttemptIsNotNotedWhileNoCallIsLeft(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	d.Create(job)
	d.limitCalls(0)
	d.settleAfterShortWait(job, classifierv1alpha1.ReasonRateLimited)
	writes := d.writes.Load()
	for range 5 {
		_, _ = d.pass(job)
	}
	if got := d.writes.Load() - writes; got != 0 {
		t.Errorf("five passes without a call made %d writes", got)
	}
}

func TestNoJobIDBlocksTheStatus(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(4)))
	job := driven(d.trainingJob("job", "data"))
	d.Create(job)
	d.factory.distort("/v1/fine_tuning/jobs", func(answer map[string]any) {
		if _, isJob := answer["id"]; isJob {
			answer["id"] = strings.Repeat("i", 300)
		}
	})
	if _, err := d.pass(job); apierrors.IsInvalid(err) {
		t.Error(err)
	}
}
