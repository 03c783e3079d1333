package factory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// Moved is what was brought from one location to another.
type Moved = store.Moved

// Migrate moves a factory with SQLite, which must not be running, to PostgreSQL, and its bytes to
// the bucket that is named, or else to another directory. Where it was cut off, it goes on. tell
// may be called by several at a time.
func Migrate(ctx context.Context, from, to Location, tell func(what string, done, of int)) (*Moved, error) {
	if _, err := os.Stat(filepath.Join(from.Directory, store.DatabaseName)); err != nil {
		return nil, fmt.Errorf("nothing to migrate: %w; name the directory of a factory with SQLite", err)
	}
	lock, err := lockDirectory(from.Directory)
	if err != nil {
		return nil, explainVolume(from.Directory, err)
	}
	defer func() { _ = lock.release() }() // the kernel would
	if _, err := os.Stat(filepath.Join(from.Directory, "blobs")); errors.Is(err, fs.ErrNotExist) {
		from.BlobURL = to.BlobURL // the bytes are there, and stay
	}
	if to.Directory == "" || isSameFolder(from.Directory, to.Directory) {
		return moveWithin(ctx, from, to, tell)
	}
	return moveTo(ctx, from, to, tell)
}

// moveWithin uses the old directory for bytes that are on their way.
func moveWithin(ctx context.Context, from, to Location, tell func(what string, done, of int)) (*Moved, error) {
	if to.BlobURL == "" {
		return nil, errors.New("the bytes need a place that is new: name an empty directory with --data-dir, or a bucket with --blob-url")
	}
	to.Directory = from.Directory
	moved, err := from.MoveTo(ctx, to, tell)
	return moved, explainVolume(from.Directory, err)
}

func moveTo(ctx context.Context, from, to Location, tell func(what string, done, of int)) (*Moved, error) {
	if err := os.MkdirAll(to.Directory, 0o700); err != nil {
		return nil, explainVolume(to.Directory, err)
	}
	lock, err := lockDirectory(to.Directory)
	if err != nil {
		return nil, explainVolume(to.Directory, err)
	}
	defer func() { _ = lock.release() }()
	moved, err := from.MoveTo(ctx, to, tell)
	return moved, explainVolume(to.Directory, err)
}

func isSameFolder(one, other string) bool {
	a, errOne := os.Stat(one)
	b, errOther := os.Stat(other)
	return errOne == nil && errOther == nil && os.SameFile(a, b)
}
