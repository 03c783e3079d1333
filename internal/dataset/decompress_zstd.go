package dataset

import (
	"bufio"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

// zstdMember decompresses a frame.
type zstdMember struct {
	decoder *zstd.Decoder
	frame   *zstdFrame
}

func (m *zstdMember) Read(p []byte) (int, error) {
	n, err := m.decoder.Read(p)
	if isEnd(err) {
		err = m.frame.end()
	}
	return n, err
}

// zstdFrame reads the bytes of one frame of zstd and stops at its end, so that
// something else may follow. What is in the frame's blocks is the decoder's matter.
type zstdFrame struct {
	input    *bufio.Reader
	left     int64 // bytes to pass on before the next block's header
	begun    bool
	last     bool // no block follows
	checksum bool // one follows
	err      error
}

func (f *zstdFrame) Read(p []byte) (int, error) {
	for f.left == 0 && f.err == nil {
		f.err = f.advance()
	}
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.input.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	f.err = unexpectedEOF(err)
	return n, f.err
}

// end returns io.EOF when the frame was read to its end. The decoder takes more
// than that for an end.
func (f *zstdFrame) end() error {
	if f.err == nil {
		return errors.New("the frame goes on")
	}
	return f.err
}

// advance finds out how many bytes the frame's next part has.
func (f *zstdFrame) advance() error {
	switch {
	case !f.begun:
		return f.header()
	case !f.last:
		return f.block()
	case f.checksum:
		f.left, f.checksum = 4, false
		return nil
	}
	return io.EOF
}

func (f *zstdFrame) header() error {
	head, err := f.input.Peek(zstd.HeaderMaxSize)
	if err != nil && !isEnd(err) {
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
		return unexpectedEOF(err)
	}
	header := int64(head[0]) | int64(head[1])<<8 | int64(head[2])<<16
	const repeated = 1 // a block of one byte
	size := header >> 3
	if header>>1&3 == repeated {
		size = 1
	}
	f.last = header&1 == 1
	f.left = 3 + size
	return nil
}

// unexpectedEOF makes an end what it is inside of a member.
func unexpectedEOF(err error) error {
	if isEnd(err) {
		return io.ErrUnexpectedEOF
	}
	return err
}
