package controller

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestSuspendedJobIsPricedAndStartsWhenResumed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.Create(f.inlineDataset("sentiment", sentiments(20)))
	job := f.trainingJob("sentiment", "sentiment")
	job.Spec.Suspend = new(true)
	f.Create(job)
	f.waitFor(job, classifierv1alpha1.ConditionReady, metav1.ConditionFalse, classifierv1alpha1.ReasonSuspended)
	if job.Status.RemoteJob.State != string(mistral.JobValidated) || job.Status.StartTime != nil || job.Status.Cost == nil {
		t.Errorf("a suspended job is validated, priced and not started; the status is %+v", job.Status)
	}
	f.Edit(job, func() { job.Spec.Suspend = new(false) })
	f.waitUntilReady(job)
}

func TestJobFollowsTheSpecToTheFactory(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.Create(f.inlineDataset("sentiment", sentiments(20)))
	job := f.trainingJob("sentiment", "sentiment")
	job.Spec.Training.Suffix = "a-rather-long-one"
	job.Spec.Training.Hyperparameters = &classifierv1alpha1.Hyperparameters{
		TrainingSteps: new(int64(50)),
		LearningRate:  "4e-5",
		WeightDecay:   "0.2",
	}
	f.Create(job)
	f.waitUntilReady(job)
	remote := f.remoteJobs()[0]
	if remote.AutoStart {
		t.Error("the job was created to start by itself")
	}
	if got := *remote.Suffix; len(got) != mistral.MaxSuffixLength || !strings.HasPrefix(got, "a-rather-") || !strings.HasSuffix(got, job.Status.Attempt.Marker) {
		t.Errorf("the suffix is %s, with the marker %s", got, job.Status.Attempt.Marker)
	}
	wanted := remote.Hyperparameters
	if *wanted.TrainingSteps != 50 || *wanted.LearningRate != 4e-5 || *wanted.WeightDecay != 0.2 {
		t.Errorf("the hyperparameters arrived as %+v", wanted)
	}
}

func TestFailuresAreFinishedAndSaid(t *testing.T) {
	t.Parallel()
	t.Run("the factory finds the data unfit", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t)
		f.Create(f.inlineDataset("sentiment", sentiments(4)))
		job := f.trainingJob("sentiment", "sentiment")
		job.Spec.Training.Targets = []classifierv1alpha1.TrainingTarget{{Name: "sentiment", Labels: []string{"happy", "sad"}}}
		f.Create(job)
		f.waitFor(job, classifierv1alpha1.ConditionFinished, metav1.ConditionTrue, classifierv1alpha1.ReasonValidationFailed)
		f.waitFor(job, classifierv1alpha1.ConditionStalled, metav1.ConditionTrue, classifierv1alpha1.ReasonValidationFailed)
		if len(job.Status.Failures) != 1 {
			t.Errorf("the failures are %+v", job.Status.Failures)
		}
	})
	t.Run("somebody cancels the job at the factory", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t)
		f.Create(f.inlineDataset("sentiment", sentiments(4)))
		job := f.trainingJob("sentiment", "sentiment")
		job.Spec.Suspend = new(true)
		f.Create(job)
		f.waitFor(job, classifierv1alpha1.ConditionReady, metav1.ConditionFalse, classifierv1alpha1.ReasonSuspended)
		if _, err := f.api.CancelJob(f.ctx, job.Status.RemoteJob.ID); err != nil {
			t.Fatal(err)
		}
		f.waitFor(job, classifierv1alpha1.ConditionFinished, metav1.ConditionTrue, classifierv1alpha1.ReasonCancelled)
	})
}

func TestForeignSecretIsNeverTouched(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	foreign := &corev1.Secret{
		ObjectMeta: f.ObjectMeta("sentiment"),
		StringData: map[string]string{"password": "theirs"},
	}
	f.Create(foreign)
	f.Create(f.inlineDataset("sentiment", sentiments(20)))
	job := f.trainingJob("sentiment", "sentiment")
	f.Create(job)
	f.waitFor(job, classifierv1alpha1.ConditionOutputPublished, metav1.ConditionFalse, classifierv1alpha1.ReasonSecretConflict)
	version := foreign.ResourceVersion
	f.Get("sentiment", foreign)
	if foreign.ResourceVersion != version {
		t.Error("somebody else's Secret was written to")
	}
	f.Edit(job, func() { job.Spec.Output = &classifierv1alpha1.TrainingOutput{SecretName: "another"} })
	f.waitUntilReady(job)
}

