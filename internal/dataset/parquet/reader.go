package parquet

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
)

// Reader reads the rows of a Parquet file. Of the rows a batch is in memory, and of the
// file a page of each column.
type Reader struct {
	file    *file.Reader
	nodes   []*fieldNode
	columns []*columnReader
	memory  pageMemory

	group     int   // the row group being read, from 0; -1: none
	groupRows int64 // that are left of it
	row       jsonRow
}

// Open returns a Reader of the wanted ones of a file's outermost columns. A row may have
// so many bytes as JSON, and columns may be nested in so many levels. Errors of Open and
// of the Reader are of type *Error.
func Open(source io.ReaderAt, size int64, isWanted func(column string) bool, maxRowBytes, maxDepth int) (*Reader, error) {
	r := &Reader{group: -1, row: jsonRow{most: maxRowBytes}}
	if err := r.guard(func() error { return r.open(io.NewSectionReader(source, 0, size), isWanted, maxDepth) }); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Columns are the names of all outermost columns of the file.
func (r *Reader) Columns() (names []string) {
	root := r.file.MetaData().Schema.Root()
	for i := range root.NumFields() {
		names = append(names, root.Field(i).Name())
	}
	return names
}

// Next returns the next row, which is valid until the next call; of one that is too long,
// its start. It returns io.EOF after the last one. An error ends reading.
func (r *Reader) Next() (row []byte, tooLong bool, err error) {
	err = r.guard(r.readRow)
	return r.row.json, r.row.tooLong, err
}

// Close releases the pages.
func (r *Reader) Close() { r.closeColumns() }

func (r *Reader) closeColumns() {
	for _, column := range r.columns {
		column.close()
	}
}

// guard makes an error of what the library panics with: it does so at logical types that
// it does not know, and at memory that it does not get. Its other errors it returns.
func (r *Reader) guard(read func() error) (err error) {
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

// explain says what is wrong with the data.
func (r *Reader) explain(err error) error {
	problem, isProblem := errors.AsType[*Error](err)
	switch {
	case err == nil, isEnd(err):
		return err
	case isProblem:
		return problem
	case errors.Is(err, errPages), errors.Is(err, errPage), strings.Contains(err.Error(), "exceeds configured limit"):
		return unsupported("the pages of row group %d are too large: one may have %d bytes, those of all columns together %d. Write smaller pages or row groups, such as by ROW_GROUP_SIZE 20480 of DuckDB or row_group_size=20000 of pandas",
			r.group+1, maxPageBytes, maxPagesBytes)
	case r.group < 0:
		return corrupt("its footer cannot be read")
	}
	return corrupt("row group %d cannot be read", r.group+1)
}

// isEnd reports whether reading came to its end. An end that is wrapped is that
// of something else, and a failure.
func isEnd(err error) bool {
	return err == io.EOF //nolint:errorlint // as said above
}

// open reads the footer and finds the columns.
func (r *Reader) open(source *io.SectionReader, isWanted func(column string) bool, maxDepth int) error {
	if err := boundCodecs(); err != nil {
		return err
	}
	if err := checkFooter(source, maxDepth); err != nil {
		return err
	}
	properties := parquet.NewReaderProperties(&r.memory)
	properties.BufferedStreamEnabled = true // of a column no more than a page is held
	properties.PageStreamingEnabled = true  // nor, where that is possible, a whole page
	properties.MaxCompressedPageSize = maxPageBytes
	properties.MaxUncompressedPageSize = maxPageBytes
	var err error
	if r.file, err = file.NewParquetReader(source, file.WithReadProps(properties)); err != nil {
		return err
	}
	named := fileSchema{schema: r.file.MetaData().Schema}
	if r.nodes, err = named.nodes(isWanted); err != nil {
		return err
	}
	r.columns = named.columns
	return r.checkGroups()
}

// checkGroups holds that the row groups have the rows of the file and codecs that are known.
func (r *Reader) checkGroups() error {
	rows := int64(0)
	for i := range r.file.NumRowGroups() {
		group := r.file.MetaData().RowGroup(i)
		if group.NumRows() < 0 || group.NumColumns() != r.file.MetaData().NumColumns() {
			return corrupt("its row groups contradict its columns")
		}
		rows += group.NumRows()
		for _, column := range r.columns {
			chunk, err := group.ColumnChunk(column.index)
			if err != nil {
				return err
			}
			if chunk.CryptoMetadata() != nil {
				return errEncrypted
			}
			if !isReadable(chunk.Compression()) {
				return unsupported("the columns are compressed by %v; write them with zstd, snappy, gzip, brotli or LZ4_RAW", chunk.Compression())
			}
		}
	}
	if rows != r.file.NumRows() {
		return corrupt("its row groups have not as many rows as it says")
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

// readRow makes JSON of the next row.
func (r *Reader) readRow() error {
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
	return nil
}

// expectRow holds that the column is at the start of a row, or at its end with the others.
func (r *Reader) expectRow(column *columnReader) error {
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

func (r *Reader) nextGroup() error {
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
