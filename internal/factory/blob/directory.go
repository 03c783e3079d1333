package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Directory is a Store on a disk, rather than a gocloud.dev bucket, because fileblob
// gives bytes their name without having synced them: after a power cut an
// acknowledged file could be empty.
type Directory struct {
	parent   string
	named    string
	incoming string
}

// In says where the blobs of a directory are, without opening it.
func In(directory string) *Directory {
	return &Directory{parent: directory, named: filepath.Join(directory, "blobs"), incoming: incomingIn(directory)}
}

func incomingIn(directory string) string { return filepath.Join(directory, "incoming") }

// Open creates the directories and forgets uploads that were cut off. No other process may have
// the directory.
func Open(directory string) (*Directory, error) { return openAt(directory, 0) }

// openAt forgets uploads that have not grown for so long.
func openAt(directory string, idle time.Duration) (*Directory, error) {
	d := In(directory)
	if err := MakeFolder(d.named); err != nil {
		return nil, err
	}
	return d, makeIncoming(d.incoming, idle)
}

// sendingLifetime is after what time nobody is sending a file any longer that has not grown.
const sendingLifetime = 24 * time.Hour

// makeIncoming has a folder for what is being sent, without what has not grown for so long.
func makeIncoming(path string, idle time.Duration) error {
	if err := MakeFolder(path); err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && time.Since(info.ModTime()) >= idle { //nolint:forbidigo // the file system's clock
			err = os.Remove(filepath.Join(path, entry.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// MakeFolder makes one that is its owner's alone, whatever it was before. That of
// another user, such as the root of a volume, is as he wants it.
func MakeFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	err := os.Chmod(path, 0o700) //nolint:gosec // a folder that could not be searched would be of no use
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// stagedInDirectory is a blob that becomes one of a directory's.
type stagedInDirectory struct {
	*stagedFile
	directory *Directory
}

// Stage implements Store.
func (d *Directory) Stage() (Staged, error) {
	file, err := stageIn(d.incoming)
	if err != nil {
		return nil, err
	}
	return &stagedInDirectory{file, d}, nil
}

func (s *stagedInDirectory) Sync() (digest string, err error) {
	digest, err = s.stagedFile.Sync()
	if err == nil {
		err = s.file.Sync()
	}
	return digest, err
}

func (s *stagedInDirectory) Name(digest string) error {
	if err := os.Rename(s.file.Name(), s.directory.path(digest)); err != nil {
		return err
	}
	return SyncDirectory(s.directory.named)
}

// Open implements Store.
func (d *Directory) Open(digest string) (Content, error) {
	file, err := os.Open(d.path(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &DamagedError{Digest: digest, Missing: true}
	}
	if err != nil {
		return nil, err
	}
	content, err := newVerifiedContent(file, digest)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return content, nil
}

// Remove implements Store.
func (d *Directory) Remove(digest string) error {
	if err := os.Remove(d.path(digest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Digests implements Store.
func (d *Directory) Digests() ([]string, error) {
	entries, err := os.ReadDir(d.named)
	if err != nil {
		return nil, err
	}
	var digests []string
	for _, entry := range entries {
		if isDigest(entry.Name()) {
			digests = append(digests, entry.Name())
		}
	}
	return digests, nil
}

// isDigest tells blobs from what others keep in their folder, such as lost+found.
func isDigest(name string) bool {
	sum, err := hex.DecodeString(name)
	return err == nil && len(sum) == sha256.Size
}

// ReadNote implements Store.
func (d *Directory) ReadNote(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(d.parent, name))
}

// WriteNote implements Store. A note is on disk before anything is built on it.
func (d *Directory) WriteNote(name string, content []byte) error {
	path := filepath.Join(d.parent, name)
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return SyncDirectory(filepath.Dir(path))
}

// Close implements Store.
func (*Directory) Close() error { return nil }

func (d *Directory) path(digest string) string {
	return filepath.Join(d.named, digest)
}

// SyncDirectory makes the names in a directory last.
func SyncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	defer directory.Close()
	if err := directory.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}