func TestPublishedSecretIsHealed(t *testing.T) {
	t.Parallel()
	for _, harm := range []struct {
		name string
		do   func(*driver, *corev1.Secret)
	}{
		{"deleted", func(d *driver, secret *corev1.Secret) { d.Delete(secret) }},
		{"edited", func(d *driver, secret *corev1.Secret) {
			d.Edit(secret, func() { secret.Data["targets"] = []byte("nonsense") })
		}},
	} {
		t.Run(harm.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			d.ready(d.inlineDataset("sentiment", sentiments(20)))
			job := driven(d.trainingJob("sentiment", "sentiment"))
			d.Create(job)
			d.settle(job, classifierv1alpha1.ReasonPublished)
			secret := &corev1.Secret{}
			d.Get("sentiment", secret)
			harm.do(d, secret.DeepCopy())
			if _, err := d.pass(job); err != nil {
				t.Fatal(err)
			}
			healed := &corev1.Secret{}
			d.Get("sentiment", healed)
			if key := healed.Data[outputAPIKey]; len(key) == 0 || string(key) == string(secret.Data[outputAPIKey]) {
				t.Error("what may be known to others is still the key")
			}
			delete(secret.Data, outputAPIKey)
			for key := range secret.Data {
				if string(healed.Data[key]) != string(secret.Data[key]) {
					t.Errorf("%s is %q, was %q", key, healed.Data[key], secret.Data[key])
				}
			}
		})
	}
}

// TestLostCreationIsFoundAgain loses the answer to the creation of a job that
// came through. The job is adopted, not created twice.
func TestLostCreationIsFoundAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.Create(f.inlineDataset("sentiment", sentiments(20)))
	var lost atomic.Bool
	f.factory.loseAnswer(http.MethodPost, "/v1/fine_tuning/jobs", &lost)
	job := f.trainingJob("sentiment", "sentiment")
	f.Create(job)
	f.waitUntilReady(job)
	if jobs := f.remoteJobs(); !lost.Load() || len(jobs) != 1 {
		t.Errorf("the factory has %d jobs; the answer was lost: %t", len(jobs), lost.Load())
	}
}

// TestCreationThatNeverArrivedIsRepeated waits for the grace period, so that a
// creation that is merely slow is not repeated.
func TestCreationThatNeverArrivedIsRepeated(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("sentiment", sentiments(20)))
	job := driven(d.trainingJob("sentiment", "sentiment"))
	d.Create(job)
	d.factory.answer(http.MethodPost, "/v1/fine_tuning/jobs", http.StatusBadGateway)
	d.settle(job, classifierv1alpha1.ReasonUnreachable)
	marker := job.Status.Attempt.Marker
	d.factory.behave()
	d.settle(job, classifierv1alpha1.ReasonSubmitting)
	if jobs := d.remoteJobs(); len(jobs) != 0 {
		t.Fatalf("the creation was repeated before its time: %+v", jobs)
	}
	d.jobs.clock = testclock.NewFakeClock(time.Now().Add(creationGrace + time.Second))
	d.settle(job, classifierv1alpha1.ReasonPublished)
	if jobs := d.remoteJobs(); len(jobs) != 1 || *jobs[0].Suffix != marker {
		t.Errorf("the factory has the jobs %+v, expected one with the marker %s", jobs, marker)
	}
}

// TestSurplusJobsAreCancelledBeforeTheyStart adopts the oldest of several jobs
// that carry the attempt's marker.
func TestSurplusJobsAreCancelledBeforeTheyStart(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := d.inlineDataset("sentiment", sentiments(20))
	d.ready(data)
	job := driven(d.trainingJob("sentiment", "sentiment"))
	d.Create(job)
	d.factory.answer(http.MethodPost, "/v1/fine_tuning/jobs", http.StatusBadGateway)
	d.settle(job, classifierv1alpha1.ReasonUnreachable)
	d.factory.behave()
	for _, steps := range []int64{100, 101} { // the factory refuses a twin
		d.createLate(job, data, steps)
	}
	d.settle(job, classifierv1alpha1.ReasonPublished)
	states := map[mistral.JobStatus]int{}
	for _, remote := range d.remoteJobs() {
		states[remote.Status]++
	}
	if states[mistral.JobSuccess] != 1 || states[mistral.JobCancelled] != 1 {
		t.Errorf("the jobs ended as %v", states)
	}
}

func isFinished(job *classifierv1alpha1.ClassifierTrainingJob) bool {
	return newJobScope(job).isFinished()
}

// loseAnswer lets one request through and breaks the connection in place of its answer.
func (s *testFactory) loseAnswer(method, path string, lost *atomic.Bool) {
	interfere := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		if r.Method == method && r.URL.Path == path && lost.CompareAndSwap(false, true) {
			real.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		real.ServeHTTP(w, r)
	}
	s.interfere.Store(&interfere)
}
