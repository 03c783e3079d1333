package blob

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Directory is a Store on a disk, rather than a gocloud.dev bucket, because fileblob
// gives bytes their name without having synced them: after a power cut an
// acknowledged file could be empty.
type Directory struct {
	named    string
	incoming string
}

// In says where the blobs of a directory are, without opening it.
func In(directory string) *Directory {
	return &Directory{named: filepath.Join(directory, "blobs"), incoming: filepath.Join(directory, "incoming")}
}

// Open creates the directories and forgets uploads that were cut off. No other process may have
// the directory.
func Open(directory string) (*Directory, error) {
	if err := os.RemoveAll(In(directory).incoming); err != nil {
		return nil, err
	}
	return Join(directory)
}

// Join is Open beside other processes, whose uploads are under way.
func Join(directory string) (*Directory, error) {
	d := In(directory)
	for _, path := range []string{d.named, d.incoming} {
		if err := MakeFolder(path); err != nil {
			return nil, err
		}
	}
	return d, nil
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

// stagedFile is a blob that is being written.
type stagedFile struct {
	directory *Directory
	file      *os.File
	buffer    *bufio.Writer
	hash      hash.Hash
	size      int64
}

// Stage implements Store.
func (d *Directory) Stage() (Staged, error) {
	file, err := os.CreateTemp(d.incoming, "")
	if err != nil {
		return nil, err
	}
	return &stagedFile{directory: d, file: file, buffer: bufio.NewWriterSize(file, 256<<10), hash: sha256.New()}, nil
}

func (s *stagedFile) Write(data []byte) (int, error) {
	n, err := s.buffer.Write(data)
	s.hash.Write(data[:n])
	s.size += int64(n)
	return n, err
}

func (s *stagedFile) Size() int64 { return s.size }

func (s *stagedFile) Sync() (digest string, err error) {
	if err := s.buffer.Flush(); err != nil {
		return "", err
	}
	if err := s.file.Sync(); err != nil {
		return "", err
	}
	return hex.EncodeToString(s.hash.Sum(nil)), nil
}

func (s *stagedFile) Reader() io.Reader {
	return io.NewSectionReader(s.file, 0, s.size)
}

func (s *stagedFile) Name(digest string) error {
	if err := os.Rename(s.file.Name(), s.directory.path(digest)); err != nil {
		return err
	}
	return SyncDirectory(s.directory.named)
}

func (s *stagedFile) Discard() {
	_ = s.file.Close()
	_ = os.Remove(s.file.Name())
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
	content, err := newVerifiedFile(file, digest)
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
