package factory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// directoryLock keeps a second server out of a directory: it would train the
// first one's jobs again.
type directoryLock struct{ file *os.File }

// lockPatience is how long a lock is waited for. A factory that was killed while it started a
// process to train leaves the lock to that for a moment, until it has become another program.
const lockPatience = 2 * time.Second

func takeLock(file *os.File) error {
	for waited := time.Duration(0); ; waited += lockPatience / 40 {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || waited >= lockPatience {
			return err
		}
		time.Sleep(lockPatience / 40) //nolint:forbidigo // another process holds the lock, by the wall's clock
	}
}

// lockDirectory fails soon when another process holds the directory. The
// kernel lets go of the lock when the process ends, however it ends.
func lockDirectory(directory string) (*directoryLock, error) {
	file, err := os.OpenFile(filepath.Join(directory, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Chmod(0o600); err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, errors.Join(err, file.Close())
	}
	if err := takeLock(file); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s is in use by another factory: %w", directory, err)
	}
	return &directoryLock{file}, nil
}

func (l *directoryLock) release() error {
	return l.file.Close()
}
