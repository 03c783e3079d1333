package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// CSVOptions say how CSV is written and which columns hold what. The columns are named
// by the header, which is the first record of each part; white space around a name is
// not of the name.
type CSVOptions struct {
	Delimiter    byte // between fields; 0: a comma
	TextColumn   string
	LabelColumns []CSVLabelColumn
}

// CSVLabelColumn is a column with the labels of one target. A row whose cell is
// empty says nothing of the target.
type CSVLabelColumn struct {
	Column    string
	Target    string // empty: Column
	Separator string // between the labels of a cell, which white space may surround; empty: a cell is one label
}

// target is the name of the target that the column's labels belong to.
func (c *CSVLabelColumn) target() string {
	if c.Target == "" {
		return c.Column
	}
	return c.Target
}

func (o *CSVOptions) delimiter() byte {
	if o.Delimiter == 0 {
		return ','
	}
	return o.Delimiter
}

// CSVReader reads the samples of CSV (RFC 4180). Their Raw is a row of JSON Lines.
// A record that has the header's names again, in whatever order, is a header: files
// are often joined that each have one.
type CSVReader struct {
	records csvRecords
	options CSVOptions
	part    string
	first   *csvHeader // of all parts
	header  csvHeader  // of this part; without names it was not read
	columns []int      // of the label columns
	text    int        // the text column
	row     []byte
	decoder decoder
	mapper  *mapper // which says what columns hold instead of the options; nil: the options do
	fields  []int   // the columns of the mapper's fields; -1: there is none
	noted   []int   // the columns in which a label tool may speak against a record
}

// NewCSVReader returns a CSVReader of r.
func NewCSVReader(r io.Reader, options CSVOptions, limits Limits) *CSVReader {
	return newCSVPart(r, options, limits, "", &csvHeader{})
}

// newCSVPart reads a part of which the header has to have the columns of the first one.
func newCSVPart(r io.Reader, options CSVOptions, limits Limits, part string, first *csvHeader) *CSVReader {
	return &CSVReader{
		records: csvRecords{lines: newLineReader(r, limits), delimiter: options.delimiter()},
		options: options,
		part:    part,
		first:   first,
		decoder: newDecoder(limits),
	}
}

// Read decodes the next record into sample, as SampleReader says. What is wrong
// with the header is an *InvalidDatasetError. A sample's line is the one on
// which its record starts.
func (r *CSVReader) Read(sample *Sample) error {
	if len(r.header.names) == 0 {
		if err := r.readSeparator(); err != nil {
			return r.records.lines.end(err, 0)
		}
		if err := r.readHeader(); err != nil {
			return r.records.lines.end(err, r.records.start)
		}
	}
	if err := r.readRecord(); err != nil {
		return err
	}
	if err := r.decode(sample); err != nil {
		return r.records.lines.end(err, r.records.start)
	}
	sample.Line, sample.Bytes = r.records.line, r.records.lines.offset()-r.records.start
	return nil
}

// readRecord reads the next record that is no header, and not one of empty fields alone,
// which spreadsheets write of rows that were cleared.
func (r *CSVReader) readRecord() error {
	for {
		if err := r.records.read(); err != nil {
			return err
		}
		if len(r.records.data) == 0 && len(r.records.ends) > 1 {
			continue
		}
		if !r.header.isRepeated(&r.records.csvRecord) {
			return nil
		}
		if err := r.findColumns(); err != nil {
			return r.records.lines.end(err, r.records.start)
		}
	}
}

// decode makes a sample of the record.
func (r *CSVReader) decode(sample *Sample) error {
	switch got, want := r.records.width(len(r.header.names)), len(r.header.names); {
	case got > want:
		return r.records.invalid(RaggedRow, fmt.Sprintf("the record has %d fields, the header has %d: a text with the delimiter in it needs quotes, a column of row names a name", got, want))
	case got < r.header.width:
		return r.records.invalid(RaggedRow, fmt.Sprintf("the record has %d fields, the header has %d", got, want))
	}
	if err := r.decodeRow(sample); err != nil {
		return err
	}
	sample.Doubt = r.doubt(sample)
	return nil
}

