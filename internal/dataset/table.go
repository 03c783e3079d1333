package dataset

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// OpenTable opens a file of columns, of which it reads the wanted ones of the outermost.
// A row may have so many bytes as JSON, and columns may be nested in so many levels. Its
// errors and those of the Table, if they are about the data, have the methods Reason and
// Detail, which return strings.
type OpenTable func(file io.ReaderAt, size int64, isWanted func(column string) bool, maxRowBytes, maxDepth int) (Table, error)

// Table is the rows of a file. What is in memory is bounded, whatever the file is.
type Table interface {
	// Columns are the names of all outermost columns of the file.
	Columns() []string
	// Next returns the next row as an object of JSON, which is valid until the next call;
	// of one that is too long, its start. io.EOF: there is none.
	Next() (row []byte, tooLong bool, err error)
	Close()
}

// tableError is about the data of a table. It is known by its methods, because what reads
// tables does not know this package.
type tableError interface {
	error
	Reason() string
	Detail() string
}

// canonicalFields are those of a row of the protocol.
var canonicalFields = []string{"text", "messages", "labels"}

// tableReader reads the samples of a table. Each row becomes a line of JSON, of which the
// sample is then read as any other.
type tableReader struct {
	source  *spooled
	table   Table
	line    int
	size    *cappedSize // of all rows
	objects objectDecoder
	err     error // what ended reading
}

// newTableReader reads the columns of the mapper, or those of the protocol. It closes the
// source.
func newTableReader(source *spooled, open OpenTable, mapper *mapper, size *cappedSize, limits Limits) (*tableReader, error) {
	r := &tableReader{source: source, size: size, objects: newObjectDecoder(mapper, limits)}
	size.stored += source.size
	if err := r.open(open, limits); err != nil {
		r.close()
		return nil, r.explain(err)
	}
	return r, nil
}

func (r *tableReader) open(open OpenTable, limits Limits) error {
	fields := canonicalFields
	if r.objects.mapper != nil {
		fields = r.objects.mapper.record.paths()
	}
	table, err := open(r.source, r.source.size, func(column string) bool { return isNamed(column, fields) || isVerdict(column) }, limits.LineBytes, limits.Depth)
	if err != nil {
		return err
	}
	r.table = table
	return r.checkColumns(fields)
}

// isNamed reports whether a field is the column, or within it behind a dot.
func isNamed(column string, fields []string) bool {
	return slices.ContainsFunc(fields, func(field string) bool {
		return field == column || strings.HasPrefix(field, column) && field[len(column)] == '.'
	})
}

// checkColumns holds that there is something to read.
func (r *tableReader) checkColumns(fields []string) error {
	columns := r.table.Columns()
	switch {
	case r.objects.mapper == nil && !slices.Contains(columns, "text") && !slices.Contains(columns, "messages"):
		return &InvalidDatasetError{Reason: MissingColumn,
			Detail: fmt.Sprintf("the file has neither the column text nor messages, but %s. Set mapping, which says what the columns hold", listNames(columns))}
	case !slices.ContainsFunc(columns, func(column string) bool { return isNamed(column, fields) }):
		return &InvalidDatasetError{Reason: MissingColumn,
			Detail: fmt.Sprintf("the file has none of the columns that mapping names, but %s", listNames(columns))}
	}
	return nil
}

// explain tells data that is wrong from a disk that fails.
func (r *tableReader) explain(err error) error {
	if r.source.err != nil {
		return r.source.err
	}
	if problem, ok := errors.AsType[tableError](err); ok {
		return &InvalidDatasetError{Reason: Reason(problem.Reason()), Detail: problem.Detail()}
	}
	return err
}

// Read decodes the next row into sample, as SampleReader says. A sample's line is the
// number of its row.
func (r *tableReader) Read(sample *Sample) error {
	if r.err != nil {
		return r.err
	}
	row, tooLong, err := r.table.Next()
	r.line++
	switch {
	case isEnd(err):
		return r.end(err)
	case err != nil:
		return r.end(r.explain(err))
	}
	if err := r.size.add(len(row)); err != nil {
		return r.end(err)
	}
	return r.decode(row, tooLong, sample)
}

// decode makes a sample of the row.
func (r *tableReader) decode(row []byte, tooLong bool, sample *Sample) error {
	size := int64(len(row))
	if tooLong {
		return &InvalidSampleError{Line: r.line, Reason: LineTooLong, Bytes: size,
			Detail: fmt.Sprintf("as JSON the row has more than %d bytes", r.objects.rows.limits.LineBytes)}
	}
	if err := r.objects.decode(row, r.line, sample); err != nil {
		if invalid, ok := errors.AsType[*InvalidSampleError](err); ok {
			invalid.Column, invalid.Bytes = 0, size
		}
		return err
	}
	sample.Line, sample.Bytes = r.line, size
	return nil
}

// end remembers what ended reading, and names the row at which it did.
func (r *tableReader) end(err error) error {
	if problem, ok := errors.AsType[*InvalidDatasetError](err); ok {
		located := *problem
		located.Line = r.line
		err = &located
	}
	r.err = err
	r.close()
	return err
}

// close removes the source.
func (r *tableReader) close() {
	if r.source.file == nil {
		return
	}
	if r.table != nil {
		r.table.Close()
	}
	_ = r.source.close()
	r.source.file = nil
}
