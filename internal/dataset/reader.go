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

// Reader reads the rows of a dataset in JSON Lines.
type Reader struct {
	input   *bufio.Reader
	limits  Limits
	line    int
	long    []byte // a line that input's buffer does not hold
	decoder decoder
	err     error // what ended reading
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader, limits Limits) *Reader {
	return &Reader{
		input:   bufio.NewReaderSize(r, bufferBytes),
		limits:  limits,
		decoder: newDecoder(limits),
	}
}

// Read decodes the next row into sample. It returns io.EOF after the last one
// and an *InvalidSampleError for a row that is bad, after which reading may go
// on; any other error is the underlying reader's and ends reading.
func (r *Reader) Read(sample *Sample) error {
	if r.err != nil {
		return r.err
	}
	line, err := r.readLine()
	if err == nil && isBlank(line) {
		err = r.skipBlankLines()
	}
	if err != nil {
		return r.end(err)
	}
	if !r.decoder.decode(line, sample) {
		problem := r.decoder.problem
		problem.Line = r.line
		return &problem
	}
	sample.Line = r.line
	return nil
}

// end remembers the error if it is one that ends reading.
func (r *Reader) end(err error) error {
	if _, invalid := errors.AsType[*InvalidSampleError](err); !invalid {
		r.err = err
	}
	return err
}

// readLine returns the next line without its end. It is valid until the next call.
func (r *Reader) readLine() ([]byte, error) {
	line, err := r.input.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line, err = r.readLongLine(line)
	}
	if err != nil && (err != io.EOF || len(line) == 0) { //nolint:errorlint // an end that is wrapped is a failure
		return nil, err
	}
	r.line++
	if r.line == 1 {
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) > r.limits.LineBytes {
		return nil, &InvalidSampleError{Line: r.line, Reason: LineTooLong,
			Detail: fmt.Sprintf("the row has more than %d bytes", r.limits.LineBytes)}
	}
	return line, nil
}

// readLongLine reads on to the end of the line that starts with head. It keeps
// what a line may have and a buffer more, which tells that it is too long; the
// rest is dropped.
func (r *Reader) readLongLine(head []byte) ([]byte, error) {
	longest := len(byteOrderMark) + r.limits.LineBytes + len("\r\n")
	r.long = append(r.long[:0], head...)
	for {
		part, err := r.input.ReadSlice('\n')
		if len(r.long) <= longest {
			r.long = append(r.long, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return r.long, err
		}
	}
}

func isBlank(line []byte) bool {
	return len(line) == 0 || line[0] <= ' ' && len(bytes.Trim(line, " \t\r")) == 0
}

// skipBlankLines goes on after the blank line just read to the first byte that
// is not white space, of which nothing is held and any amount is fine. It
// returns io.EOF when there is none, else the error that blank lines are for
// the row that follows them.
func (r *Reader) skipBlankLines() error {
	first := r.line
	for {
		c, err := r.input.ReadByte()
		if err != nil {
			return err
		}
		switch c {
		case '\n':
			r.line++
		case ' ', '\t', '\r':
		default:
			_ = r.input.UnreadByte() // cannot fail: the byte was just read
			return &InvalidSampleError{Line: first, Reason: BlankLine, Detail: "a blank line stands before a row"}
		}
	}
}
