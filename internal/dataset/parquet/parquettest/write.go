// Package parquettest writes Parquet for tests.
package parquettest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// Write writes rows, an array of JSON, as Arrow's programs do, pandas among them.
func Write(t testing.TB, rows string, fields []arrow.Field, properties ...parquet.WriterProperty) string {
	t.Helper()
	columns := arrow.NewSchema(fields, nil)
	record, _, err := array.RecordFromJSON(memory.DefaultAllocator, columns, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	defer record.Release()
	var written bytes.Buffer
	writer, err := pqarrow.NewFileWriter(columns, &written, parquet.NewWriterProperties(properties...), pqarrow.DefaultWriterProps())
	if err == nil {
		err = errors.Join(writer.WriteBuffered(record), writer.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return written.String()
}
