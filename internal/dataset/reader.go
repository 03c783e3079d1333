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
	line, err := r.lines.readRow()
	if err == nil && isBlank(line) {
		err = r.skipBlankLines()
	}
	if err != nil {
		return r.lines.end(err)
	}
	if !r.decoder.decode(line, sample) {
		problem := r.decoder.problem
		problem.Line = r.lines.line
		return &problem
	}
	sample.Line = r.lines.line
	return nil
}

func isBlank(line []byte) bool {
	return len(line) == 0 || line[0] <= ' ' && len(bytes.Trim(line, " \t\r")) == 0
}

// skipBlankLines goes on after the blank line just read to the first byte that
// is not white space, of which nothing is held and any amount is fine. It
// returns io.EOF when there is none, else the error that blank lines are for
// the row that follows them.
func (r *Reader) skipBlankLines() error {
	first := r.lines.line
	for {
		c, err := r.lines.input.ReadByte()
		if err != nil {
			return err
		}
		switch c {
		case '\n':
			r.lines.line++
		case ' ', '\t', '\r':
		default:
			_ = r.lines.input.UnreadByte() // cannot fail: the byte was just read
			return &InvalidSampleError{Line: first, Reason: BlankLine, Detail: "a blank line stands before a row"}
		}
	}
}
