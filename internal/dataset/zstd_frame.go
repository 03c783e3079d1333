package dataset

import (
	"bufio"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

// zstdFrame reads the bytes of one frame of zstd and stops at its end, so that
// something else may follow. What is in the frame's blocks is the decoder's matter.
type zstdFrame struct {
	input    *bufio.Reader
	left     int64 // bytes to pass on before the next block's header
	begun    bool
	last     bool // no block follows
	checksum bool
}

func (f *zstdFrame) Read(p []byte) (int, error) {
	for f.left == 0 {
		if f.begun && f.last && !f.checksum {
			return 0, io.EOF
		}
		if err := f.advance(); err != nil {
			return 0, err
		}
	}
	n, err := f.input.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	if err == io.EOF { //nolint:errorlint // an end that is wrapped is a failure
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// advance finds out how many bytes the frame's next part has.
func (f *zstdFrame) advance() error {
	switch {
	case !f.begun:
		return f.header()
	case !f.last:
		return f.block()
	}
	f.left, f.checksum = 4, false
	return nil
}

func (f *zstdFrame) header() error {
	head, err := f.input.Peek(zstd.HeaderMaxSize)
	if err != nil && err != io.EOF { //nolint:errorlint // an end that is wrapped is a failure
		return err
	}
	var header zstd.Header
	if err := header.Decode(head); err != nil {
		return err
	}
	f.begun = true
	f.last = header.Skippable
	f.checksum = header.HasCheckSum
	f.left = int64(header.HeaderSize) + int64(header.SkippableSize)
	return nil
}

// block reads the header of a block: whether it is the last, its type and its size.
func (f *zstdFrame) block() error {
	head, err := f.input.Peek(3)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	header := int64(head[0]) | int64(head[1])<<8 | int64(head[2])<<16
	const runLength = 1 // a block of one byte, repeated
	size := header >> 3
	if header>>1&3 == runLength {
		size = 1
	}
	f.last = header&1 == 1
	f.left = 3 + size
	return nil
}
