package api

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// KeyLifetime is how long a key is remembered that another process may have revoked
// meanwhile without that this one was told. What this process revokes is forgotten at once.
const KeyLifetime = time.Second

// maxCachedKeys bounds the memory for keys; the next one begins anew.
const maxCachedKeys = 10_000

// keyCache remembers keys of the store: the database takes as long to find one as the
// engine for a text. What is no key is not remembered: anybody can send anything.
type keyCache struct {
	read    func(ctx context.Context, secret string) (store.Key, error)
	mutex   sync.RWMutex
	changes int
	entries map[[sha256.Size]byte]cachedKey // by the hash of their secret
}

type cachedKey struct {
	store.Key
	readAt time.Time
}

func newKeyCache(read func(context.Context, string) (store.Key, error)) *keyCache {
	return &keyCache{read: read, entries: map[[sha256.Size]byte]cachedKey{}}
}

func (c *keyCache) find(ctx context.Context, secret string, hash [sha256.Size]byte, now time.Time) (store.Key, error) {
	c.mutex.RLock()
	known, ok := c.entries[hash]
	changes := c.changes
	c.mutex.RUnlock()
	if age := now.Sub(known.readAt); ok && age >= 0 && age < KeyLifetime {
		return known.Key, nil
	}
	found, err := c.read(ctx, secret)
	if err == nil {
		c.remember(hash, cachedKey{found, now}, changes)
	}
	return found, err
}

// remember keeps what was read, unless something has changed since: it may have been read
// before that.
func (c *keyCache) remember(hash [sha256.Size]byte, found cachedKey, changes int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.changes != changes {
		return
	}
	if len(c.entries) >= maxCachedKeys {
		clear(c.entries)
	}
	c.entries[hash] = found
}

// forget is called when a key was revoked, before anybody is told.
func (c *keyCache) forget() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.changes++
	clear(c.entries)
}

// ForgetKeys is called when another process may have revoked one.
func (s *Server) ForgetKeys() { s.storedKeys.forget() }
