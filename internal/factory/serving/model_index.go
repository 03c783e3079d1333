package serving

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// indexLifetime is how long is remembered what another process may have changed meanwhile
// without that this one was told. What this process changes is forgotten at once.
const indexLifetime = time.Second

// modelIndex remembers of models what every classification asks for: the database
// takes as long for it as the engine for a text.
type modelIndex struct {
	now     func() time.Time
	read    func(ctx context.Context, tenant, id string) (store.ServedModel, error)
	mutex   sync.RWMutex
	changes int
	entries map[modelKey]indexedModel
}

type indexedModel struct {
	store.ServedModel
	readAt time.Time
}

func newModelIndex(read func(ctx context.Context, tenant, id string) (store.ServedModel, error), clock func() time.Time) *modelIndex {
	return &modelIndex{now: clock, read: read, entries: map[modelKey]indexedModel{}}
}

type modelKey struct{ tenant, id string }

// find reads a model that it does not know. What does not exist is not remembered:
// anybody can ask for any name. While the database is away, nobody can change what is known.
func (i *modelIndex) find(ctx context.Context, tenant, id string) (store.ServedModel, error) {
	key := modelKey{tenant, id}
	i.mutex.RLock()
	known, ok := i.entries[key]
	changes := i.changes
	i.mutex.RUnlock()
	now := i.now()
	if age := now.Sub(known.readAt); ok && age >= 0 && age < indexLifetime {
		return known.ServedModel, nil
	}
	found, err := i.read(ctx, tenant, id)
	if err == nil {
		i.remember(key, indexedModel{found, now}, changes)
	}
	if ok && store.IsUnavailable(err) {
		return known.ServedModel, nil
	}
	return found, err
}

// remember keeps what was read, unless something has changed since: it may have
// been read before that.
func (i *modelIndex) remember(key modelKey, found indexedModel, changes int) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.changes == changes {
		i.entries[key] = found
	}
}

// forget forgets what is known of models by their IDs.
func (i *modelIndex) forget(changed func(id string) bool) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.changes++
	maps.DeleteFunc(i.entries, func(key modelKey, _ indexedModel) bool { return changed(key.id) })
}
