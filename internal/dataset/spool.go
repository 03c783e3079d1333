package dataset

import (
	"bufio"
	"io"
)

// spooled is a part on disk, for formats that are not read from their start to their end.
type spooled struct {
	*io.SectionReader
	file ScratchFile
	size int64
	err  error // of the disk
}

// spool writes all of the content to a temporary file, which close removes.
func spool(content io.Reader, scratch Scratch) (*spooled, error) {
	file, err := scratch.Create()
	if err != nil {
		return nil, scratchError(err)
	}
	s := &spooled{file: file}
	buffer := bufio.NewWriterSize(s, bufferBytes)
	if s.size, err = buffer.ReadFrom(content); err == nil {
		err = buffer.Flush()
	}
	if err != nil {
		_ = s.close()
		return nil, err
	}
	s.SectionReader = io.NewSectionReader(sourceOf{s}, 0, s.size)
	return s, nil
}

func (s *spooled) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	return n, scratchError(err)
}

func (s *spooled) close() error { return scratchError(s.file.Close()) }

// sourceOf remembers a failure of the disk, which readers of formats take for one of the
// data.
type sourceOf struct{ *spooled }

func (s sourceOf) ReadAt(p []byte, offset int64) (int, error) {
	n, err := s.file.ReadAt(p, offset)
	if err != nil && !isEnd(err) {
		s.err = scratchError(err)
	}
	return n, err
}
