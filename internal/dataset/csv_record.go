package dataset

import (
	"bytes"
	"errors"
	"fmt"
)

// csvRecords reads the records of CSV (RFC 4180): fields between delimiters, quoted
// where they hold a delimiter, a quote, which is doubled, or a line break. Empty
// lines are no records. It is as strict as encoding/csv, but bounds what a
// record may have.
//
// Where a quote goes wrong on a later line than the record's first, it is most likely
// one that was never closed, and rows are in it. Nobody can tell where the next record
// starts: that is an *InvalidDatasetError.
type csvRecords struct {
	lines     lineReader
	delimiter byte
	line      int   // on which the record starts
	start     int64 // the offset at which it does
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

// width is how many fields there are without the empty ones at the end that are more than
// so many.
func (r *csvRecord) width(most int) int {
	width := len(r.ends)
	for width > most && len(r.field(width-1)) == 0 {
		width--
	}
	return width
}

// read reads the next record. After one that is invalid it goes on with the next
// line.
func (r *csvRecords) read() error {
	if r.lines.err != nil {
		return r.lines.err
	}
	line, err := r.firstLine()
	r.line = r.lines.line
	if isTooLong(err) {
		return r.tooLong(r.lines.quotes%2 == 1)
	}
	if err != nil {
		return r.lines.end(err, r.start)
	}
	r.data, r.ends = r.data[:0], r.ends[:0]
	for {
		if len(line) > 0 && line[0] == '"' {
			line, err = r.quoted(line[1:])
		} else {
			line, err = r.plain(line)
		}
		if err != nil {
			return r.lines.end(err, r.start)
		}
		r.ends = append(r.ends, len(r.data))
		if line == nil {
			return nil
		}
	}
}

// firstLine is the next that is not empty.
func (r *csvRecords) firstLine() ([]byte, error) {
	for {
		r.start = r.lines.offset()
		line, err := r.lines.readRow()
		if len(line) > 0 || err != nil {
			return line, err
		}
	}
}

// plain reads a field without quotes. It returns what follows the delimiter after
// it; nil when it was the last.
func (r *csvRecords) plain(line []byte) ([]byte, error) {
	field, rest, more := line, []byte(nil), false
	if end := bytes.IndexByte(line, r.delimiter); end >= 0 {
		field, rest, more = line[:end], line[end+1:], true
	}
	if bytes.IndexByte(field, '"') >= 0 {
		if bytes.TrimLeft(field, " \t")[0] == '"' {
			return nil, r.invalidQuoting("white space stands before a field's quote, which has to be its first character")
		}
		return nil, r.invalidQuoting("a field has a quote, but does not start with one")
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
		case line[0] == r.delimiter:
			return line[1:], nil
		case line[0] != '"':
			return nil, r.invalidQuoting("something else than the delimiter follows a field's closing quote")
		}
		r.data = append(r.data, '"')
		line = line[1:]
	}
}

// continued reads the next line of a quoted field.
func (r *csvRecords) continued() ([]byte, error) {
	line, err := r.lines.readLine()
	switch {
	case isEnd(err):
		return nil, r.unclosedQuote("at the end of the part")
	case isTooLong(err):
		return nil, r.tooLong(r.lines.quotes%2 == 0)
	case err != nil:
		return nil, err
	case len(r.data)+len(line) > r.lines.maxBytes:
		return nil, r.tooLong(bytes.Count(line, []byte{'"'})%2 == 0)
	}
	return line, nil
}

// tooLong reads on to the end of the record, of which nothing is kept any more.
// Quoted tells whether its line so far ends in quotes.
func (r *csvRecords) tooLong(quoted bool) error {
	for quoted {
		line, err := r.lines.readLine()
		quotes := bytes.Count(line, []byte{'"'})
		switch {
		case isEnd(err):
			return r.lines.end(r.unclosedQuote("at the end of the part"), r.start)
		case isTooLong(err):
			quotes = r.lines.quotes
		case err != nil:
			return r.lines.end(err, r.start)
		}
		quoted = quotes%2 == 0
	}
	return r.lines.end(r.invalid(LineTooLong, fmt.Sprintf("the record has more than %d bytes; perhaps a quote is not closed", r.lines.maxBytes)), r.start)
}

// isTooLong reports whether a line was too long to be kept.
func isTooLong(err error) bool {
	_, tooLong := errors.AsType[*InvalidSampleError](err)
	return tooLong
}

func (r *csvRecords) invalid(reason Reason, detail string) error {
	return &InvalidSampleError{Line: r.line, Reason: reason, Detail: detail}
}

func (r *csvRecords) invalidQuoting(detail string) error {
	if r.lines.line > r.line {
		return r.unclosedQuote(fmt.Sprintf("where line %d has the next one", r.lines.line))
	}
	return r.invalid(InvalidQuoting, detail)
}

func (r *csvRecords) unclosedQuote(where string) error {
	return &InvalidDatasetError{Line: r.line, Reason: UnclosedQuote,
		Detail: fmt.Sprintf("a quote that opens in the record that starts here is not closed %s. Close it, or double it if it belongs to the text", where)}
}
