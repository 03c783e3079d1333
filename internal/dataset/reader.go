package dataset

import (
	"bytes"
	"errors"
	"io"
)

// SampleReader reads the samples of a dataset, whatever their format.
//
// Read decodes the next sample. It returns io.EOF after the last one, an
// *InvalidSampleError for one that is bad and ErrFiltered for one that is left out;
// after these two reading may go on. An *InvalidDatasetError says that the data cannot
// be read any further; any other error is the underlying reader's. Both end reading.
type SampleReader interface {
	Read(sample *Sample) error
}

// Reader reads the rows of a dataset in JSON Lines.
type Reader struct {
	lines   lineReader
	objects objectDecoder
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader, limits Limits) *Reader {
	return newMappedReader(r, nil, limits)
}

// newMappedReader returns a Reader of records that the mapper makes rows of.
func newMappedReader(r io.Reader, mapper *mapper, limits Limits) *Reader {
	return &Reader{lines: newLineReader(r, limits), objects: newObjectDecoder(mapper, limits)}
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
	if err := r.objects.decode(line, r.lines.line, sample); err != nil {
		return r.lines.end(err, start)
	}
	sample.Line, sample.Bytes = r.lines.line, r.lines.offset()-start
	return nil
}

// objectDecoder makes samples of objects of JSON, whatever format they were in.
type objectDecoder struct {
	rows   decoder
	mapper *mapper // of records of another shape; nil: the objects are rows of the protocol
}

func newObjectDecoder(mapper *mapper, limits Limits) objectDecoder {
	return objectDecoder{rows: newDecoder(limits), mapper: mapper}
}

// decode makes a sample of the object that starts on the line. Its errors are ErrFiltered
// and *InvalidSampleError.
func (d *objectDecoder) decode(object []byte, line int, sample *Sample) error {
	if d.mapper != nil {
		return locatedOn(line, d.mapper.decode(object, sample))
	}
	if d.rows.decode(object, sample) {
		return nil
	}
	problem := d.rows.problem
	return locatedOn(line, &problem)
}

// locatedOn notes the line in an error that is about a row.
func locatedOn(line int, err error) error {
	if invalid, ok := errors.AsType[*InvalidSampleError](err); ok {
		invalid.Line = line
	}
	return err
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
// byte order marks. Of them nothing is held, and any amount is fine.
func (r *Reader) skipBlank() error {
	for atStart := true; ; {
		if atStart {
			if err := r.lines.skipMarks(); err != nil {
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
