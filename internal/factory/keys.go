package factory

import (
	"context"
	"errors"
	"fmt"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// Keys are those in a directory's database.
type Keys struct {
	*store.Store
	close func() error
}

// OpenKeys opens the keys of a directory, be it that a factory is using it. Where there is
// none yet, or one of an earlier version, it does first what the factory would do.
func OpenKeys(ctx context.Context, directory string) (*Keys, error) {
	if directory == "" {
		return nil, errors.New("no --data-dir, the directory of the factory")
	}
	opened, err := store.OpenKeys(ctx, directory)
	if !errors.Is(err, store.ErrNoKeys) {
		return &Keys{opened, func() error { return nil }}, err
	}
	opened, _, lock, err := openDirectory(ctx, directory)
	if err != nil {
		return nil, fmt.Errorf("%w; if it is of an earlier version than this program, restart it with this one first", err)
	}
	return &Keys{opened, lock.release}, nil
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
