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
	lines      lineReader
	decoder    decoder
	beginsFile func(offset int64) bool
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader, limits Limits) *Reader {
	return &Reader{lines: newLineReader(r, limits), decoder: newDecoder(limits), beginsFile: func(int64) bool { return false }}
}

// JoinedAt tells the Reader at which offsets files begin that were joined: each may
// end with blank lines. It is asked for offsets from which something was read.
func (r *Reader) JoinedAt(beginsFile func(offset int64) bool) *Reader {
	r.beginsFile = beginsFile
	return r
}

// Read decodes the next row into sample, as SampleReader says.
func (r *Reader) Read(sample *Sample) error {
	if r.lines.err != nil {
		return r.lines.err
	}
	line, err := r.lines.readRow()
	if err == nil && isBlank(line) {
		line, err = r.readAfterBlank()
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

// readAfterBlank goes on after the blank line just read. It fails if the next row is
// of the same file.
func (r *Reader) readAfterBlank() ([]byte, error) {
	first := r.lines.line
	start, err := r.skipBlank()
	if err != nil {
		return nil, err
	}
	if !r.beginsFile(start) {
		return nil, &InvalidSampleError{Line: first, Reason: BlankLine, Detail: "a blank line stands before a row"}
	}
	return r.lines.readRow()
}

// skipBlank goes on to the first byte that is neither white space nor of a line's
// byte order mark. Of them nothing is held, and any amount is fine. It returns where
// the line of that byte starts.
func (r *Reader) skipBlank() (start int64, err error) {
	for atStart := true; ; {
		if atStart {
			start = r.lines.offset()
			if err := r.lines.skipMark(); err != nil {
				return 0, err
			}
		}
		c, err := r.lines.input.ReadByte()
		if err != nil {
			return 0, err
		}
		atStart = c == '\n'
		switch c {
		case '\n':
			r.lines.line++
		case ' ', '\t', '\r':
		default:
			r.lines.begun = true
			return start, r.lines.input.UnreadByte() // which cannot fail: the byte was just read
		}
	}
}
