package dataset

import (
	"bufio"
	"bytes"
	"compress/bzip2"
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

// Decompress returns what gzip, zstd or bzip2, told by the first bytes, compressed to
// the file r, also in several members or frames; any other file it passes through.
//
// What is wrong with the compression, and a file beyond the limits, is an
// *InvalidDatasetError, be it here or when the reader is read. The reader has
// nothing to be closed.
func Decompress(r io.Reader, limits Limits) (io.Reader, error) {
	stored := &cappedReader{input: r, maxBytes: limits.SourceBytes}
	input := bufio.NewReaderSize(stored, bufferBytes)
	head, err := input.Peek(10)
	if err != nil && !isEnd(err) {
		return nil, err
	}
	d := &decompressor{stored: stored, maxRatio: limits.CompressionRatio}
	switch {
	case bytes.HasPrefix(head, []byte("\x1F\x8B")):
		d.output, err = gzip.NewReader(input)
		if isEnd(err) {
			err = io.ErrUnexpectedEOF // it has begun
		}
	case isZstd(head):
		// Without concurrency it has no goroutine that would have to be ended.
		d.output, err = zstd.NewReader(input, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
	case isBzip2(head):
		d.output, err = bzip2.NewReader(input), nil
	default:
		return input, nil
	}
	if err != nil {
		return nil, d.explain(err)
	}
	return d, nil
}

// isZstd recognises a frame, and one that is to be skipped, which may stand first.
func isZstd(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\x28\xB5\x2F\xFD")) ||
		len(head) >= 4 && head[0]&0xF0 == 0x50 && string(head[1:4]) == "\x2A\x4D\x18"
}

// isBzip2 recognises a stream by the block, or the end, that it begins with.
func isBzip2(head []byte) bool {
	return len(head) >= 10 && bytes.HasPrefix(head, []byte("BZh")) &&
		(string(head[4:10]) == "1AY&SY" || string(head[4:10]) == "\x17\x72\x45\x38\x50\x90")
}

type decompressor struct {
	stored   *cappedReader
	output   io.Reader
	size     int64 // of what was decompressed
	maxRatio int64
	err      error
}

func (d *decompressor) Read(p []byte) (n int, err error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err = d.output.Read(p)
	d.err = d.explain(err)
	if d.size += int64(n); d.size > freeBytes && d.size/d.maxRatio > d.stored.size {
		d.err = &InvalidDatasetError{Reason: RatioTooHigh,
			Detail: fmt.Sprintf("the data decompresses to more than %d times its size", d.maxRatio)}
	}
	return n, d.err
}

// explain tells data that is wrong from a source that fails. The libraries have
// an error for each way in which data can be wrong, and none for the other.
func (d *decompressor) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case d.stored.err != nil:
		return d.stored.err
	case isEnd(err):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &InvalidDatasetError{Reason: TruncatedCompression, Detail: "the compressed data ends too early"}
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return &InvalidDatasetError{Reason: UnsupportedCompression,
			Detail: fmt.Sprintf("the data needs a window of more than %d bytes; compress without --ultra and --long", zstdWindow)}
	case errors.Is(err, zstd.ErrUnknownDictionary):
		return &InvalidDatasetError{Reason: UnsupportedCompression, Detail: "the data needs a dictionary; compress without one"}
	}
	return &InvalidDatasetError{Reason: CorruptCompression,
		Detail: "the compressed data is corrupt, or something that is not compressed follows it"}
}

// cappedReader counts what it reads, ends at too much and remembers how it failed, which
// it says again to whoever reads on.
type cappedReader struct {
	input    io.Reader
	maxBytes int64
	size     int64
	err      error
}

func (r *cappedReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.input.Read(p)
	if r.size += int64(n); r.size > r.maxBytes {
		err = &InvalidDatasetError{Reason: TooLarge, Detail: fmt.Sprintf("the data has more than %d bytes", r.maxBytes)}
	}
	if err != nil && !isEnd(err) {
		r.err = err
	}
	return n, err
}

// cappedSize counts what is made of what is stored, and ends at too much.
type cappedSize struct {
	limits       Limits
	stored, made int64
}

func (c *cappedSize) add(bytes int) error {
	c.made += int64(bytes)
	switch {
	case c.made > c.limits.DecompressedBytes:
		return &InvalidDatasetError{Reason: TooLarge, Detail: fmt.Sprintf("the data has more than %d bytes", c.limits.DecompressedBytes)}
	case c.made > freeBytes && c.made/c.limits.CompressionRatio > c.stored:
		return &InvalidDatasetError{Reason: RatioTooHigh,
			Detail: fmt.Sprintf("the data decompresses to more than %d times its size", c.limits.CompressionRatio)}
	}
	return nil
}
