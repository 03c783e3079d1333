package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// referredDigests are those of all bytes that must be there.
const referredDigests = `
	SELECT digest FROM files UNION SELECT digest FROM models
	UNION SELECT digest FROM needed`

// CopyDatabase copies a directory's SQLite as of one moment and returns the digests
// that it refers to.
func CopyDatabase(ctx context.Context, directory, destination string) ([]string, error) {
	from, to := filepath.Join(directory, DatabaseName), filepath.Join(destination, DatabaseName)
	source, err := sqliteFile(from).openUntouched()
	if err != nil {
		return nil, err
	}
	if err := makePrivate(to); err != nil {
		return nil, errors.Join(err, source.Close())
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
	present, unknown := storedGeneration(ctx, snapshot)
	if err := errors.Join(err, snapshot.Close()); err != nil {
		return nil, err
	}
	if unknown != nil { // it is from before there were any
		return digests, nil
	}
	return digests, writeGeneration(blob.In(destination), present)
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
