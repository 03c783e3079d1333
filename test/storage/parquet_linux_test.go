package storage

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
)

// bringParquet brings a million rows that are one row group, as pandas writes it, and looks
// at the operator's resident memory.
func bringParquet(t *testing.T, s *store, namespace *controllertest.Namespace, operator int) {
	const (
		rows    = 1_000_000
		allowed = 64 << 20
	)
	path := filepath.Join(t.TempDir(), "large.parquet")
	writeParquet(t, path, rows)
	stored, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer stored.Close()
	if err := s.put(t.Context(), "large.parquet", stored, ""); err != nil {
		t.Fatal(err)
	}
	size, err := stored.Seek(0, io.SeekEnd)
	if err != nil {
		t.Fatal(err)
	}
	dataset := &classifierv1alpha1.ClassifierDataset{ObjectMeta: namespace.ObjectMeta("large-table")}
	dataset.Spec.Source.ObjectStorage = s.spec("large.parquet")
	before, begin := memoryOf(t, operator, "VmRSS"), time.Now()
	namespace.Create(dataset)
	namespace.Await(dataset, "the upload", func() bool { return isReady(dataset) })
	rise, seconds := memoryOf(t, operator, "VmHWM")-before, time.Since(begin).Seconds()
	file := dataset.Status.Files[0]
	t.Logf("%d samples, %d bytes of Parquet, %d bytes of rows, %.1f MB/s from S3 to the factory; the operator's memory rose by %d MB from %d MB",
		file.Samples, size, file.SizeBytes, float64(file.SizeBytes)/1e6/seconds, rise>>20, before>>20)
	if file.Samples != rows {
		t.Errorf("%d samples of %d were uploaded", file.Samples, rows)
	}
	if rise > allowed {
		t.Errorf("the operator's memory rose by %d MB, more than %d", rise>>20, allowed>>20)
	}
}

// writeParquet writes a row group of so many rows that all differ.
func writeParquet(t *testing.T, path string, rows int) {
	t.Helper()
	target, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	columns := arrow.NewSchema([]arrow.Field{
		{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "labels", Type: arrow.StructOf(arrow.Field{Name: "intent", Type: arrow.BinaryTypes.String, Nullable: true}), Nullable: true},
		{Name: "padding", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
	properties := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithMaxRowGroupLength(int64(rows)))
	writer, err := pqarrow.NewFileWriter(columns, target, properties, pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	const batch = 10_000
	builder := array.NewRecordBuilder(memory.DefaultAllocator, columns)
	for row := 0; row < rows; row++ {
		builder.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("question %d about order %x that did not arrive although it was to be here on day %d of the month", row, row*0x9E3779B1, row%31))
		labels := builder.Field(1).(*array.StructBuilder)
		labels.Append(true)
		labels.FieldBuilder(0).(*array.StringBuilder).Append(fmt.Sprintf("intent-%d", row%50))
		builder.Field(2).(*array.StringBuilder).Append(fmt.Sprintf("%x of no use", row*row))
		if (row+1)%batch == 0 {
			record := builder.NewRecordBatch()
			err := writer.WriteBuffered(record)
			record.Release()
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
}
