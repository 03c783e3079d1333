package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

const bufferBytes = 64 << 10

var byteOrderMark = []byte("\xEF\xBB\xBF")

// lineReader reads lines of bounded length.
type lineReader struct {
	source   *cappedReader
	input    *bufio.Reader // of source
	maxBytes int
	line     int    // the number of the last line read, from 1
	begun    bool   // the start of the next line was skipped
	long     []byte // a line that input's buffer does not hold
	quotes   int    // in the last line that was too long
	err      error  // what ended reading
}

func newLineReader(r io.Reader, limits Limits) lineReader {
	capped := &cappedReader{input: r, maxBytes: limits.DecompressedBytes}
	return lineReader{source: capped, input: bufio.NewReaderSize(capped, bufferBytes), maxBytes: limits.LineBytes}
}

// offset is where the byte is that is read next.
func (r *lineReader) offset() int64 {
	return r.source.size - int64(r.input.Buffered())
}

// end remembers the error if it is one that ends reading, and notes in one that
// is about the data which line that was. Of an invalid row, which started at an
// offset, it notes the size.
func (r *lineReader) end(err error, start int64) error {
	if errors.Is(err, ErrFiltered) {
		return err
	}
	if invalid, ok := errors.AsType[*InvalidSampleError](err); ok {
		invalid.Bytes = r.offset() - start
		return err
	}
	if problem, ok := errors.AsType[*InvalidDatasetError](err); ok && problem.Line == 0 {
		located := *problem
		located.Line = r.line + 1
		err = &located
	}
	r.err = err
	return err
}

// readRow returns the next line as one that may be the first of a file: files that
// were joined each bring their byte order mark.
func (r *lineReader) readRow() ([]byte, error) {
	line, err := r.readLine()
	if r.begun {
		r.begun = false
		return line, err
	}
	return withoutMarks(line), err
}

// withoutMarks leaves out the byte order marks at the start, of which each program that a
// file went through may have written one.
func withoutMarks(text []byte) []byte {
	for bytes.HasPrefix(text, byteOrderMark) {
		text = text[len(byteOrderMark):]
	}
	return text
}

// skipMarks skips the byte order marks that the next line may start with.
func (r *lineReader) skipMarks() error {
	for {
		head, err := r.input.Peek(len(byteOrderMark))
		if bytes.Equal(head, byteOrderMark) {
			_, err = r.input.Discard(len(head))
			if err == nil {
				continue
			}
		}
		if isEnd(err) {
			return nil // which the next read says again
		}
		return err
	}
}

// readLine returns the next line without its end, in which conversions between systems may
// have left several carriage returns. It is valid until the next call.
func (r *lineReader) readLine() ([]byte, error) {
	line, err := r.input.ReadSlice('\n')
	dropped := 0 // quotes
	if err != nil {
		if errors.Is(err, bufio.ErrBufferFull) {
			line, dropped, err = r.readLongLine(line)
		}
		if err != nil && (!isEnd(err) || len(line) == 0) {
			return nil, err
		}
	}
	r.line++
	line = bytes.TrimSuffix(line, []byte("\n"))
	for len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	if len(line) > r.maxBytes && len(withoutMarks(line)) > r.maxBytes {
		r.quotes = dropped + bytes.Count(line, []byte{'"'})
		return nil, &InvalidSampleError{Line: r.line, Reason: LineTooLong,
			Detail: fmt.Sprintf("the row has more than %d bytes", r.maxBytes)}
	}
	return line, nil
}

// readLongLine reads on to the end of the line that starts with head. It keeps
// what a line may have and a buffer more, which tells that it is too long; the
// rest is dropped, but for the number of quotes in it.
func (r *lineReader) readLongLine(head []byte) (line []byte, dropped int, err error) {
	longest := len(byteOrderMark) + r.maxBytes + len("\r\n")
	r.long = append(r.long[:0], head...)
	for {
		part, err := r.input.ReadSlice('\n')
		if len(r.long) <= longest {
			r.long = append(r.long, part...)
		} else {
			dropped += bytes.Count(part, []byte{'"'})
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return r.long, dropped, err
		}
	}
}

// isEnd reports whether reading came to its end. An end that is wrapped is that
// of something else, and a failure.
func isEnd(err error) bool {
	return err == io.EOF //nolint:errorlint // as said above
}
