package factory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
)

// directoryLock is held by every process that uses a directory: with SQLite by one at a time, as
// a second one would train the first one's jobs again.
type directoryLock struct {
	file *os.File
	// processes is the name of those that use the directory now, and gone that of those before
	// them, who have all ended; "": nobody did.
	processes, gone string
	alone           bool // until it is shared
}

// lockPatience is how long a lock is waited for. A factory that was killed while it started a
// process to train leaves the lock to that for a moment, until it has become another program. Who
// is first in a directory looks after it before he shares it.
const lockPatience = 2 * time.Second

func takeLock(file *os.File, how int, patience time.Duration) error {
	for waited := time.Duration(0); ; waited += lockPatience / 40 {
		err := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
		if err == nil || waited >= patience {
			return err
		}
		time.Sleep(lockPatience / 40) //nolint:forbidigo // another process holds the lock, by the wall's clock
	}
}

// lockDirectory fails soon when another process holds the directory. The
// kernel lets go of the lock when the process ends, however it ends.
func lockDirectory(directory string) (*directoryLock, error) {
	lock, err := openLock(directory)
	if err != nil {
		return nil, err
	}
	if err := takeLock(lock.file, syscall.LOCK_EX, lockPatience); err != nil {
		return nil, lock.inUse(directory, err)
	}
	lock.alone = true
	return lock, nil
}

// joinDirectory has the directory beside other processes that do, or alone if there are none.
func joinDirectory(directory string) (*directoryLock, error) {
	lock, err := openLock(directory)
	if err != nil {
		return nil, err
	}
	if takeLock(lock.file, syscall.LOCK_EX, lockPatience/10) == nil {
		lock.alone = true
		return lock, nil
	}
	if err := takeLock(lock.file, syscall.LOCK_SH, 5*lockPatience); err != nil {
		return nil, lock.inUse(directory, err)
	}
	lock.processes, err = lock.read()
	if err != nil {
		return nil, errors.Join(err, lock.release())
	}
	return lock, nil
}

func openLock(directory string) (*directoryLock, error) {
	file, err := os.OpenFile(filepath.Join(directory, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Chmod(0o600); err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, errors.Join(err, file.Close())
	}
	return &directoryLock{file: file}, nil
}

func (l *directoryLock) inUse(directory string, err error) error {
	_ = l.release()
	return fmt.Errorf("%s is in use by another factory: %w", directory, err)
}

// share lets others join. Who is alone gives those that come a new name, by which they are told
// from those that are gone.
func (l *directoryLock) share() (err error) {
	if !l.alone {
		return nil
	}
	if l.gone, err = l.read(); err != nil {
		return err
	}
	l.processes, l.alone = uuid.NewString(), false
	if _, err := l.file.WriteAt([]byte(l.processes+"\n"), 0); err != nil {
		return err
	}
	return takeLock(l.file, syscall.LOCK_SH, lockPatience)
}

// read returns the name that is in the file.
func (l *directoryLock) read() (string, error) {
	name := make([]byte, len(uuid.Nil.String())+1)
	n, err := l.file.ReadAt(name, 0)
	if n < len(name) {
		return "", nil // nobody has shared the directory yet
	}
	return strings.TrimSpace(string(name)), err
}

func (l *directoryLock) release() error {
	return l.file.Close()
}
