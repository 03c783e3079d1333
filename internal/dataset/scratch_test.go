package dataset

import (
	"errors"
	"io"
	"os"
)

// memoryScratch holds its files in memory, counts those that are open and can fail.
type memoryScratch struct {
	open    int
	created int
	written int
	fail    func(operation string) error // nil: never
}

func (s *memoryScratch) failure(operation string) error {
	if s.fail == nil {
		return nil
	}
	return s.fail(operation)
}

func (s *memoryScratch) Create() (ScratchFile, error) {
	if err := s.failure("create"); err != nil {
		return nil, err
	}
	s.open++
	s.created++
	return &memoryFile{scratch: s}, nil
}

type memoryFile struct {
	scratch *memoryScratch
	data    []byte
	closed  bool
}

func (f *memoryFile) Write(p []byte) (int, error) {
	if err := f.scratch.failure("write"); err != nil {
		return 0, err
	}
	f.scratch.written += len(p)
	f.data = append(f.data, p...)
	return len(p), nil
}

func (f *memoryFile) ReadAt(p []byte, offset int64) (int, error) {
	if err := f.scratch.failure("read"); err != nil {
		return 0, err
	}
	if offset >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.data[offset:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memoryFile) Close() error {
	if f.closed {
		return errors.New("closed twice")
	}
	f.closed = true
	f.scratch.open--
	return f.scratch.failure("close")
}

// diskScratch makes files in a folder of the test.
type diskScratch string

func (s diskScratch) Create() (ScratchFile, error) {
	file, err := os.CreateTemp(string(s), "")
	return diskFile{file}, err
}

type diskFile struct{ *os.File }

func (f diskFile) Close() error { return errors.Join(f.File.Close(), os.Remove(f.Name())) }
