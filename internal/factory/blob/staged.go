package blob

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
)

// stagedFile is a blob that is being written to a disk, without a name.
type stagedFile struct {
	file   *os.File
	buffer *bufio.Writer
	hash   hash.Hash
	size   int64
}

func stageIn(folder string) (*stagedFile, error) {
	file, err := os.CreateTemp(folder, "")
	if err != nil {
		return nil, err
	}
	return &stagedFile{file: file, buffer: bufio.NewWriterSize(file, 256<<10), hash: sha256.New()}, nil
}

func (s *stagedFile) Write(data []byte) (int, error) {
	n, err := s.buffer.Write(data)
	s.hash.Write(data[:n])
	s.size += int64(n)
	return n, err
}

func (s *stagedFile) Size() int64 { return s.size }

// Sync writes what is in the buffer; whether the disk has it is for a name to say.
func (s *stagedFile) Sync() (digest string, err error) {
	if err := s.buffer.Flush(); err != nil {
		return "", err
	}
	return hex.EncodeToString(s.hash.Sum(nil)), nil
}

func (s *stagedFile) Reader() io.Reader {
	return io.NewSectionReader(s.file, 0, s.size)
}

func (s *stagedFile) Discard() {
	_ = s.file.Close()
	_ = os.Remove(s.file.Name())
}
