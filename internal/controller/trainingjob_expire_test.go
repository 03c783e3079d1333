package controller

import (
	"context"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	testclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestFinishedJobIsDeletedAfterItsTime follows ttlSecondsAfterFinished to the end.
func TestFinishedJobIsDeletedAfterItsTime(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.TTLSecondsAfterFinished = new(int32(3600))
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	result, err := d.pass(job)
	if err != nil || result.RequeueAfter == 0 || result.RequeueAfter > time.Hour {
		t.Errorf("it is looked at again after %s: %v", result.RequeueAfter, err)
	}
	d.jobs.clock = testclock.NewFakePassiveClock(job.Status.CompletionTime.Add(59 * time.Minute))
	_, _ = d.pass(job)
	d.Get("job", job)
	if job.DeletionTimestamp != nil {
		t.Fatal("the object was deleted too early")
	}
	d.jobs.clock = testclock.NewFakePassiveClock(job.Status.CompletionTime.Add(time.Hour))
	d.passUntilGone(job)
}

// TestEndIsToldBeforeTheObjectGoes holds that whoever waits for Finished sees it,
// even if the object is to be deleted at once.
func TestEndIsToldBeforeTheObjectGoes(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.TTLSecondsAfterFinished = new(int32(0))
	d.Create(job)
	var last ctrl.Result
	d.Eventually("waiting for its end", func() error {
		last, _ = d.pass(job)
		d.Get("job", job)
		d.refresh(job)
		return equal("finished", isFinished(job), true)
	})
	if last.RequeueAfter == 0 || last.RequeueAfter > time.Second {
		t.Errorf("it is looked at again after %s", last.RequeueAfter)
	}
	d.passUntilGone(job)
}

// TestTakenBackLimitKeepsTheObject edits the object just before the operator, that
// has not seen it, deletes it.
func TestTakenBackLimitKeepsTheObject(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.TTLSecondsAfterFinished = new(int32(3600))
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	d.jobs.client = interceptor.NewClient(d.jobs.client.(client.WithWatch), interceptor.Funcs{
		Delete: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.DeleteOption) error {
			d.Edit(job, func() { job.Spec.TTLSecondsAfterFinished = nil })
			err := c.Delete(ctx, object, options...)
			if !apierrors.IsConflict(err) {
				t.Errorf("the deletion was no conflict: %v", err)
			}
			return err
		},
	})
	d.jobs.clock = testclock.NewFakePassiveClock(job.Status.CompletionTime.Add(2 * time.Hour))
	_, _ = d.pass(job)
	d.settle(job, classifierv1alpha1.ReasonPublished)
}
