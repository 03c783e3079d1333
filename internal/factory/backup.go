package factory

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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
		return syncDirectory(filepath.Dir(destination))
	}
	return errors.Join(errors.New("bytes that the database refers to are missing"), os.RemoveAll(partial))
}

// backUp copies the database first: what it refers to was there then, and bytes
// never change. fs.ErrNotExist says that some were deleted meanwhile.
func backUp(ctx context.Context, directory, partial string) error {
	from, to := blobsIn(directory), blobsIn(partial)
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	if err := os.MkdirAll(to.named, 0o700); err != nil {
		return err
	}
	digests, err := copyDatabase(ctx, filepath.Join(directory, databaseName), filepath.Join(partial, databaseName))
	if err != nil {
		return err
	}
	for _, digest := range digests {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := copyBlob(from.path(digest), to.path(digest), digest); err != nil {
			return err
		}
	}
	return errors.Join(syncDirectory(to.named), syncDirectory(partial))
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

// copyBlob makes sure that the copy is what its name says.
func copyBlob(from, to, digest string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	copied, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(copied, hash), source)
	if err := errors.Join(err, copied.Sync(), copied.Close()); err != nil {
		return err
	}
	if hex.EncodeToString(hash.Sum(nil)) != digest {
		return fmt.Errorf("%s is damaged: its bytes are not those of its name", from)
	}
	return nil
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
