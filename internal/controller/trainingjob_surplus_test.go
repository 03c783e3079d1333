package controller

import (
	"net/http"
	"testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// refuseSearches makes the factory fail when it is asked for the jobs with a suffix, in
// a way that concerns nothing else.
func (s *testFactory) refuseSearches() {
	interfere := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		if r.URL.Query().Has("suffix") {
			http.Error(w, `{"detail":"scripted"}`, http.StatusForbidden)
			return
		}
		real.ServeHTTP(w, r)
	}
	s.interfere.Store(&interfere)
}

// TestSurplusJobIsLookedForUntilAnAnswer creates a second job for a try, of which nobody
// knows, and lets the factory say nothing of it until after the first one's end.
func TestSurplusJobIsLookedForUntilAnAnswer(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := d.inlineDataset("data", sentiments(20))
	d.ready(data)
	job := driven(d.trainingJob("job", "data"))
	d.Create(job)
	if _, err := d.pass(job); err != nil {
		t.Fatal(err)
	}
	d.Get("job", job)
	surplus := d.createLate(job, data, 77)
	d.factory.refuseSearches()
	d.settle(job, classifierv1alpha1.ReasonPublished)
	result, err := d.pass(job)
	if err != nil || result.RequeueAfter == 0 || result.RequeueAfter > slowRetry {
		t.Errorf("it is looked for again after %s: %v", result.RequeueAfter, err)
	}
	if found, err := d.api.GetJob(d.ctx, surplus); err != nil || found.Status.Finished() {
		t.Fatalf("the surplus job is %+v: %v", found, err)
	}

	d.factory.behave()
	if _, err := d.pass(job); err != nil {
		t.Error(err)
	}
	if found, err := d.api.GetJob(d.ctx, surplus); err != nil || found.Status != mistral.JobCancelled {
		t.Errorf("the surplus job is %+v: %v", found, err)
	}
	calls := d.factory.calls.Load()
	if _, err := d.pass(job); err != nil {
		t.Error(err)
	}
	if made := d.factory.calls.Load() - calls; made != 0 {
		t.Errorf("it is looked for again with %d calls", made)
	}
}

// TestFinishedJobGoesWithoutTheFactory deletes a finished object while the factory does
// not answer. Nothing is known to be left, not even a key, so that nobody has to wait or to
// be told.
func TestFinishedJobGoesWithoutTheFactory(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.Output = &classifierv1alpha1.TrainingOutput{APIKey: classifierv1alpha1.OutputAPIKeyNone}
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	d.factory.answer("", "/", http.StatusServiceUnavailable)
	d.told()
	d.Delete(job)
	if _, err := d.pass(job); err != nil {
		t.Error(err)
	}
	d.WaitUntilGone(job)
	if told := d.told(); len(told) != 0 {
		t.Errorf("the events are %q", told)
	}
}
