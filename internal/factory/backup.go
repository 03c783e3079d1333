package factory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// backupAttempts is how often a backup is begun anew because bytes that the
// database still referred to were deleted before they were copied.
const backupAttempts = 5

// Backup copies the directory of a factory, which may be running, to a new
// directory that another factory can be opened in. It is as of one moment; while
// destination is not there, it is not complete.
func Backup(ctx context.Context, directory, destination string) error {
	if _, err := os.Stat(filepath.Join(directory, databaseName)); err != nil {
		return fmt.Errorf("nothing to back up: %w", err)
	}
	if _, err := os.Stat(destination); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: a backup takes a new directory", destination)
	}
	partial := destination + ".partial"
	for range backupAttempts {
		err := backUp(ctx, directory, partial)
		if errors.Is(err, fs.ErrNotExist) {
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
	return errors.Join(errors.New("bytes that the database refers to are missing"), os.RemoveAll(partial))
}

// backUp copies the database first: what it refers to was there then, and bytes
// never change. fs.ErrNotExist says that some were deleted meanwhile.
func backUp(ctx context.Context, directory, partial string) error {
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	if err := os.MkdirAll(partial, 0o700); err != nil {
		return err
	}
	digests, err := copyDatabase(ctx, filepath.Join(directory, databaseName), filepath.Join(partial, databaseName))
	if err != nil {
		return err
	}
	if err := blob.In(directory).CopyTo(ctx, blob.In(partial), digests); err != nil {
		return err
	}
	return blob.SyncDirectory(partial)
}

// referredDigests are those of all bytes that must be there.
const referredDigests = `
	SELECT digest FROM files UNION SELECT digest FROM models
	UNION SELECT input.value ->> 'digest' FROM jobs, json_each(jobs.inputs) AS input WHERE jobs.status IN (` + unfinishedStatuses + `)`

// copyDatabase copies SQLite as of one moment and returns what it refers to.
func copyDatabase(ctx context.Context, from, to string) ([]string, error) {
	source, err := openDatabase(from, "_txlock=deferred")
	if err != nil {
		return nil, err
	}
	_, err = source.ExecContext(ctx, `VACUUM INTO ?`, to)
	if err := errors.Join(err, source.Close()); err != nil {
		return nil, fmt.Errorf("copy the database: %w", err)
	}
	if err := syncFile(to); err != nil {
		return nil, err
	}
	snapshot, err := sql.Open("sqlite", to)
	if err != nil {
		return nil, err
	}
	digests, err := collect(ctx, snapshot, scanString, referredDigests)
	return digests, errors.Join(err, snapshot.Close())
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
