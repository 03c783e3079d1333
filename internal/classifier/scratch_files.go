package classifier

import (
	"fmt"
	"os"
)

// scratchFiles are files without a name in a folder: nobody else sees them, and they
// are gone when they are closed, even when the process is killed.
//
// They are read and written rather than mapped. Mapped pages would count as memory of
// the process, and a disk that is full or fails would end it with a signal instead of
// an error.
type scratchFiles struct {
	folder string // empty for that of the system
	open   []*os.File
}

func (s *scratchFiles) create() (*os.File, error) {
	file, err := os.CreateTemp(s.folder, "training-*")
	if err != nil {
		return nil, fmt.Errorf("creating a scratch file: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("hiding a scratch file: %w", err)
	}
	s.open = append(s.open, file)
	return file, nil
}

func (s *scratchFiles) close() {
	for _, file := range s.open {
		_ = file.Close() // what is lost was not meant to last
	}
	s.open = nil
}
