package controller

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// backingOff is a job whose first training broke off, and that waits for the only
// other try.
func backingOff(t *testing.T) (*driver, *classifierv1alpha1.ClassifierTrainingJob) {
	t.Helper()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.BackoffLimit = new(int32(1))
	d.Create(job)
	d.breakOff()
	d.settle(job, classifierv1alpha1.ReasonBackingOff)
	return d, job
}

// TestBrokenOffTrainingIsTriedAgain follows a job whose first training breaks off.
func TestBrokenOffTrainingIsTriedAgain(t *testing.T) {
	t.Parallel()
	d, job := backingOff(t)
	first, failedAt := *job.Status.Attempt, job.Status.Failures[0].Time
	if meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionStarted) {
		t.Error("the job is Started while it waits for its next try")
	}

	d = d.restarted()
	d.jobs.clock = testclock.NewFakePassiveClock(failedAt.Add(minBackoff - time.Second))
	d.settle(job, classifierv1alpha1.ReasonBackingOff)
	if jobs := d.remoteJobs(); len(jobs) != 1 {
		t.Fatalf("the pause did not survive a restart: %d jobs", len(jobs))
	}

	broken := job.Status.RemoteJob.ID
	distortJobs(d.factory, func(job map[string]any) {
		if job["id"] == broken {
			job["status"], job["fine_tuned_model"] = mistral.JobFailed, nil
		}
	})
	d.jobs.clock = testclock.NewFakePassiveClock(failedAt.Add(minBackoff))
	d.settle(job, classifierv1alpha1.ReasonPublished)
	second := *job.Status.Attempt
	if second.Number != 2 || second.Marker == first.Marker {
		t.Errorf("the second try is %+v after %+v", second, first)
	}
	if failures := job.Status.Failures; len(failures) != 1 || failures[0].Attempt != 1 {
		t.Errorf("the failures are %+v", failures)
	}
	if jobs := d.remoteJobs(); len(jobs) != 2 {
		t.Errorf("the factory has %d jobs for two tries", len(jobs))
	}
	if !meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionComplete) {
		t.Errorf("the conditions are %+v", job.Status.Conditions)
	}
}

// TestRetryIsFollowedAtOnce holds that the pass which creates the second job leaves
// something behind that will wake the object up, and nothing that the first one told.
func TestRetryIsFollowedAtOnce(t *testing.T) {
	t.Parallel()
	d, job := backingOff(t)
	if status := job.Status; status.Cost == nil || status.Progress == nil || status.LossHistory == nil || status.TrainedTokens == nil {
		t.Fatalf("the first job told nothing: %+v", status)
	}
	d.jobs.clock = testclock.NewFakePassiveClock(job.Status.Failures[0].Time.Add(minBackoff))
	if _, err := d.pass(job); err != nil {
		t.Fatal(err)
	}
	d.Get("job", job)
	if watched := d.jobs.watched[client.ObjectKeyFromObject(job)]; job.Status.Attempt.Number != 2 || watched.id != job.Status.RemoteJob.ID {
		t.Errorf("%s is followed, and not the job of the try %+v", watched.id, job.Status.Attempt)
	}
	if status := job.Status; status.Cost != nil || status.Progress != nil || status.LossHistory != nil || status.TrainedTokens != nil {
		t.Errorf("this is the first job's: %+v", status)
	}
}

// TestTriesEnd holds what is not tried again, and for how long it is.
func TestTriesEnd(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		end     mistral.JobStatus
		limit   int32
		reason  string
		tries   int
		because string
	}{
		{"no retries", mistral.JobFailed, 0, classifierv1alpha1.ReasonTrainingFailed, 1, "there are none by default"},
		{"one retry", mistral.JobFailed, 1, classifierv1alpha1.ReasonTrainingFailed, 2, "the limit is reached"},
		{"invalid", mistral.JobFailedValidation, 3, classifierv1alpha1.ReasonValidationFailed, 1, "the same data is as invalid"},
		{"cancelled", mistral.JobCancelled, 3, classifierv1alpha1.ReasonCancelled, 1, "somebody wanted it so"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			d.ready(d.inlineDataset("data", sentiments(20)))
			job := driven(d.trainingJob("job", "data"))
			job.Spec.BackoffLimit = &test.limit
			d.Create(job)
			distortJobs(d.factory, func(job map[string]any) {
				if job["status"] == string(mistral.JobSuccess) {
					job["status"], job["fine_tuned_model"] = test.end, nil
				}
			})
			d.jobs.clock = testclock.NewFakePassiveClock(time.Now())
			for range test.tries - 1 {
				d.settle(job, classifierv1alpha1.ReasonBackingOff)
				d.jobs.clock = testclock.NewFakePassiveClock(d.jobs.clock.Now().Add(maxBackoff))
			}
			d.settle(job, test.reason)
			if !meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionFailed) {
				t.Errorf("the conditions are %+v", job.Status.Conditions)
			}
			if jobs := d.remoteJobs(); len(jobs) != test.tries || len(job.Status.Failures) != test.tries {
				t.Errorf("%d jobs and %d failures, but %s", len(jobs), len(job.Status.Failures), test.because)
			}
		})
	}
}

