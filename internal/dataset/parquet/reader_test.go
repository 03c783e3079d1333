package parquet

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/classifier-factory/classifier-factory/internal/dataset/parquet/parquettest"
)

// rowsOf are the rows of a file, and an empty one where a row is too long.
func rowsOf(data string, isWanted func(column string) bool) (rows []string, err error) {
	reader, err := Open(strings.NewReader(data), int64(len(data)), isWanted, maxRowBytes, maxDepth)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	for {
		row, tooLong, err := reader.Next()
		switch {
		case isEnd(err):
			return rows, nil
		case err != nil:
			return rows, err
		case tooLong:
			row = nil
		}
		rows = append(rows, string(row))
	}
}

const maxRowBytes, maxDepth = 1 << 20, 64

func everyColumn(string) bool { return true }

// TestValues reads a column of each type, and nothing of another.
func TestValues(t *testing.T) {
	for _, test := range []struct {
		reason string
		kind   arrow.DataType
		value  string
		want   string
	}{
		{"an integer", arrow.PrimitiveTypes.Int64, "-7", "-7"},
		{"the largest without a sign", arrow.PrimitiveTypes.Uint64, "18446744073709551615", "18446744073709551615"},
		{"a small one without a sign", arrow.PrimitiveTypes.Uint8, "200", "200"},
		{"a whole number of a column that has gaps", arrow.PrimitiveTypes.Float64, "3.0", "3"},
		{"a fraction", arrow.PrimitiveTypes.Float64, "0.25", "0.25"},
		{"a fraction of four bytes", arrow.PrimitiveTypes.Float32, "0.1", "0.1"},
		{"a fraction of two bytes", arrow.FixedWidthTypes.Float16, "0.5", "0.5"},
		{"no number", arrow.PrimitiveTypes.Float64, "null", ""},
		{"a truth", arrow.FixedWidthTypes.Boolean, "true", "true"},
		{"a date", arrow.FixedWidthTypes.Date32, `"2026-03-04"`, `"2026-03-04"`},
		{"a time", arrow.FixedWidthTypes.Time64us, `"01:02:03.5"`, `"01:02:03.5"`},
		{"a timestamp", arrow.FixedWidthTypes.Timestamp_us, "1772600767000000", `"2026-03-04T05:06:07Z"`},
		{"a timestamp before 1970", arrow.FixedWidthTypes.Timestamp_ms, "-500", `"1969-12-31T23:59:59.5Z"`},
		{"a timestamp without a zone", &arrow.TimestampType{Unit: arrow.Microsecond}, "1772600767000000", `"2026-03-04T05:06:07"`},
		{"a decimal", &arrow.Decimal128Type{Precision: 20, Scale: 2}, `"-0.05"`, `"-0.05"`},
		{"a short decimal", &arrow.Decimal128Type{Precision: 5, Scale: 1}, `"12.5"`, `"12.5"`},
		{"a struct", arrow.StructOf(arrow.Field{Name: "b", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, arrow.Field{Name: "c", Type: arrow.BinaryTypes.String, Nullable: true}),
			`{"b":null,"c":"x"}`, `{"c":"x"}`},
		{"a list of lists", arrow.ListOf(arrow.ListOf(arrow.PrimitiveTypes.Int32)), `[[1,2],[],null,[3]]`, `[[1,2],[],null,[3]]`},
	} {
		data := parquettest.Write(t, `[{"a":`+test.value+`,"b":"other"}]`, []arrow.Field{{Name: "a", Type: test.kind, Nullable: true}, {Name: "b", Type: arrow.BinaryTypes.String}})
		want := "{}"
		if test.want != "" {
			want = `{"a":` + test.want + "}"
		}
		rows, err := rowsOf(data, func(column string) bool { return column == "a" })
		if err != nil || !slices.Equal(rows, []string{want}) {
			t.Errorf("%s: got %q, want %s; %v", test.reason, rows, want, err)
		}
	}
}

// TestFilesOfOlderPrograms reads lists and maps in the forms that were written before
// the standard's three levels, and times of 96 bits.
func TestFilesOfOlderPrograms(t *testing.T) {
	str := func(name string, repetition parquet.Repetition) schema.Node {
		return schema.MustPrimitive(schema.NewPrimitiveNodeLogical(name, repetition, schema.StringLogicalType{}, parquet.Types.ByteArray, -1, -1))
	}
	group := func(name string, repetition parquet.Repetition, logical schema.LogicalType, fields ...schema.Node) schema.Node {
		if logical == nil {
			return schema.MustGroup(schema.NewGroupNode(name, repetition, fields, -1))
		}
		return schema.MustGroup(schema.NewGroupNodeLogical(name, repetition, fields, logical, -1))
	}
	required, optional, repeated := parquet.Repetitions.Required, parquet.Repetitions.Optional, parquet.Repetitions.Repeated
	for _, test := range []struct {
		reason       string
		labels       schema.Node
		defs, reps   []int16
		labelColumns [][]string
		want         string
	}{
		{"a list whose element is repeated", group("tags", optional, schema.ListLogicalType{}, str("element", repeated)), []int16{2, 2}, []int16{0, 1}, [][]string{{"x", "y"}}, `{"tags":["x","y"]}`},
		{"a list without a mark", str("tags", repeated), []int16{1, 1}, []int16{0, 1}, [][]string{{"x", "y"}}, `{"tags":["x","y"]}`},
		{"a list as Hive writes it", group("tags", optional, schema.ListLogicalType{}, group("bag", repeated, nil, str("array_element", optional))), []int16{3, 2}, []int16{0, 1}, [][]string{{"x"}}, `{"tags":["x",null]}`},
		{"a list of objects by its name", group("tags", optional, schema.ListLogicalType{}, group("array", repeated, nil, str("name", required))), []int16{2, 2}, []int16{0, 1}, [][]string{{"x", "y"}}, `{"tags":[{"name":"x"},{"name":"y"}]}`},
		{"a list of objects of two fields", group("tags", optional, schema.ListLogicalType{}, group("element", repeated, nil, str("a", required), str("b", required))), []int16{2, 2}, []int16{0, 1}, [][]string{{"x", "y"}, {"u", "v"}}, `{"tags":[{"a":"x","b":"u"},{"a":"y","b":"v"}]}`},
		{"a map", group("tags", optional, schema.MapLogicalType{}, group("map", repeated, nil, str("key", required), str("value", required))), []int16{2, 2}, []int16{0, 1}, [][]string{{"x", "y"}, {"u", "v"}}, `{"tags":{"x":"u","y":"v"}}`},
	} {
		root := group("schema", required, nil, str("text", required), group("labels", required, nil, test.labels)).(*schema.GroupNode)
		var written bytes.Buffer
		writer := file.NewParquetWriter(&written, root)
		rows, err := writer.AppendRowGroupChecked()
		if err != nil {
			t.Fatal(err)
		}
		writeColumn(t, rows, []string{"Hello"}, nil, nil)
		for _, values := range test.labelColumns {
			writeColumn(t, rows, values, test.defs, test.reps)
		}
		if err := errors.Join(rows.Close(), writer.Close()); err != nil {
			t.Fatal(err)
		}
		read, err := rowsOf(written.String(), everyColumn)
		if want := `{"text":"Hello","labels":` + test.want + "}"; err != nil || !slices.Equal(read, []string{want}) {
			t.Errorf("%s: got %q, want %s; %v", test.reason, read, want, err)
		}
	}
}

func writeColumn(t *testing.T, rows file.SerialRowGroupWriter, values []string, defs, reps []int16) {
	t.Helper()
	column, err := rows.NextColumn()
	if err != nil {
		t.Fatal(err)
	}
	var written []parquet.ByteArray
	for _, value := range values {
		written = append(written, parquet.ByteArray(value))
	}
	if _, err := column.(*file.ByteArrayColumnChunkWriter).WriteBatch(written, defs, reps); err != nil {
		t.Fatal(err)
	}
	if err := column.Close(); err != nil {
		t.Fatal(err)
	}
}
