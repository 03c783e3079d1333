package controller

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/classifier-factory/classifier-factory/internal/turns"
)

const (
	// workers mostly wait for the network: there are as many as may wait at a time.
	workers = 128
	// namespaceWorkers is how many of them are one namespace's at most, however many of
	// its servers are slow. It is more than its slow servers, preparations and uploads can
	// hold together, and few enough for a namespace with many objects not to fill the API
	// server's line, in which everybody's writes stand.
	namespaceWorkers = 8
	// Preparations are bounded by their memory, some 20 MiB each, and the disk; uploads
	// by the factory's load. One namespace, whose storage or factory may be slow, gets a
	// quarter of either.
	maxPreparations          = 8
	maxNamespacePreparations = 2
	maxUploads               = 8
	maxNamespaceUploads      = 2
)

// alarm wakes objects of a controller up: it adds them to the controller's queue.
type alarm struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// accept is a source of the controller. It keeps its queue.
func (a *alarm) accept(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queue = queue
	return nil
}

// of is what wakes an object up.
func (a *alarm) of(object types.NamespacedName) func() {
	return func() {
		a.mu.Lock()
		queue := a.queue
		a.mu.Unlock()
		if queue != nil {
			queue.Add(reconcile.Request{NamespacedName: object})
		}
	}
}

// fairly lets a reconciler's workers be shared out among the namespaces.
type fairly struct {
	next    reconcile.Reconciler
	workers *turns.Line
	alarm   *alarm
}

func newFairly(next reconcile.Reconciler, alarm *alarm) *fairly {
	return &fairly{next: next, workers: turns.NewSlots(workers, namespaceWorkers), alarm: alarm}
}

// Reconcile implements reconcile.Reconciler. Whose turn it is not is woken later.
func (f *fairly) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	who := whoOf(request.NamespacedName)
	defer f.workers.Leave(who)
	if !f.workers.Enter(who, 1, f.alarm.of(request.NamespacedName)) {
		return ctrl.Result{}, nil
	}
	return f.next.Reconcile(ctx, request)
}

func whoOf(object types.NamespacedName) turns.Who {
	return turns.Who{Namespace: object.Namespace, Object: object.Name}
}