// TestRefusedRetryLeavesTheFirstTry holds that a factory that refuses the second
// job does not make the object forget its first.
func TestRefusedRetryLeavesTheFirstTry(t *testing.T) {
	t.Parallel()
	d, job := backingOff(t)
	first := *job.Status.RemoteJob
	d.factory.answer("POST", "/v1/fine_tuning/jobs", 422)
	d.jobs.clock = testclock.NewFakePassiveClock(job.Status.Failures[0].Time.Add(minBackoff))
	d.settle(job, classifierv1alpha1.ReasonRejected)
	if job.Status.Attempt.Number != 1 || job.Status.RemoteJob == nil || job.Status.RemoteJob.ID != first.ID {
		t.Errorf("the try is %+v with the job %+v", job.Status.Attempt, job.Status.RemoteJob)
	}
}

func TestBackoffDoublesUpToItsLimit(t *testing.T) {
	t.Parallel()
	for tries, want := range map[int32]time.Duration{
		1: 10 * time.Second, 2: 20 * time.Second, 3: 40 * time.Second, 6: 320 * time.Second, 7: 6 * time.Minute, 10: 6 * time.Minute,
	} {
		if got := backoff(tries); got != want {
			t.Errorf("after %d tries: %s, want %s", tries, got, want)
		}
	}
}

// TestUnusableModelEndsTheJob holds that an ID that no status can hold is not
// waited for to change.
func TestUnusableModelEndsTheJob(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	d.Create(job)
	d.factory.distort("/v1/fine_tuning/jobs/", func(job map[string]any) {
		if job["status"] == string(mistral.JobSuccess) {
			job["fine_tuned_model"] = strings.Repeat("m", maxModelIDLength+1)
		}
	})
	d.settle(job, classifierv1alpha1.ReasonModelUnusable)
	if !meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionFinished) {
		t.Errorf("the conditions are %+v", job.Status.Conditions)
	}
}