// decodeRow makes a sample of the record as the options, or the mapper, say.
func (r *CSVReader) decodeRow(sample *Sample) error {
	if r.mapper != nil {
		return r.decodeMapped(sample)
	}
	r.buildRow()
	if len(r.row) > r.decoder.limits.LineBytes {
		return r.records.invalid(LineTooLong, fmt.Sprintf("as JSON the record has more than %d bytes", r.decoder.limits.LineBytes))
	}
	if !r.decoder.decode(r.row, sample) {
		return r.records.invalid(r.decoder.problem.Reason, r.decoder.problem.Detail)
	}
	return nil
}

// doubt is what speaks against the record, if anything does.
func (r *CSVReader) doubt(sample *Sample) string {
	for _, column := range r.noted {
		if column >= len(r.records.ends) {
			continue // an empty cell, which was left out
		}
		if doubt := doubtOf(r.header.names[column], r.records.field(column)); doubt != "" {
			return doubt
		}
	}
	if name := r.textName(); name != "" && strings.EqualFold(sample.Text, name) {
		return doubtHeader
	}
	return ""
}

// textName is the name of the column that has the text.
func (r *CSVReader) textName() string {
	if r.mapper != nil {
		return r.mapper.mapping.Text
	}
	return r.options.TextColumn
}

// isRead reports whether somebody said what the column is for.
func (r *CSVReader) isRead(column string) bool {
	if r.mapper != nil {
		return r.mapper.record.index(column) >= 0
	}
	return column == r.options.TextColumn || slices.ContainsFunc(r.options.LabelColumns, func(label CSVLabelColumn) bool { return label.Column == column })
}

// readSeparator reads the line that may name the delimiter, as Excel reads it.
func (r *CSVReader) readSeparator() error {
	if err := r.records.lines.skipMarks(); err != nil {
		return err
	}
	head, err := r.records.lines.input.Peek(separatorBytes)
	if err != nil && !isEnd(err) {
		return err
	}
	if delimiter, size := separatorLine(head); size > 0 {
		r.records.delimiter = delimiter
		_, err = r.records.lines.readLine()
		return err
	}
	return nil
}

// decodeMapped makes a sample of the record as of an object of its columns.
func (r *CSVReader) decodeMapped(sample *Sample) error {
	r.buildObject()
	if len(r.row) > r.decoder.limits.LineBytes {
		return r.records.invalid(LineTooLong, fmt.Sprintf("as JSON the record has more than %d bytes", r.decoder.limits.LineBytes))
	}
	err := locatedOn(r.records.line, r.mapper.decode(r.row, sample))
	if invalid, ok := errors.AsType[*InvalidSampleError](err); ok {
		invalid.Column = 0 // which would be that of the object
	}
	return err
}

// buildObject makes an object of the columns that the mapper reads.
func (r *CSVReader) buildObject() {
	row := append(r.row[:0], '{')
	for i, column := range r.fields {
		if column < 0 {
			continue
		}
		if len(row) > 1 {
			row = append(row, ',')
		}
		row = appendQuoted(row, []byte(r.mapper.record.fields[i].path))
		row = append(row, ':')
		row = appendQuoted(row, r.records.field(column))
	}
	r.row = append(row, '}')
}

// readHeader reads the part's first record.
func (r *CSVReader) readHeader() error {
	err := r.records.read()
	if isEnd(err) {
		return invalidHeader(1, InvalidHeader, "the data is empty; the first record has to name the columns")
	}
	if invalid, ok := errors.AsType[*InvalidSampleError](err); ok {
		return invalidHeader(invalid.Line, InvalidHeader, "%s (%s)", invalid.Detail, invalid.Reason)
	}
	if err != nil {
		return err
	}
	return r.findColumns()
}

// findColumns takes the record for the header.
func (r *CSVReader) findColumns() error {
	if !utf8.Valid(r.records.data) {
		return invalidHeader(r.records.line, InvalidHeader, "the header is not UTF-8")
	}
	header := newCSVHeader(&r.records.csvRecord, r.part)
	if len(r.first.names) == 0 {
		*r.first = header
	} else if detail := header.differenceFrom(r.first); detail != "" {
		return invalidHeader(r.records.line, DifferentHeader, "%s", detail)
	}
	r.header = header
	r.findNoted()
	if r.mapper != nil {
		return r.findFields()
	}
	return r.findNamedColumns()
}

