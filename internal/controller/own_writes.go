package controller

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// ownWrites keeps a pass from an object as it was before the operator's own last write.
// Watches of a busy API server lag by seconds: such a pass would end in a conflict, and
// so would the next one.
type ownWrites struct {
	mu      sync.Mutex
	written map[types.NamespacedName]*ownWrite
}

// ownWrite is one that the cache has not told of yet.
type ownWrite struct {
	uid     types.UID
	version string
	awaited bool // by a pass that was put off
}

// get reads an object from a cache, and reports whether that lags behind. If so, the
// object is to be woken by news, once it is up to date.
func (w *ownWrites) get(ctx context.Context, cache client.Reader, name types.NamespacedName, object client.Object) (lags bool, err error) {
	if err := cache.Get(ctx, name, object); err != nil {
		w.forget(name)
		return false, err
	}
	if !w.lags(name, object) {
		return false, nil
	}
	// The update may have come before anybody awaited it.
	if err := cache.Get(ctx, name, object); err != nil {
		w.forget(name)
		return false, err
	}
	return w.lags(name, object), nil
}

// note notes the version that a pass has written.
func (w *ownWrites) note(object client.Object, read string) {
	if object.GetResourceVersion() == read {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.written == nil {
		w.written = map[types.NamespacedName]*ownWrite{}
	}
	w.written[client.ObjectKeyFromObject(object)] = &ownWrite{uid: object.GetUID(), version: object.GetResourceVersion()}
}

// lags reports whether an object is older than what was written, which is awaited then.
func (w *ownWrites) lags(name types.NamespacedName, object client.Object) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	own, ok := w.written[name]
	if !ok {
		return false
	}
	if own.awaited = own.uid == object.GetUID() && isBefore(object.GetResourceVersion(), own.version); !own.awaited {
		delete(w.written, name)
	}
	return own.awaited
}

// arrived takes in what the cache has, and reports whether that was awaited.
func (w *ownWrites) arrived(object client.Object) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := client.ObjectKeyFromObject(object)
	own, ok := w.written[name]
	if !ok || own.uid == object.GetUID() && isBefore(object.GetResourceVersion(), own.version) {
		return false
	}
	delete(w.written, name)
	return own.awaited
}

func (w *ownWrites) forget(name types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.written, name)
}

// news passes the update that a pass was put off for.
func (w *ownWrites) news() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(update event.UpdateEvent) bool { return w.arrived(update.ObjectNew) }}
}
