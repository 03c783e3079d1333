package factory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// backupAttempts is how often a backup is begun anew because bytes that the
// database still referred to were deleted before they were copied.
const backupAttempts = 5

// Backup copies a factory with SQLite, which may be running, to a new directory that
// another factory can be opened in; of one with a bucket the bytes, too. It is as of one
// moment; while destination is not there, it is not complete.
func Backup(ctx context.Context, at Location, destination string) error {
	if _, err := os.Stat(filepath.Join(at.Directory, store.DatabaseName)); err != nil {
		return fmt.Errorf("nothing to back up: %w; facts in PostgreSQL are backed up by pg_dump", err)
	}
	if err := at.Admit(ctx); err != nil {
		return fmt.Errorf("a backup of this would be of no use: %w", err)
	}
	if _, err := os.Stat(destination); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: a backup takes a new directory", destination)
	}
	partial := destination + ".partial"
	var missing error
	for range backupAttempts {
		err := backUp(ctx, at, partial)
		if errors.Is(err, fs.ErrNotExist) {
			missing = err
			continue
		}
		if err != nil {
			return errors.Join(err, os.RemoveAll(partial))
		}
		if err := os.Rename(partial, destination); err != nil {
			return err
		}
		return blob.SyncDirectory(filepath.Dir(destination))
	}
	return errors.Join(fmt.Errorf("%w, and the database refers to them: run factory verify", missing), os.RemoveAll(partial))
}

// backUp copies the database first: what it refers to was there then, and bytes
// never change. fs.ErrNotExist says that some were deleted meanwhile.
func backUp(ctx context.Context, at Location, partial string) error {
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	if err := os.MkdirAll(partial, 0o700); err != nil {
		return err
	}
	digests, err := store.CopyDatabase(ctx, at.Directory, partial)
	if err != nil {
		return err
	}
	from, err := at.Blobs().Look(ctx)
	if err != nil {
		return err
	}
	err = blob.CopyTo(ctx, blob.In(partial), from, digests)
	if err := errors.Join(err, from.Close()); err != nil {
		return err
	}
	if err := blob.SyncDirectory(partial); err != nil {
		return err
	}
	report, err := Location{Directory: partial}.Verify(ctx)
	if err == nil && len(report.Problems) > 0 {
		err = fmt.Errorf("the copy is not sound: %s", report.Problems[0])
	}
	return err
}