// findNoted finds the columns in which a label tool may speak against a record, and that
// nothing else is read from.
func (r *CSVReader) findNoted() {
	r.noted = r.noted[:0]
	for i, name := range r.header.names {
		if isVerdict(name) && !r.isRead(name) {
			r.noted = append(r.noted, i)
		}
	}
}

// findFields finds the columns that the mapper reads. Those that the names of folders
// have need not be there.
func (r *CSVReader) findFields() error {
	r.fields = r.fields[:0]
	for i := range r.mapper.record.fields {
		field := &r.mapper.record.fields[i]
		if field.folder != nil && len(r.header.columns(field.path)) == 0 {
			r.fields = append(r.fields, -1)
			continue
		}
		column, err := r.column(field.path)
		if err != nil {
			return err
		}
		r.fields = append(r.fields, column)
	}
	return nil
}

// findNamedColumns finds the columns that the options name.
func (r *CSVReader) findNamedColumns() (err error) {
	if r.text, err = r.column(r.options.TextColumn); err != nil {
		return err
	}
	var targets []string
	r.columns = r.columns[:0]
	for i := range r.options.LabelColumns {
		label := &r.options.LabelColumns[i]
		if slices.Contains(targets, label.target()) {
			return invalidHeader(r.records.line, DuplicateTarget, "two columns are of the target %q", label.target())
		}
		targets = append(targets, label.target())
		column, err := r.column(label.Column)
		if err != nil {
			return err
		}
		r.columns = append(r.columns, column)
	}
	return nil
}

// column finds the column that the header names so.
func (r *CSVReader) column(name string) (int, error) {
	switch found := r.header.columns(name); len(found) {
	case 1:
		return found[0], nil
	case 0:
		return 0, invalidHeader(r.records.line, MissingColumn, "the first record, which has to be the header and has %d fields between %s, has no column %q%s",
			len(r.header.names), delimiterName(r.records.delimiter), name, r.header.hint(name))
	default:
		return 0, invalidHeader(r.records.line, DuplicateColumn, "the header has the column %q twice", name)
	}
}

func invalidHeader(line int, reason Reason, format string, args ...any) error {
	return &InvalidDatasetError{Line: line, Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// buildRow makes a row of JSON Lines of the record. Whether it is a valid one is
// the decoder's matter.
func (r *CSVReader) buildRow() {
	row := append(r.row[:0], `{"text":`...)
	row = appendQuoted(row, r.records.field(r.text))
	row = append(row, `,"labels":{`...)
	empty := len(row)
	for i, column := range r.columns {
		cell := r.records.field(column)
		if len(cell) == 0 {
			continue
		}
		if len(row) > empty {
			row = append(row, ',')
		}
		row = appendQuoted(row, []byte(r.options.LabelColumns[i].target()))
		row = append(row, ':')
		if separator := r.options.LabelColumns[i].Separator; separator != "" {
			row = appendList(row, cell, separator)
		} else {
			row = appendQuoted(row, cell)
		}
	}
	r.row = append(row, "}}"...)
}

// appendList appends a cell's labels as an array of JSON.
func appendList(row, cell []byte, separator string) []byte {
	row = append(row, '[')
	for more := true; more; {
		var label []byte
		label, cell, more = bytes.Cut(cell, []byte(separator))
		row = appendQuoted(row, bytes.TrimSpace(label))
		if more {
			row = append(row, ',')
		}
	}
	return append(row, ']')
}

// appendQuoted appends the text as a string of JSON.
func appendQuoted(row, text []byte) []byte {
	const digits = "0123456789abcdef"
	row = append(row, '"')
	for len(text) > 0 {
		end, _ := plainEnd(text, 0)
		row = append(row, text[:end]...)
		if end == len(text) {
			break
		}
		switch c := text[end]; c {
		case '"', '\\':
			row = append(row, '\\', c)
		case '\n':
			row = append(row, `\n`...)
		case '\r':
			row = append(row, `\r`...)
		case '\t':
			row = append(row, `\t`...)
		default:
			row = append(row, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xF])
		}
		text = text[end+1:]
	}
	return append(row, '"')
}
