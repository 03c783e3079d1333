package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
	tables "github.com/classifier-factory/classifier-factory/internal/dataset/parquet"
)

// tableReader is a reader of Parquet. It writes the texts and the labels of the rows, in
// their order, to extracted.
type tableReader struct {
	name, checks string
	read         func(table []byte, extracted *maphash.Hash) error
	cpu          time.Duration
}

// arrowReader is the index of the reader to which the ratio is.
const arrowReader = 1

func newTableReaders() []*tableReader {
	return []*tableReader{
		{name: "dataset.PartsReader and Census", read: readTable, checks: "UTF-8, repeated names, schema; counts labels; memory is bounded"},
		{name: "arrow-go pqarrow", read: readRecords, checks: "none"},
	}
}

// measureTables lets the readers take turns, and fails when they extract something different.
func measureTables(readers []*tableReader) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	random, seed := rand.New(rand.NewPCG(1, 2)), maphash.MakeSeed()
	for range turns {
		table, err := writeTable(appendRows(nil, turnBytes, 0, random))
		if err != nil {
			return err
		}
		checksums := map[uint64]string{}
		for _, r := range readers {
			var extracted maphash.Hash
			extracted.SetSeed(seed)
			runtime.GC()
			begin := cpuTime(syscall.RUSAGE_SELF)
			if err := r.read(table, &extracted); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
			r.cpu += cpuTime(syscall.RUSAGE_SELF) - begin
			checksums[extracted.Sum64()] = r.name
		}
		if len(checksums) != 1 {
			return fmt.Errorf("readers of Parquet extracted something different: %v", checksums)
		}
	}
	return nil
}

// speed is two cells, MB/s of rows as JSON and the ratio to the other's.
func (r *tableReader) speed(other *tableReader) string {
	return fmt.Sprintf("%.0f\t%.1f\t", turns*turnBytes/1e6/r.cpu.Seconds(), other.cpu.Seconds()/r.cpu.Seconds())
}

var tableColumns = arrow.NewSchema([]arrow.Field{
	{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "labels", Type: arrow.StructOf(arrow.Field{Name: "intent", Type: arrow.BinaryTypes.String, Nullable: true}), Nullable: true},
}, nil)

// writeTable writes rows as pandas does, in one row group.
func writeTable(rows []byte) ([]byte, error) {
	var table bytes.Buffer
	writer, err := pqarrow.NewFileWriter(tableColumns, &table, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)), pqarrow.DefaultWriterProps())
	if err != nil {
		return nil, err
	}
	builder := array.NewRecordBuilder(memory.DefaultAllocator, tableColumns)
	defer builder.Release()
	texts := builder.Field(0).(*array.StringBuilder)
	labels := builder.Field(1).(*array.StructBuilder)
	for line := range bytes.Lines(rows) {
		var row struct {
			Text   string            `json:"text"`
			Labels map[string]string `json:"labels"`
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, err
		}
		texts.Append(row.Text)
		labels.Append(true)
		labels.FieldBuilder(0).(*array.StringBuilder).Append(row.Labels["intent"])
		if texts.Len() == tableBatch {
			if err := writeBatch(writer, builder); err != nil {
				return nil, err
			}
		}
	}
	if err := writeBatch(writer, builder); err != nil {
		return nil, err
	}
	err = writer.Close()
	return table.Bytes(), err
}

// tableBatch is how many rows go through Arrow at a time.
const tableBatch = 10_000

func writeBatch(writer *pqarrow.FileWriter, builder *array.RecordBuilder) error {
	record := builder.NewRecordBatch()
	defer record.Release()
	return writer.WriteBuffered(record)
}

func readTable(table []byte, extracted *maphash.Hash) (err error) {
	reader := dataset.NewPartsReader(&onePart{content: bytes.NewReader(table)}, dataset.Options{Parquet: openTable}, diskScratch{}, dataset.DefaultLimits())
	defer func() { err = errors.Join(err, reader.Close()) }()
	census := dataset.NewCensus(dataset.DefaultLimits())
	var sample dataset.Sample
	for {
		if err := reader.Read(&sample); errors.Is(err, io.EOF) {
			return census.Check()
		} else if err != nil {
			return err
		}
		if err := census.Add(&sample); err != nil {
			return err
		}
		extracted.WriteString(sample.Text)
		extracted.WriteString(sample.Labels[0].Labels[0])
	}
}

func openTable(file io.ReaderAt, size int64, isWanted func(column string) bool, maxRowBytes, maxDepth int) (dataset.Table, error) {
	return tables.Open(file, size, isWanted, maxRowBytes, maxDepth)
}

func readRecords(table []byte, extracted *maphash.Hash) error {
	opened, err := file.NewParquetReader(bytes.NewReader(table))
	if err != nil {
		return err
	}
	reader, err := pqarrow.NewFileReader(opened, pqarrow.ArrowReadProperties{BatchSize: tableBatch}, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	records, err := reader.GetRecordReader(context.Background(), nil, nil)
	if err != nil {
		return err
	}
	defer records.Release()
	for records.Next() {
		record := records.RecordBatch()
		texts := record.Column(0).(*array.String)
		labels := record.Column(1).(*array.Struct).Field(0).(*array.String)
		for row := range texts.Len() {
			extracted.WriteString(texts.Value(row))
			extracted.WriteString(labels.Value(row))
		}
	}
	if err := records.Err(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// onePart is a source of one part.
type onePart struct{ content io.Reader }

func (p *onePart) Next() (name string, content io.Reader, err error) {
	if p.content == nil {
		return "", nil, io.EOF
	}
	content, p.content = p.content, nil
	return "table", content, nil
}

// diskScratch makes files in the folder for temporary ones.
type diskScratch struct{}

func (diskScratch) Create() (dataset.ScratchFile, error) {
	file, err := os.CreateTemp("", "classifier-factory-bench-")
	if err != nil {
		return nil, err
	}
	return file, os.Remove(file.Name())
}
