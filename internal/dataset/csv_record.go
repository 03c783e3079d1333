package dataset

import (
	"bytes"
	"errors"
	"fmt"
)

// csvRecords reads the records of CSV (RFC 4180): fields between commas, quoted
// where they hold a comma, a quote, which is doubled, or a line break. Empty
// lines are no records. It is as strict as encoding/csv, but bounds what a
// record may have, also one whose quote is never closed.
type csvRecords struct {
	lines lineReader
	line  int // on which the record starts
	csvRecord
}

// csvRecord is valid until the next is read.
type csvRecord struct {
	data []byte // the fields, one after the other
	ends []int  // of the fields in data
}

func (r *csvRecord) field(i int) []byte {
	start := 0
	if i > 0 {
		start = r.ends[i-1]
	}
	return r.data[start:r.ends[i]]
}

// read reads the next record. After one that is invalid it goes on with the next
// line.
func (r *csvRecords) read() error {
	if r.lines.err != nil {
		return r.lines.err
	}
	var line []byte
	for len(line) == 0 {
		var err error
		if line, err = r.lines.readRow(); err != nil {
			return r.lines.end(err)
		}
	}
	r.line = r.lines.line
	r.data, r.ends = r.data[:0], r.ends[:0]
	for {
		var err error
		if len(line) > 0 && line[0] == '"' {
			line, err = r.quoted(line[1:])
		} else {
			line, err = r.plain(line)
		}
		if err != nil {
			return err
		}
		r.ends = append(r.ends, len(r.data))
		if line == nil {
			return nil
		}
	}
}

// plain reads a field without quotes. It returns what follows the comma after
// it; nil when it was the last.
func (r *csvRecords) plain(line []byte) ([]byte, error) {
	field, rest, more := bytes.Cut(line, []byte{','})
	if bytes.IndexByte(field, '"') >= 0 {
		return nil, r.invalid(InvalidQuoting, "a field has a quote, but does not start with one")
	}
	r.data = append(r.data, field...)
	if !more {
		return nil, nil
	}
	return rest, nil
}

// quoted reads a field after its first quote, as plain does.
func (r *csvRecords) quoted(line []byte) ([]byte, error) {
	for {
		quote := bytes.IndexByte(line, '"')
		if quote < 0 {
			r.data = append(append(r.data, line...), '\n')
			var err error
			if line, err = r.continued(); err != nil {
				return nil, err
			}
			continue
		}
		r.data = append(r.data, line[:quote]...)
		line = line[quote+1:]
		switch {
		case len(line) == 0:
			return nil, nil
		case line[0] == ',':
			return line[1:], nil
		case line[0] != '"':
			return nil, r.invalid(InvalidQuoting, "something other than a comma follows a field's closing quote")
		}
		r.data = append(r.data, '"')
		line = line[1:]
	}
}

// continued reads the next line of a quoted field.
func (r *csvRecords) continued() ([]byte, error) {
	line, err := r.lines.readLine()
	if err != nil {
		err = r.lines.end(err)
	}
	if isEnd(err) {
		return nil, r.invalid(UnclosedQuote, "a field's quote is never closed")
	}
	_, tooLong := errors.AsType[*InvalidSampleError](err)
	if tooLong || len(r.data)+len(line) > r.lines.maxBytes {
		return nil, r.invalid(LineTooLong, fmt.Sprintf("the record has more than %d bytes; perhaps a quote is not closed", r.lines.maxBytes))
	}
	return line, err
}

func (r *csvRecords) invalid(reason Reason, detail string) error {
	return &InvalidSampleError{Line: r.line, Reason: reason, Detail: detail}
}
