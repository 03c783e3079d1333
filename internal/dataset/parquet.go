package dataset

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
)

// canonicalFields are those of a row of the protocol.
var canonicalFields = []string{"text", "messages", "labels"}

// parquetReader reads the samples of a Parquet file. Each row becomes a line of JSON, of
// which the sample is then read as any other. Of the rows a batch is in memory, and of the
// file a page of each column.
type parquetReader struct {
	source  *spooled
	file    *file.Reader
	nodes   []*parquetNode
	columns []*parquetColumn
	memory  pageMemory

	group     int   // the row group being read, from 0; -1: none
	groupRows int64 // that are left of it
	row       parquetRow
	line      int
	size      *cappedSize // of all rows
	objects   objectDecoder
	err       error // what ended reading
}

// newParquetReader reads the columns of the fields, or those of the protocol. It closes
// the source.
func newParquetReader(source *spooled, fields []string, size *cappedSize, limits Limits) (*parquetReader, error) {
	r := &parquetReader{
		source:  source,
		group:   -1,
		row:     parquetRow{most: limits.LineBytes},
		size:    size,
		objects: newObjectDecoder(nil, limits),
	}
	size.stored += source.size
	if err := r.guard(func() error { return r.open(fields) }); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// guard makes an error of what the library panics with: it does so at logical types that
// it does not know, and at memory that it does not get. Its other errors it returns.
func (r *parquetReader) guard(read func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err, _ = cause.(error)
			if err == nil {
				err = fmt.Errorf("%v", cause)
			}
		}
		err = r.explain(err)
	}()
	return read()
}

// explain tells data that is wrong from a disk that fails.
func (r *parquetReader) explain(err error) error {
	problem, isProblem := errors.AsType[*InvalidDatasetError](err)
	switch {
	case err == nil, isEnd(err):
		return err
	case r.source.err != nil:
		return r.source.err
	case isProblem:
		return problem
	case errors.Is(err, errPages), errors.Is(err, errPage), strings.Contains(err.Error(), "exceeds configured limit"):
		return &InvalidDatasetError{Reason: UnsupportedParquet,
			Detail: fmt.Sprintf("the pages of row group %d are too large: one may have %d bytes, those of all columns together %d. Write smaller pages or row groups, such as by ROW_GROUP_SIZE 20480 of DuckDB or row_group_size=20000 of pandas",
				r.group+1, maxPageBytes, maxPagesBytes)}
	case r.group < 0:
		return corruptParquet("its footer cannot be read")
	}
	return corruptParquet("row group %d cannot be read", r.group+1)
}

// open reads the footer and finds the columns.
func (r *parquetReader) open(fields []string) error {
	if err := boundCodecs(); err != nil {
		return err
	}
	if err := checkFooter(r.source, r.objects.rows.limits.Depth); err != nil {
		return err
	}
	properties := parquet.NewReaderProperties(&r.memory)
	properties.BufferedStreamEnabled = true // of a column no more than a page is held
	properties.PageStreamingEnabled = true  // nor, where that is possible, a whole page
	properties.MaxCompressedPageSize = maxPageBytes
	properties.MaxUncompressedPageSize = maxPageBytes
	var err error
	if r.file, err = file.NewParquetReader(r.source, file.WithReadProps(properties)); err != nil {
		return err
	}
	if err := r.findColumns(fields); err != nil {
		return err
	}
	return r.checkGroups()
}

func (r *parquetReader) findColumns(fields []string) (err error) {
	named := parquetSchema{schema: r.file.MetaData().Schema}
	wanted := fields
	if fields == nil {
		wanted = canonicalFields
	}
	if r.nodes, err = named.nodes(wanted); err != nil {
		return err
	}
	r.columns = named.columns
	switch {
	case fields == nil && named.schema.Root().FieldIndexByName("text") < 0 && named.schema.Root().FieldIndexByName("messages") < 0:
		return &InvalidDatasetError{Reason: MissingColumn,
			Detail: fmt.Sprintf("the file has neither the column text nor messages, but %s. Set mapping, which says what the columns hold", named.names())}
	case len(r.nodes) == 0:
		return &InvalidDatasetError{Reason: MissingColumn,
			Detail: fmt.Sprintf("the file has none of the columns that mapping names, but %s", named.names())}
	}
	return nil
}

