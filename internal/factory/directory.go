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

// Location is where a factory keeps what it has.
type Location = store.Location

// scratchIn is the folder for what trainings put aside, which has no names there. It is on
// the volume with the data: on one in memory it would take what it is to spare.
func scratchIn(directory string) string { return filepath.Join(directory, "scratch") }

// openDirectory takes the directory for this process, with SQLite for it alone. One that is not
// admitted stays as it was.
func openDirectory(ctx context.Context, at Location) (*store.Store, blob.Store, *directoryLock, error) {
	if err := os.MkdirAll(at.Directory, 0o700); err != nil {
		return nil, nil, nil, err
	}
	take := lockDirectory
	if at.DatabaseURL != "" {
		take = joinDirectory
	}
	lock, err := take(at.Directory)
	if err != nil {
		return nil, nil, nil, err
	}
	opened, blobs, err := openAdmitted(ctx, at, lock)
	if err != nil {
		return nil, nil, nil, errors.Join(err, lock.release())
	}
	return opened, blobs, lock, nil
}

func openAdmitted(ctx context.Context, at Location, lock *directoryLock) (*store.Store, blob.Store, error) {
	if err := at.Admit(ctx); err != nil {
		return nil, nil, err
	}
	for _, folder := range []string{at.Directory, scratchIn(at.Directory)} {
		if err := blob.MakeFolder(folder); err != nil {
			return nil, nil, err
		}
	}
	open := blob.Join
	if lock.alone {
		open = blob.Open
	}
	blobs, err := open(at.Directory)
	if err != nil {
		return nil, nil, err
	}
	if at.DatabaseURL != "" {
		if err := lock.share(); err != nil {
			return nil, nil, err
		}
	}
	opened, err := store.Open(ctx, at, blobs)
	return opened, blobs, err
}

// explainVolume says what to do about a volume that the directory cannot be used on.
func explainVolume(directory string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		groups, _ := os.Getgroups()
		return fmt.Errorf("%s may not be written to by this process, which is user %d of the groups %v: make it that user's, or one of these groups' with the right to write (on Kubernetes by fsGroup in the pod's securityContext): %w",
			directory, os.Getuid(), append([]int{os.Getgid()}, groups...), err)
	case store.IsReadOnly(err):
		return fmt.Errorf("%s is on a volume that is mounted read-only: mount it so that it can be written to: %w", directory, err)
	case store.IsDiskFull(err):
		return fmt.Errorf("%s is on a volume without room: make it larger, or remove from it what is not the factory's; nothing was changed: %w", directory, err)
	}
	return err
}
