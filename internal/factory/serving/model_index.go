package serving

import (
	"context"
	"maps"
	"sync"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// modelIndex remembers of models what every classification asks for: the database
// takes as long for it as the engine for a text. This process is the only one that
// writes, so that forgetting what it changes keeps the index true.
type modelIndex struct {
	read    func(ctx context.Context, tenant, id string) (store.ServedModel, error)
	mutex   sync.RWMutex
	changes int
	entries map[modelKey]store.ServedModel
}

func newModelIndex(read func(ctx context.Context, tenant, id string) (store.ServedModel, error)) *modelIndex {
	return &modelIndex{read: read, entries: map[modelKey]store.ServedModel{}}
}

type modelKey struct{ tenant, id string }

// find reads a model that it does not know. What does not exist is not remembered:
// anybody can ask for any name.
func (i *modelIndex) find(ctx context.Context, tenant, id string) (store.ServedModel, error) {
	key := modelKey{tenant, id}
	i.mutex.RLock()
	known, ok := i.entries[key]
	changes := i.changes
	i.mutex.RUnlock()
	if ok {
		return known, nil
	}
	found, err := i.read(ctx, tenant, id)
	if err == nil {
		i.remember(key, found, changes)
	}
	return found, err
}

// remember keeps what was read, unless something has changed since: it may have
// been read before that.
func (i *modelIndex) remember(key modelKey, found store.ServedModel, changes int) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.changes == changes {
		i.entries[key] = found
	}
}

// forget is called when a model may have changed, before anybody is told. It is forgotten
// for all tenants: several have one that is inherited.
func (i *modelIndex) forget(_, id string) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.changes++
	maps.DeleteFunc(i.entries, func(key modelKey, _ store.ServedModel) bool { return key.id == id })
}
