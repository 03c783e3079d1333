package factory

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// Key is what is known of a key.
type Key = store.Key

// KeyFilter selects keys.
type KeyFilter = store.KeyFilter

// Page is a part of a list.
type Page = store.Page

// ErrNotFound says that there is no such key.
var ErrNotFound = store.ErrNotFound

// ParseScopes reads names of scopes.
func ParseScopes(names []string) (store.Scopes, error) { return store.ParseScopes(names) }

// Keys are those in a location's database.
type Keys struct {
	*store.Store
	close func() error
}

// OpenKeys opens the keys of a location, be it that a factory is using it. Where there are
// none yet, it can be told to make room for them, as the factory would when it starts.
func OpenKeys(ctx context.Context, at Location, makeRoom bool) (*Keys, error) {
	if at.Directory == "" {
		return nil, errors.New("no --data-dir, the directory of the factory")
	}
	opened, err := store.OpenKeys(ctx, at)
	if err == nil {
		return &Keys{opened, func() error { return nil }}, nil
	}
	if !makeRoom || !errors.Is(err, store.ErrNoKeys) {
		return nil, fmt.Errorf("%s: %w", at.Directory, err)
	}
	opened, blobs, lock, err := openDirectory(ctx, at)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("%s is in use by a factory of an earlier version; restart it with this one first", at.Directory)
	}
	if err != nil {
		return nil, err
	}
	return &Keys{opened, func() error { return errors.Join(blobs.Close(), lock.release()) }}, nil
}

// Close lets go of the directory.
func (k *Keys) Close() error { return errors.Join(k.Store.Close(), k.close()) }

// requireKeys refuses a server that nobody could use.
func (c *Config) requireKeys(ctx context.Context, stored *store.Store) error {
	if len(c.APIKeys) > 0 || c.InsecureNoAuth {
		return nil
	}
	has, err := stored.HasKeys(ctx)
	if err == nil && !has {
		err = errors.New("no API keys: without one nobody could use the server; set FACTORY_API_KEY, or create one with factory key create")
	}
	return err
}
