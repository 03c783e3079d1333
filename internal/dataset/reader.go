package dataset

import (
	"bytes"
	"io"
)

// SampleReader reads the samples of a dataset, whatever their format.
//
// Read decodes the next sample. It returns io.EOF after the last one and an
// *InvalidSampleError for one that is bad, after which reading may go on. An
// *InvalidDatasetError says that the data cannot be read any further; any other
// error is the underlying reader's. Both end reading.
type SampleReader interface {
	Read(sample *Sample) error
}

// Reader reads the rows of a dataset in JSON Lines.
type Reader struct {
	lines   lineReader
	decoder decoder
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader, limits Limits) *Reader {
	return &Reader{lines: newLineReader(r, limits), decoder: newDecoder(limits)}
}

// Read decodes the next row into sample, as SampleReader says.
func (r *Reader) Read(sample *Sample) error {
	if r.lines.err != nil {
		return r.lines.err
	}
	start := r.lines.offset()
	line, err := r.lines.readRow()
	if err == nil && isBlank(line) {
		err = r.passBlank()
	}
	if err != nil {
		return r.lines.end(err, start)
	}
	if !r.decoder.decode(line, sample) {
		problem := r.decoder.problem
		problem.Line = r.lines.line
		return r.lines.end(&problem, start)
	}
	sample.Line, sample.Bytes = r.lines.line, r.lines.offset()-start
	return nil
}

func isBlank(line []byte) bool {
	return len(line) == 0 || line[0] <= ' ' && len(bytes.Trim(line, " \t\r")) == 0
}

// passBlank goes on to the end after the blank line just read. It fails if that is not
// the end of all rows.
func (r *Reader) passBlank() error {
	first := r.lines.line
	if err := r.skipBlank(); err != nil {
		return err
	}
	return &InvalidSampleError{Line: first, Reason: BlankLine, Detail: "a blank line stands before a row"}
}

// skipBlank goes on to the first byte that is neither white space nor of a line's
// byte order mark. Of them nothing is held, and any amount is fine.
func (r *Reader) skipBlank() error {
	for atStart := true; ; {
		if atStart {
			if err := r.lines.skipMark(); err != nil {
				return err
			}
		}
		c, err := r.lines.input.ReadByte()
		if err != nil {
			return err
		}
		atStart = c == '\n'
		switch c {
		case '\n':
			r.lines.line++
		case ' ', '\t', '\r':
		default:
			r.lines.begun = true
			return r.lines.input.UnreadByte() // which cannot fail: the byte was just read
		}
	}
}
