package dataset

import (
	"archive/zip"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"

	"github.com/classifier-factory/classifier-factory/internal/dataset/parquet/parquettest"
)

// fuzzLimits leave a fuzzer's files little to be made of.
func fuzzLimits() Limits {
	limits := tightLimits()
	limits.Depth = 16
	return limits
}

// readAnything holds that data ends by its end or by a fault of the data, and that
// nothing is left open.
func readAnything(t *testing.T, data []byte) {
	_, err := readNamed(string(data), Options{}, fuzzLimits())
	if _, ok := errors.AsType[*InvalidDatasetError](err); err != nil && !ok {
		t.Fatal(err)
	}
}

func FuzzReadParquet(f *testing.F) {
	rows := "[" + strings.Join([]string{greeting, question, farewell}, ",") + "]"
	for _, properties := range [][]parquet.WriterProperty{
		nil,
		{parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDataPageVersion(parquet.DataPageV2)},
		{parquet.WithCompression(compress.Codecs.Zstd), parquet.WithMaxRowGroupLength(2), parquet.WithStats(false)},
		{parquet.WithDictionaryDefault(false), parquet.WithEncoding(parquet.Encodings.DeltaByteArray)},
	} {
		f.Add([]byte(parquettest.Write(f, rows, []arrow.Field{textColumn, labelStruct}, properties...)))
	}
	f.Add([]byte(parquettest.Write(f, "["+chat+"]", []arrow.Field{messagesColumn, labelStruct})))
	f.Add([]byte(parquettest.Write(f, `[{"text":"a","labels":[{"key":"a","value":["x"]}]}]`,
		[]arrow.Field{textColumn, {Name: "labels", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.ListOf(arrow.BinaryTypes.String)), Nullable: true}})))
	f.Fuzz(func(t *testing.T, data []byte) {
		readAnything(t, append([]byte("PAR1"), data[min(len(data), 4):]...))
	})
}

func FuzzReadZip(f *testing.F) {
	members := []member{{"a.jsonl", textRow + "\n"}, {"b/c.jsonl.gz", gzipped(f, textRow)}, {"_d", "x"}}
	f.Add([]byte(zipOf(f, zip.Deflate, members...)))
	f.Add([]byte(zipOf(f, zip.Store, members...)))
	f.Fuzz(readAnything)
}

func FuzzReadTar(f *testing.F) {
	tarred := tarOf(f, member{"a.jsonl", textRow + "\n"}, member{"b/", ""}, member{"b/c.jsonl.gz", gzipped(f, textRow)}, member{"l", "-> a.jsonl"})
	f.Add([]byte(tarred))
	f.Add([]byte(gzipped(f, tarred)))
	f.Fuzz(readAnything)
}
