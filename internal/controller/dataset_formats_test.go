package controller

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	corev1 "k8s.io/api/core/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestParquetAndArchivesAreDatasets reads a table, and one that is packed with other
// samples; and tells in which member something is wrong.
func TestParquetAndArchivesAreDatasets(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	table := sentimentTable(t, 20)
	for _, test := range []struct {
		name    string
		content []byte
		want    string // of Ready
		says    string
	}{
		{"table.parquet", table, classifierv1alpha1.ReasonUploaded, "20 samples are uploaded"},
		{"packed.zip", zipped(t, map[string]string{"a/table.parquet": string(table), "a/_SUCCESS": "x", "rows.jsonl": sentiments(10)}),
			classifierv1alpha1.ReasonUploaded, "30 samples are uploaded"},
		{"damaged.zip", zipped(t, map[string]string{"a/table.parquet": string(table[:len(table)-9])}),
			classifierv1alpha1.ReasonInvalidDataset, "part damaged.zip/data/a/table.parquet: CorruptParquet: "},
	} {
		d.Create(&corev1.ConfigMap{ObjectMeta: d.ObjectMeta(test.name), BinaryData: map[string][]byte{"data": test.content}})
		data := driven(d.dataset(strings.ReplaceAll(test.name, ".", "-"), test.name, "data"))
		d.Create(data)
		d.settle(data, test.want)
		if message := readyOf(data.Status.Conditions).Message; !strings.Contains(message, test.says) {
			t.Errorf("%s: Ready says %q, want %q", test.name, message, test.says)
		}
	}
}

// sentimentTable is so many samples as Parquet.
func sentimentTable(t *testing.T, rows int) []byte {
	t.Helper()
	columns := arrow.NewSchema([]arrow.Field{
		{Name: "text", Type: arrow.BinaryTypes.String},
		{Name: "labels", Type: arrow.StructOf(arrow.Field{Name: "sentiment", Type: arrow.BinaryTypes.String})},
	}, nil)
	var samples []string
	for row := range rows {
		samples = append(samples, fmt.Sprintf(`{"text": "table %d", "labels": {"sentiment": %q}}`, row, []string{"positive", "negative"}[row%2]))
	}
	record, _, err := array.RecordFromJSON(memory.DefaultAllocator, columns, strings.NewReader("["+strings.Join(samples, ",")+"]"))
	if err != nil {
		t.Fatal(err)
	}
	defer record.Release()
	var written bytes.Buffer
	writer, err := pqarrow.NewFileWriter(columns, &written, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err == nil {
		err = errors.Join(writer.Write(record), writer.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return written.Bytes()
}

func zipped(t *testing.T, members map[string]string) []byte {
	t.Helper()
	var written bytes.Buffer
	writer := zip.NewWriter(&written)
	for name, content := range members {
		member, err := writer.Create(name)
		if err == nil {
			_, err = io.WriteString(member, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return written.Bytes()
}
