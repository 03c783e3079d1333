package faults

import (
	"context"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// deletionTimes are when objects were first seen deleted, in the worlds' time: the
// API server's clock must not lag behind the operators'. Whichever way an operator
// reads an object, it sees these.
var deletionTimes sync.Map

func setDeletionTime(object any) {
	if seen, ok := object.(client.Object); ok && seen.GetDeletionTimestamp() != nil {
		first, _ := deletionTimes.LoadOrStore(seen.GetUID(), metav1.NewTime(worldClock.Now()))
		seen.SetDeletionTimestamp(new(first.(metav1.Time)))
	}
}

func transformInWorldTime(transform toolscache.TransformFunc) toolscache.TransformFunc {
	return func(object any) (any, error) {
		object, err := transform(object)
		setDeletionTime(object)
		return object, err
	}
}

// managerInWorldTime reads past the cache in the worlds' time, too.
type managerInWorldTime struct{ ctrl.Manager }

func (m managerInWorldTime) GetAPIReader() client.Reader {
	return readerInWorldTime{m.Manager.GetAPIReader()}
}

type readerInWorldTime struct{ client.Reader }

func (r readerInWorldTime) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	err := r.Reader.Get(ctx, key, object, options...)
	setDeletionTime(object)
	return err
}

// TestDeletionThatTheCacheHasNotHeardOf lets a dataset's look at its files, which no watch
// causes, be the first to meet its deletion. It has as long to clean up as any other.
func TestDeletionThatTheCacheHasNotHeardOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.judge = script{{to: remote, path: "GET /v1/files", first: 2, last: 3, fault: fault{kind: fail}}}.judge
	w.startOperator()
	dataset := w.dataset("data")
	dataset.Spec.RefreshIntervalSeconds = 60
	w.Create(dataset)
	w.waitUntil(dataset, classifierv1alpha1.ConditionReady)
	w.staleUntil.Store(time.Now().Add(2 * time.Minute / speed).UnixNano())
	w.remove(dataset)
	if err := w.orphans(); err != nil {
		t.Error(err)
	}
}
