package factory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// directoryLock keeps a second server out of a directory: it would train the
// first one's jobs again.
type directoryLock struct{ file *os.File }

// lockDirectory fails at once when another process holds the directory. The
// kernel lets go of the lock when the process ends, however it ends.
func lockDirectory(directory string) (*directoryLock, error) {
	file, err := os.OpenFile(filepath.Join(directory, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Chmod(0o600); err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, errors.Join(err, file.Close())
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s is in use by another factory: %w", directory, err)
	}
	return &directoryLock{file}, nil
}

func (l *directoryLock) release() error {
	return l.file.Close()
}
