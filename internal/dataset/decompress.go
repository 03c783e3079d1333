package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// freeBytes may be decompressed from however little.
const freeBytes = 1 << 20

// zstdWindow is how far back compressed data may refer. The standard (RFC 8878)
// asks for this much; it is what zstd uses without --ultra and --long.
const zstdWindow = 8 << 20

// magicBytes tell how data is compressed.
const magicBytes = 4

// Decompress returns what gzip or zstd, told by the first bytes, compressed to r;
// anything else it passes through. Several compressed members may follow one
// another, also with line breaks between them: a compressed file's first row
// starts on a line of its own.
//
// What is wrong with the compression, and more data than the limits allow, is an
// *InvalidDatasetError, be it here or when the reader is read.
func Decompress(r io.Reader, limits Limits) (io.Reader, error) {
	stored := &storedReader{input: r, maxBytes: limits.SourceBytes}
	input := bufio.NewReaderSize(stored, bufferBytes)
	head, err := input.Peek(magicBytes)
	if err != nil && !isEnd(err) {
		return nil, err
	}
	d := &decompressor{input: input, stored: stored, limits: limits}
	if compressionOf(head) == nil {
		d.member = input
	}
	return d, nil
}

// compressionOf tells by its first bytes how a member is opened. It returns nil
// for one that is not compressed.
func compressionOf(head []byte) func(*decompressor) error {
	switch {
	case bytes.HasPrefix(head, []byte("\x1F\x8B")):
		return (*decompressor).openGzip
	case bytes.HasPrefix(head, []byte("\x28\xB5\x2F\xFD")),
		len(head) == magicBytes && head[0]&0xF0 == 0x50 && string(head[1:]) == "\x2A\x4D\x18": // to be skipped
		return (*decompressor).openZstd
	}
	return nil
}

// decompressor reads members one after the other.
type decompressor struct {
	input  *bufio.Reader
	stored *storedReader
	limits Limits
	member io.Reader // nil: the next one is to be opened
	gzip   *gzip.Reader
	zstd   *zstd.Decoder
	size   int64
	last   byte // that was decompressed
	err    error
}

func (d *decompressor) Read(p []byte) (n int, err error) {
	for n == 0 && d.err == nil && len(p) > 0 {
		if d.member == nil {
			n, err = d.next(p)
		} else {
			n, err = d.member.Read(p)
			if isEnd(err) {
				d.member, err = nil, nil
			}
		}
		d.err = d.explain(err)
	}
	if n == 0 {
		return 0, d.err
	}
	d.last = p[n-1]
	d.size += int64(n)
	if problem := d.excess(); problem != nil {
		d.err = problem
		return 0, problem
	}
	return n, nil
}

// next opens the next member. The line breaks before it become one, unless the
// member before ended with one.
func (d *decompressor) next(p []byte) (n int, err error) {
	head, err := d.input.Peek(magicBytes)
	if len(head) == 0 {
		return 0, err
	}
	if head[0] == '\n' || head[0] == '\r' {
		_, _ = d.input.Discard(1) // cannot fail: the byte was just seen
		if d.last == '\n' {
			return 0, nil
		}
		p[0] = '\n'
		return 1, nil
	}
	open := compressionOf(head)
	if open == nil {
		return 0, &InvalidDatasetError{Reason: CorruptCompression,
			Detail: "something that is not compressed follows compressed data; compress all of the source or nothing"}
	}
	return 0, open(d)
}

func (d *decompressor) openGzip() (err error) {
	if d.gzip == nil {
		d.gzip, err = gzip.NewReader(d.input)
	} else {
		err = d.gzip.Reset(d.input)
	}
	if err != nil {
		return unexpectedEOF(err)
	}
	d.gzip.Multistream(false)
	d.member = d.gzip
	return nil
}

func (d *decompressor) openZstd() (err error) {
	frame := &zstdFrame{input: d.input}
	if d.zstd == nil {
		// Without concurrency it has no goroutine that would have to be ended.
		d.zstd, err = zstd.NewReader(frame, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
	} else {
		err = d.zstd.Reset(frame)
	}
	d.member = &zstdMember{d.zstd, frame}
	return err
}

// excess says which limit the decompressed data exceeds.
func (d *decompressor) excess() error {
	if d.size > d.limits.DecompressedBytes {
		return &InvalidDatasetError{Reason: TooLarge,
			Detail: fmt.Sprintf("the source has more than %d bytes when it is decompressed", d.limits.DecompressedBytes)}
	}
	if d.size > freeBytes && d.size/d.limits.CompressionRatio > d.stored.size {
		return &InvalidDatasetError{Reason: RatioTooHigh,
			Detail: fmt.Sprintf("the source decompresses to more than %d times its size", d.limits.CompressionRatio)}
	}
	return nil
}

// explain tells data that is wrong from a source that fails. The libraries have
// an error for each way in which data can be wrong.
func (d *decompressor) explain(err error) error {
	switch {
	case err == nil, isEnd(err):
		return err
	case d.stored.err != nil:
		return d.stored.err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &InvalidDatasetError{Reason: TruncatedCompression, Detail: "the compressed data ends too early"}
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return &InvalidDatasetError{Reason: UnsupportedCompression,
			Detail: fmt.Sprintf("the data needs a window of more than %d bytes; compress without --ultra and --long", zstdWindow)}
	case errors.Is(err, zstd.ErrUnknownDictionary):
		return &InvalidDatasetError{Reason: UnsupportedCompression, Detail: "the data needs a dictionary; compress without one"}
	}
	if problem, ok := errors.AsType[*InvalidDatasetError](err); ok {
		return problem
	}
	return &InvalidDatasetError{Reason: CorruptCompression, Detail: "the compressed data is corrupt"}
}

// storedReader counts what it reads and remembers how it failed.
type storedReader struct {
	input    io.Reader
	maxBytes int64
	size     int64
	err      error
}

func (r *storedReader) Read(p []byte) (int, error) {
	n, err := r.input.Read(p)
	if r.size += int64(n); r.size > r.maxBytes {
		err = &InvalidDatasetError{Reason: TooLarge, Detail: fmt.Sprintf("the source has more than %d bytes", r.maxBytes)}
	}
	if err != nil && !isEnd(err) {
		r.err = err
	}
	return n, err
}
