package parquet

import (
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// columnBatch is how many values of a column are decoded at a time.
const columnBatch = 256

// columnReader reads the values of a column, in one row group after the other. Each has
// two levels: the definition says how many of the optional and repeated groups around it
// are there, the repetition which of the lists around it goes on. A value that is not
// there has levels, too.
type columnReader struct {
	*schema.Column
	index  int
	append func(row []byte, at int) []byte // appends a value as JSON, or nothing for one that JSON has not

	reader               file.ColumnChunkReader
	pages                *boundedPages
	read                 func(batch int64) (levels int64, values int, err error)
	definitions          []int16
	repetitions          []int16
	levels, level        int // in the batch, and the one that is next
	values, value        int // in the batch, and the one that is next
	maxDefined, maxLists int16
}

func newColumnReader(column *schema.Column, index int) *columnReader {
	return &columnReader{
		Column:      column,
		index:       index,
		definitions: make([]int16, columnBatch),
		repetitions: make([]int16, columnBatch),
		maxDefined:  column.MaxDefinitionLevel(),
		maxLists:    column.MaxRepetitionLevel(),
	}
}

// open starts reading the column of a row group.
func (c *columnReader) open(group *file.RowGroupReader, memory *pageMemory) error {
	pages, err := group.GetColumnPageReader(c.index)
	if err != nil {
		return err
	}
	pages.SetMaxPageHeaderSize(maxHeaderBytes)
	c.pages = &boundedPages{PageReader: pages, column: c.Column}
	// The library's Column does the same, and lets nobody look at pages before they are decoded.
	c.reader = file.NewColumnReader(c.Column, c.pages, memory, nil) //nolint:staticcheck // as said above; columns use no pool
	c.levels, c.level, c.values, c.value = 0, 0, 0, 0
	return c.bind()
}

// bind makes read and append those of the column's type.
func (c *columnReader) bind() error {
	switch reader := c.reader.(type) {
	case *file.BooleanColumnChunkReader:
		bindColumn(c, reader.ReadBatchInPage, appendBoolean)
	case *file.Int32ColumnChunkReader:
		bindColumn(c, reader.ReadBatchInPage, int32Appender(c.Column))
	case *file.Int64ColumnChunkReader:
		bindColumn(c, reader.ReadBatchInPage, int64Appender(c.Column))
	case *file.Int96ColumnChunkReader:
		bindColumn(c, reader.ReadBatchInPage, appendInt96)
	case *file.Float32ColumnChunkReader:
		bindColumn(c, reader.ReadBatchInPage, func(row []byte, value float32) []byte { return appendFloat(row, float64(value), 32) })
	case *file.Float64ColumnChunkReader:
		bindColumn(c, reader.ReadBatchInPage, func(row []byte, value float64) []byte { return appendFloat(row, value, 64) })
	case *file.ByteArrayColumnChunkReader:
		bindColumn(c, reader.ReadBatchInPage, bytesAppender[parquet.ByteArray](c.Column))
	case *file.FixedLenByteArrayColumnChunkReader:
		bindColumn(c, reader.ReadBatchInPage, bytesAppender[parquet.FixedLenByteArray](c.Column))
	default:
		return errors.New("the column is of no known type")
	}
	return nil
}

func bindColumn[T any](c *columnReader,
	read func(batch int64, values []T, definitions, repetitions []int16) (int64, int, error),
	appendValue func(row []byte, value T) []byte,
) {
	values := make([]T, columnBatch)
	c.read = func(batch int64) (int64, int, error) { return read(batch, values, c.definitions, c.repetitions) }
	c.append = func(row []byte, at int) []byte { return appendValue(row, values[at]) }
}

// errColumn is of a column whose pages contradict each other.
var errColumn = errors.New("the levels and the values of a column do not go together")

// fill reads the next batch. io.EOF: the row group has no more.
func (c *columnReader) fill() error {
	if !c.reader.HasNext() {
		if err := c.reader.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	batch := int64(columnBatch)
	if c.pages.prefixed {
		batch = prefixedBatch
	}
	levels, values, err := c.read(batch)
	if err != nil {
		return err
	}
	c.levels, c.level, c.values, c.value = int(levels), 0, values, 0
	if levels == 0 {
		return errColumn
	}
	return nil
}

// peek reads levels if there are none. io.EOF: the row group has no more.
func (c *columnReader) peek() error {
	if c.level < c.levels {
		return nil
	}
	return c.fill()
}

// definition is that of the next value, which peek has found.
func (c *columnReader) definition() int16 {
	if c.maxDefined == 0 {
		return 0
	}
	return c.definitions[c.level]
}

func (c *columnReader) repetition() int16 {
	if c.maxLists == 0 {
		return 0
	}
	return c.repetitions[c.level]
}

// pass goes past the next value.
func (c *columnReader) pass() error {
	if c.definition() >= c.maxDefined {
		c.value++
	}
	c.level++
	if c.value > c.values {
		return errColumn
	}
	return nil
}

// close releases the pages.
func (c *columnReader) close() {
	if c.reader != nil {
		_ = c.reader.Close() // it closes buffers
		c.reader = nil
	}
}