// TestCauseIsWhatIsSafeToShow holds what of a factory's events reaches a condition.
func TestCauseIsWhatIsSafeToShow(t *testing.T) {
	t.Parallel()
	event := func(createdAt int64, data string) mistral.Event {
		return mistral.Event{Name: mistral.EventStatusUpdated, Data: json.RawMessage(data), CreatedAt: createdAt}
	}
	for _, test := range []struct {
		name   string
		events []mistral.Event
		want   string
	}{
		{"nothing said", nil, " (FAILED_VALIDATION)"},
		{"a code", []mistral.Event{event(1, `{"status":"FAILED_VALIDATION","code":"InvalidSamples"}`)}, " (FAILED_VALIDATION: InvalidSamples)"},
		{"lines", []mistral.Event{event(1, `{"status":"FAILED_VALIDATION","code":"InvalidSamples","invalid_samples":7,"lines":[3,9]}`)},
			" (FAILED_VALIDATION: InvalidSamples, 7 invalid samples, the first on lines 3, 9)"},
		{"a sentence, which may repeat a sample", []mistral.Event{event(1, `{"status":"FAILED_VALIDATION","error":"my secret text is bad"}`)}, " (FAILED_VALIDATION)"},
		{"a sentence for a code", []mistral.Event{event(1, `{"status":"FAILED_VALIDATION","code":"my secret text"}`)}, " (FAILED_VALIDATION)"},
		{"another code", []mistral.Event{event(1, `{"status":"FAILED_VALIDATION","code":"InvalidUTF8"}`)}, " (FAILED_VALIDATION: InvalidUTF8)"},
		{"a key for a code", []mistral.Event{event(1, `{"status":"FAILED_VALIDATION","code":"QK3VZ7NHJ2CXWTPA5RLYEM4D6B"}`)}, " (FAILED_VALIDATION)"},
		{"another key", []mistral.Event{event(1, `{"status":"FAILED_VALIDATION","code":"a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"}`)}, " (FAILED_VALIDATION)"},
		{"newest first", []mistral.Event{
			event(2, `{"status":"FAILED_VALIDATION","code":"Second"}`), event(1, `{"status":"VALIDATING","code":"First"}`),
		}, " (FAILED_VALIDATION: Second)"},
		{"other events", []mistral.Event{event(1, `{"status":"FAILED_VALIDATION","code":"Known"}`), event(2, `null`), event(3, `"text"`), event(4, `{"step":4}`)},
			" (FAILED_VALIDATION: Known)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			scope := newJobScope(&classifierv1alpha1.ClassifierTrainingJob{})
			scope.status.RemoteJob = &classifierv1alpha1.RemoteJob{ID: "id", State: string(mistral.JobFailedValidation)}
			scope.remote = &mistral.DetailedJob{Events: test.events}
			if got := scope.cause(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestAdoptedJobSaysWhyItFailed loses the answer to the creation of a job that the
// factory then finds unfit. The list by which it is found does not say why.
func TestAdoptedJobSaysWhyItFailed(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.Training.Targets = []classifierv1alpha1.TrainingTarget{{Name: "sentiment", Labels: []string{"happy", "sad"}}}
	d.Create(job)
	var lost atomic.Bool
	d.factory.loseAnswer(http.MethodPost, "/v1/fine_tuning/jobs", &lost)
	_, _ = d.pass(job)
	d = d.restarted()
	d.Eventually("waiting for the factory to end it", func() error { return equal("state", d.remoteJobs()[0].Status, mistral.JobFailedValidation) })
	d.settle(job, classifierv1alpha1.ReasonValidationFailed)
	if failed := controllertest.Condition(job, classifierv1alpha1.ConditionFailed); !strings.Contains(failed.Message, string(mistral.JobFailedValidation)+": ") {
		t.Errorf("the message has no code: %s", failed.Message)
	}
}

// retryLost is a job of whose second try the factory's answer was lost.
func retryLost(t *testing.T) (*driver, *classifierv1alpha1.ClassifierTrainingJob) {
	t.Helper()
	d, job := backingOff(t)
	var lost atomic.Bool
	d.factory.loseAnswer(http.MethodPost, "/v1/fine_tuning/jobs", &lost)
	d.jobs.clock = testclock.NewFakePassiveClock(job.Status.Failures[0].Time.Add(minBackoff))
	_, _ = d.pass(job)
	d.Get("job", job)
	return d, job
}

// TestLostRetryIsFoundAndToldOf loses the answer to the creation of the second
// try's job. Until that is found nothing speaks of the pause before it.
func TestLostRetryIsFoundAndToldOf(t *testing.T) {
	t.Parallel()
	d, job := retryLost(t)
	if job.Status.Attempt.Number != 2 || job.Status.RemoteJob != nil {
		t.Fatalf("the try is %+v with the job %+v", job.Status.Attempt, job.Status.RemoteJob)
	}
	for _, condition := range controllertest.Conditions(job) {
		if condition.Reason == classifierv1alpha1.ReasonBackingOff {
			t.Errorf("the pause is over, but this speaks of it: %+v", condition)
		}
	}
	d = d.restarted()
	d.settle(job, classifierv1alpha1.ReasonPublished)
	if jobs := d.remoteJobs(); len(jobs) != 2 {
		t.Errorf("the factory has %d jobs for two tries", len(jobs))
	}
}

// TestDeletionDuringARetry deletes an object while its second try is under way: it
// is the second job that must be cancelled.
func TestDeletionDuringARetry(t *testing.T) {
	t.Parallel()
	d, job := retryLost(t)
	d = d.restarted()
	d.Delete(job)
	d.passUntilGone(job)
	states := map[mistral.JobStatus]int{}
	for _, remote := range d.remoteJobs() {
		states[remote.Status]++
	}
	if states[mistral.JobSuccess] != 1 || states[mistral.JobCancelled] != 1 {
		t.Errorf("the jobs are %v", states)
	}
}
