package controller

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
)

// maxKept bounds the files that are open for passes that wait.
const maxKept = 256

// keptSamples are on disk for passes that wait for their turn for a moment, so that they
// are not read again.
type keptSamples struct {
	mu sync.Mutex
	of map[types.NamespacedName]preparedSamples
}

// preparedSamples are what came of a source.
type preparedSamples struct {
	revision    string
	prepared    *dataset.Prepared
	room        *room
	sourceBytes int64 // decompressed
}

// keep keeps what a pass has on disk, if there is room for more.
func (k *keptSamples) keep(scope *datasetScope) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.of) >= maxKept {
		return false
	}
	if k.of == nil {
		k.of = map[types.NamespacedName]preparedSamples{}
	}
	k.of[scope.name()] = preparedSamples{scope.revision(), scope.prepared, scope.room, scope.sourceBytes}
	return true
}

// restore gives a pass what an earlier one had, unless the source has changed.
func (k *keptSamples) restore(scope *datasetScope) bool {
	k.mu.Lock()
	kept, ok := k.of[scope.name()]
	if ok = ok && kept.revision == scope.revision(); ok {
		delete(k.of, scope.name())
	}
	k.mu.Unlock()
	if ok {
		scope.prepared, scope.room, scope.sourceBytes = kept.prepared, kept.room, kept.sourceBytes
	}
	return ok
}

// drop removes what nobody came back for, and reports whether there was any.
func (k *keptSamples) drop(name types.NamespacedName) bool {
	k.mu.Lock()
	kept, ok := k.of[name]
	delete(k.of, name)
	k.mu.Unlock()
	if ok {
		// The files have no names any more: there is nothing to be done about an error.
		_ = kept.prepared.Close()
	}
	return ok
}