// checkGroups holds that the row groups have the rows of the file and codecs that are known.
func (r *parquetReader) checkGroups() error {
	rows := int64(0)
	for i := range r.file.NumRowGroups() {
		group := r.file.MetaData().RowGroup(i)
		if group.NumRows() < 0 || group.NumColumns() != r.file.MetaData().NumColumns() {
			return corruptParquet("its row groups contradict its columns")
		}
		rows += group.NumRows()
		for _, column := range r.columns {
			chunk, err := group.ColumnChunk(column.index)
			if err != nil {
				return err
			}
			if chunk.CryptoMetadata() != nil {
				return errEncryptedParquet
			}
			if !isReadable(chunk.Compression()) {
				return &InvalidDatasetError{Reason: UnsupportedParquet,
					Detail: fmt.Sprintf("the columns are compressed by %v; write them with zstd, snappy, gzip, brotli or LZ4_RAW", chunk.Compression())}
			}
		}
	}
	if rows != r.file.NumRows() {
		return corruptParquet("its row groups have not as many rows as it says")
	}
	return nil
}

func isReadable(codec compress.Compression) bool {
	switch codec {
	case compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Gzip, compress.Codecs.Brotli, compress.Codecs.Zstd, compress.Codecs.Lz4Raw:
		return true
	}
	return false
}

// Read decodes the next row into sample, as SampleReader says. A sample's line is the
// number of its row.
func (r *parquetReader) Read(sample *Sample) error {
	if r.err != nil {
		return r.err
	}
	if err := r.guard(r.readRow); err != nil {
		return r.end(err, r.line+1)
	}
	if err := r.size.add(len(r.row.json)); err != nil {
		return r.end(err, r.line)
	}
	return r.decode(sample)
}

// decode makes a sample of the row.
func (r *parquetReader) decode(sample *Sample) error {
	size := int64(len(r.row.json))
	if r.row.tooLong {
		return &InvalidSampleError{Line: r.line, Reason: LineTooLong, Bytes: size,
			Detail: fmt.Sprintf("as JSON the row has more than %d bytes", r.row.most)}
	}
	if err := r.objects.decode(r.row.json, r.line, sample); err != nil {
		if invalid, ok := errors.AsType[*InvalidSampleError](err); ok {
			invalid.Column, invalid.Bytes = 0, size
		}
		return err
	}
	sample.Line, sample.Bytes = r.line, size
	return nil
}

// end remembers what ended reading, and names the row at which it did.
func (r *parquetReader) end(err error, line int) error {
	if problem, ok := errors.AsType[*InvalidDatasetError](err); ok {
		located := *problem
		located.Line = line
		err = &located
	}
	r.err = err
	r.close()
	return err
}

// readRow makes JSON of the next row.
func (r *parquetReader) readRow() error {
	for r.groupRows == 0 {
		if err := r.nextGroup(); err != nil {
			return err
		}
	}
	if err := r.row.record(r.nodes); err != nil {
		return err
	}
	for _, column := range r.columns {
		if err := r.expectRow(column); err != nil {
			return err
		}
	}
	r.groupRows--
	r.line++
	return nil
}

// expectRow holds that the column is at the start of a row, or at its end with the others.
func (r *parquetReader) expectRow(column *parquetColumn) error {
	err := column.peek()
	switch {
	case isEnd(err) && r.groupRows == 1:
		return nil
	case err != nil:
		return ended(err)
	case r.groupRows == 1 || column.repetition() != 0:
		return errColumn
	}
	return nil
}

func (r *parquetReader) nextGroup() error {
	r.closeColumns()
	if r.group+1 == r.file.NumRowGroups() {
		return io.EOF
	}
	r.group++
	r.memory.used = 0
	group := r.file.RowGroup(r.group)
	r.groupRows = group.NumRows()
	for _, column := range r.columns {
		if err := column.open(group, &r.memory); err != nil {
			return err
		}
	}
	return nil
}

func (r *parquetReader) closeColumns() {
	for _, column := range r.columns {
		column.close()
	}
}

// close removes the source.
func (r *parquetReader) close() {
	if r.source.file == nil {
		return
	}
	r.closeColumns()
	_ = r.source.close()
	r.source.file = nil
}
