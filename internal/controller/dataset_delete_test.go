package controller

import (
	"net/http"
	"testing"
	"time"

	testclock "k8s.io/utils/clock/testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestDeletionDoesNotWaitAsLongAsTheFactorySays holds that a factory which asks
// for a day's patience does not keep a namespace for a day.
func TestDeletionDoesNotWaitAsLongAsTheFactorySays(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	data := d.inlineDataset("other", sentiments(4))
	d.ready(data)
	job := driven(d.trainingJob("job", "data"))
	job.Spec.Suspend = new(true)
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonSuspended)
	interfere := func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Retry-After", "86400")
		http.Error(w, `{"detail":"scripted"}`, http.StatusTooManyRequests)
	}
	d.factory.interfere.Store(&interfere)
	d.Delete(data)
	d.Delete(job)
	for range 2 { // the second one finds the connection closed
		if result, err := d.pass(data); err != nil || result.RequeueAfter == 0 || result.RequeueAfter > cleanupBudget {
			t.Errorf("the dataset is looked at again after %s: %v", result.RequeueAfter, err)
		}
		if result, err := d.pass(job); err != nil || result.RequeueAfter == 0 || result.RequeueAfter > cleanupBudget {
			t.Errorf("the job is looked at again after %s: %v", result.RequeueAfter, err)
		}
	}
	over := testclock.NewFakeClock(time.Now().Add(cleanupBudget + time.Second))
	d.datasets.clock, d.jobs.clock = over, over
	d.passUntilGone(data)
	d.passUntilGone(job)
	if err := containsReason(d.told(), classifierv1alpha1.ReasonDeletionIncomplete, 2); err != nil {
		t.Error(err)
	}
}

// TestDeletedDatasetsAreForgotten deletes datasets that never got to the factory: what
// is remembered of them may be all their samples.
func TestDeletedDatasetsAreForgotten(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	for _, samples := range []string{"no JSON", sentiments(4)} {
		data := driven(d.inlineDataset("data", samples))
		d.Create(data)
		for range 2 {
			_, _ = d.pass(data)
		}
		d.Delete(data)
		d.passUntilGone(data)
		_, _ = d.pass(data) // for the event that it is gone
		if got := len(d.datasets.looks.entries); got != 0 {
			t.Errorf("%d looks are remembered", got)
		}
	}
}
