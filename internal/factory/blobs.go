package factory

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

// blobs keeps bytes under the hex SHA-256 of what they are. It is a directory of
// its own rather than a gocloud.dev bucket, because fileblob gives bytes their
// name without having synced them: after a power cut an acknowledged file could
// be empty.
type blobs struct {
	named    string
	incoming string
}

func blobsIn(directory string) *blobs {
	return &blobs{named: filepath.Join(directory, "blobs"), incoming: filepath.Join(directory, "incoming")}
}

// openBlobs creates the directories and forgets uploads that were cut off.
func openBlobs(directory string) (*blobs, error) {
	b := blobsIn(directory)
	if err := os.RemoveAll(b.incoming); err != nil {
		return nil, err
	}
	for _, path := range []string{b.named, b.incoming} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// stagedBlob is being written and has no name yet.
type stagedBlob struct {
	file   *os.File
	buffer *bufio.Writer
	hash   hash.Hash
	size   int64
}

// stage begins a blob. The caller discards it in the end, named or not.
func (b *blobs) stage() (*stagedBlob, error) {
	file, err := os.CreateTemp(b.incoming, "")
	if err != nil {
		return nil, err
	}
	return &stagedBlob{file: file, buffer: bufio.NewWriterSize(file, 256<<10), hash: sha256.New()}, nil
}

func (s *stagedBlob) Write(data []byte) (int, error) {
	n, err := s.buffer.Write(data)
	s.hash.Write(data[:n])
	s.size += int64(n)
	return n, err
}

// sync puts everything written on disk and returns its digest.
func (s *stagedBlob) sync() (digest string, err error) {
	if err := s.buffer.Flush(); err != nil {
		return "", err
	}
	if err := s.file.Sync(); err != nil {
		return "", err
	}
	return hex.EncodeToString(s.hash.Sum(nil)), nil
}

// reader reads what was synced from its beginning.
func (s *stagedBlob) reader() io.Reader {
	return io.NewSectionReader(s.file, 0, s.size)
}

func (s *stagedBlob) discard() {
	_ = s.file.Close()
	_ = os.Remove(s.file.Name())
}

// name gives a synced blob its name. The same bytes may have it already.
func (b *blobs) name(s *stagedBlob, digest string) error {
	if err := os.Rename(s.file.Name(), b.path(digest)); err != nil {
		return err
	}
	return syncDirectory(b.named)
}

func (b *blobs) open(digest string) (*os.File, error) {
	return os.Open(b.path(digest))
}

func (b *blobs) remove(digest string) error {
	if err := os.Remove(b.path(digest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// digests lists every blob.
func (b *blobs) digests() ([]string, error) {
	entries, err := os.ReadDir(b.named)
	if err != nil {
		return nil, err
	}
	digests := make([]string, len(entries))
	for i, entry := range entries {
		digests[i] = entry.Name()
	}
	return digests, nil
}

func (b *blobs) path(digest string) string {
	return filepath.Join(b.named, digest)
}

// syncDirectory makes the names in a directory last.
func syncDirectory(path string) error {
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
