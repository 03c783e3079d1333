package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"

	tables "github.com/classifier-factory/classifier-factory/internal/dataset/parquet"
	"github.com/classifier-factory/classifier-factory/internal/dataset/parquet/parquettest"
)

var (
	textColumn  = arrow.Field{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true}
	labelStruct = arrow.Field{Name: "labels", Nullable: true, Type: arrow.StructOf(
		arrow.Field{Name: "intent", Type: arrow.BinaryTypes.String, Nullable: true},
		arrow.Field{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
	)}
	messagesColumn = arrow.Field{Name: "messages", Nullable: true, Type: arrow.ListOf(arrow.StructOf(
		arrow.Field{Name: "role", Type: arrow.BinaryTypes.String, Nullable: true},
		arrow.Field{Name: "content", Type: arrow.BinaryTypes.String, Nullable: true},
	))}
)

// withParquet are options of one who reads it.
var withParquet = Options{Parquet: openParquet}

func openParquet(file io.ReaderAt, size int64, isWanted func(column string) bool, maxRowBytes, maxDepth int) (Table, error) {
	return tables.Open(file, size, isWanted, maxRowBytes, maxDepth)
}

// partOf returns the rows of a part.
func partOf(data string, limits Limits) (rows []string, invalid []Reason, err error) {
	scratch := &memoryScratch{}
	source, err := spool(strings.NewReader(data), scratch)
	if err != nil {
		return nil, nil, err
	}
	reader, err := newTableReader(source, openParquet, nil, &cappedSize{limits: limits}, limits)
	if err == nil {
		err = readTable(reader, &rows, &invalid)
		reader.close()
	}
	if scratch.open > 0 {
		err = errors.Join(err, errors.New("a temporary file was left open"))
	}
	return rows, invalid, err
}

func readTable(reader *tableReader, rows *[]string, invalid *[]Reason) error {
	var sample Sample
	for line := 1; ; line++ {
		err := reader.Read(&sample)
		bad, isBad := errors.AsType[*InvalidSampleError](err)
		switch {
		case isBad && bad.Line != line, err == nil && sample.Line != line:
			return fmt.Errorf("row %d has another line: %+v, %+v", line, bad, sample)
		case isBad:
			*invalid = append(*invalid, bad.Reason)
		case err == nil && sample.Bytes != int64(len(sample.Raw)):
			return errors.New("a row has another size than its own")
		case err == nil:
			*rows = append(*rows, string(sample.Raw))
		case err == io.EOF:
			return nil
		default:
			return err
		}
	}
}

const (
	greeting = `{"text":"Hello","labels":{"intent":"greeting","tags":["a","b"]}}`
	question = `{"text":"Where is it?","labels":{"intent":"question"}}`
	farewell = `{"text":"Bye \"you\"\n","labels":{"tags":["c"]}}`
	chat     = `{"messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"Hi"}],"labels":{"intent":"greeting"}}`
)

// TestParquetAsItIsWritten reads the same rows however they are laid out.
func TestParquetAsItIsWritten(t *testing.T) {
	fields := []arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, textColumn, labelStruct}
	rows := []string{greeting, question, farewell}
	written := "[" + strings.ReplaceAll(strings.Join(slices.Repeat(rows, 100), ","), `{"text"`, `{"id":1,"text"`) + "]"
	for name, properties := range map[string][]parquet.WriterProperty{
		"as pandas writes it":  {parquet.WithCompression(compress.Codecs.Snappy)},
		"without compression":  nil,
		"zstd":                 {parquet.WithCompression(compress.Codecs.Zstd)},
		"gzip":                 {parquet.WithCompression(compress.Codecs.Gzip)},
		"brotli":               {parquet.WithCompression(compress.Codecs.Brotli)},
		"LZ4":                  {parquet.WithCompression(compress.Codecs.Lz4Raw)},
		"data pages version 2": {parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithCompression(compress.Codecs.Snappy)},
		"without dictionaries": {parquet.WithDictionaryDefault(false)},
		"small pages":          {parquet.WithDataPageSize(64), parquet.WithBatchSize(3)},
		"small pages, version 2": {parquet.WithDataPageSize(64), parquet.WithBatchSize(3), parquet.WithDataPageVersion(parquet.DataPageV2),
			parquet.WithCompression(compress.Codecs.Zstd)},
		"dictionaries that are given up": {parquet.WithDictionaryPageSizeLimit(16), parquet.WithBatchSize(4)},
		"many row groups":                {parquet.WithMaxRowGroupLength(7)},
		"as Spark writes version 2":      {parquet.WithDictionaryDefault(false), parquet.WithEncoding(parquet.Encodings.DeltaByteArray), parquet.WithDataPageVersion(parquet.DataPageV2)},
		"lengths as differences":         {parquet.WithDictionaryDefault(false), parquet.WithEncodingFor("text", parquet.Encodings.DeltaLengthByteArray)},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "as Spark writes version 2" {
				fields = fields[1:]
				defer func() { fields = append([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, fields...) }()
			}
			read, invalid, err := partOf(parquettest.Write(t, written, fields, properties...), DefaultLimits())
			if err != nil || len(invalid) > 0 || !slices.Equal(read, slices.Repeat(rows, 100)) {
				t.Errorf("got %d rows, invalid %v, %v; the first are %q", len(read), invalid, err, read[:min(len(read), 3)])
			}
		})
	}
}

// TestParquetTypes reads columns of each type as JSON.
func TestParquetTypes(t *testing.T) {
	text := func(more arrow.DataType) []arrow.Field {
		return []arrow.Field{textColumn, {Name: "labels", Type: more, Nullable: true}}
	}
	list := arrow.StructOf(arrow.Field{Name: "tags", Type: arrow.LargeListOf(arrow.BinaryTypes.LargeString), Nullable: true})
	for _, test := range []struct {
		reason string
		fields []arrow.Field
		row    string
		want   string
		reject Reason
	}{
		{"a conversation", []arrow.Field{messagesColumn, labelStruct}, chat, chat, ""},
		{"required columns", []arrow.Field{{Name: "text", Type: arrow.BinaryTypes.String}, {Name: "labels", Type: arrow.StructOf(arrow.Field{Name: "a", Type: arrow.BinaryTypes.String})}},
			`{"text":"a","labels":{"a":"x"}}`, `{"text":"a","labels":{"a":"x"}}`, ""},
		{"large strings and lists, as datasets and Polars write", []arrow.Field{{Name: "text", Type: arrow.BinaryTypes.LargeString, Nullable: true}, {Name: "labels", Type: list, Nullable: true}},
			`{"text":"a","labels":{"tags":["x","y"]}}`, `{"text":"a","labels":{"tags":["x","y"]}}`, ""},
		{"a categorical", []arrow.Field{textColumn, {Name: "labels", Nullable: true, Type: arrow.StructOf(arrow.Field{Name: "a", Nullable: true,
			Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}})}},
			`{"text":"a","labels":{"a":"x"}}`, `{"text":"a","labels":{"a":"x"}}`, ""},
		{"a map", text(arrow.MapOf(arrow.BinaryTypes.String, arrow.BinaryTypes.String)),
			`{"text":"a","labels":[{"key":"a","value":"x"},{"key":"b","value":null}]}`, `{"text":"a","labels":{"a":"x"}}`, ""},
		{"a map of lists", text(arrow.MapOf(arrow.BinaryTypes.String, arrow.ListOf(arrow.BinaryTypes.String))),
			`{"text":"a","labels":[{"key":"a","value":["x","y"]},{"key":"b","value":["z"]}]}`, `{"text":"a","labels":{"a":["x","y"],"b":["z"]}}`, ""},
		{"a map with a key twice", text(arrow.MapOf(arrow.BinaryTypes.String, arrow.BinaryTypes.String)),
			`{"text":"a","labels":[{"key":"a","value":"x"},{"key":"a","value":"y"}]}`, "", DuplicateKey},
		{"an empty list", []arrow.Field{textColumn, labelStruct}, `{"text":"a","labels":{"tags":[]}}`, "", EmptyLabels},
		{"a list with a null", []arrow.Field{textColumn, labelStruct}, `{"text":"a","labels":{"tags":["x",null]}}`, "", InvalidLabels},
		{"no labels", []arrow.Field{textColumn, labelStruct}, `{"text":"a","labels":null}`, "", MissingLabels},
		{"no text", []arrow.Field{textColumn, labelStruct}, `{"text":null,"labels":{"intent":"x"}}`, "", MissingInput},
		{"a number is no label", text(arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int64})), `{"text":"a","labels":{"a":1}}`, "", InvalidLabels},
		{"bytes that are text", []arrow.Field{{Name: "text", Type: arrow.BinaryTypes.Binary, Nullable: true}, labelStruct},
			`{"text":"aGk=","labels":{"intent":"x"}}`, `{"text":"hi","labels":{"intent":"x"}}`, ""},
		{"bytes that are none", []arrow.Field{{Name: "text", Type: arrow.BinaryTypes.Binary, Nullable: true}, labelStruct}, `{"text":"/w==","labels":{"intent":"x"}}`, "", InvalidUTF8},
		{"a row that is too long", []arrow.Field{textColumn, labelStruct}, `{"text":"` + strings.Repeat("a", 512) + `","labels":{"intent":"x"}}`, "", LineTooLong},
		{"a list that is too long", []arrow.Field{textColumn, labelStruct}, `{"text":"a","labels":{"tags":["` + strings.Repeat(`b","`, 512) + `c"]}}`, "", LineTooLong},
	} {
		rows, invalid, err := partOf(parquettest.Write(t, "["+test.row+","+test.row+"]", test.fields), tightLimits())
		wantRows, wantInvalid := []string{test.want, test.want}, []Reason(nil)
		if test.reject != "" {
			wantRows, wantInvalid = nil, []Reason{test.reject, test.reject}
		}
		if err != nil || !slices.Equal(rows, wantRows) || !slices.Equal(invalid, wantInvalid) {
			t.Errorf("%s: got %q, invalid %v, %v", test.reason, rows, invalid, err)
		}
	}
}

// TestParquetThatIsRefused names what is wrong and the way.
func TestParquetThatIsRefused(t *testing.T) {
	good := parquettest.Write(t, "["+greeting+"]", []arrow.Field{textColumn, labelStruct})
	long := func(rows int) string {
		return parquettest.Write(t, "["+strings.TrimSuffix(strings.Repeat(greeting+",", rows), ",")+"]", []arrow.Field{textColumn, labelStruct})
	}
	strange := parquettest.Write(t, `[{"sentence":"a","\u0007\u202e":"b"}]`, []arrow.Field{{Name: "sentence", Type: arrow.BinaryTypes.String}, {Name: "\a\u202e", Type: arrow.BinaryTypes.String}})
	tight, little := DefaultLimits(), DefaultLimits()
	tight.Depth, little.CompressionRatio = 2, 10
	for _, test := range []struct {
		reason string
		data   string
		limits Limits
		want   string
	}{
		{"other columns", strange, DefaultLimits(), `MissingColumn: the file has neither the column text nor messages, but "sentence", "\a\u202e". Set mapping, which says what the columns hold`},
		{"cut off", good[:len(good)-1], DefaultLimits(), "CorruptParquet: the Parquet file is damaged: it does not end as Parquet does, and is most likely cut off. Write or copy it again"},
		{"encrypted", good[:len(good)-4] + "PARE", DefaultLimits(), "UnsupportedParquet: the Parquet file is encrypted; write it without encryption"},
		{"magic bytes alone", "PAR1", DefaultLimits(), "CorruptParquet: the Parquet file is damaged: it is cut off. Write or copy it again"},
		{"a footer longer than the file", good[:len(good)-8] + "\xFF\xFF\xFF\x00PAR1", DefaultLimits(), "CorruptParquet: the Parquet file is damaged: its footer is longer than the file. Write or copy it again"},
		{"nested too deeply", good, tight, "UnsupportedParquet: columns are nested in more than 2 levels"},
		{"made to fill a disk", long(20_000), little, "line 16385: RatioTooHigh: the data decompresses to more than 10 times its size"},
	} {
		_, _, err := partOf(test.data, test.limits)
		if got := fmt.Sprint(err); got != test.want {
			t.Errorf("%s: got %s, want %s", test.reason, got, test.want)
		}
	}
}

// TestParquetColumns reads the columns that a mapping names, and nothing of another.
func TestParquetColumns(t *testing.T) {
	text := arrow.BinaryTypes.String
	data := parquettest.Write(t, `[{"body":"Hello","meta":{"topic":"greeting"},"metal":"iron"}]`, []arrow.Field{
		{Name: "body", Type: text}, {Name: "meta", Type: arrow.StructOf(arrow.Field{Name: "topic", Type: text})}, {Name: "metal", Type: text}})
	for _, test := range []struct {
		reason     string
		text, from string
		want       string
	}{
		{"a column within another", "body", "meta.topic", `{"text":"Hello","labels":{"topic":"greeting"}}`},
		{"names that start as a column", "body", "metal", `{"text":"Hello","labels":{"topic":"iron"}}`},
		{"no column", "words", "me", `part p: MissingColumn: the file has none of the columns that mapping names, but "body", "meta", "metal"`},
	} {
		options := Options{Parquet: openParquet, Mapping: &Mapping{Text: test.text, Labels: []LabelMapping{{Target: "topic", Field: test.from}}}}
		if said := readMapped(options, DefaultLimits(), namedPart{"p", data}); !slices.Equal(said, []string{test.want}) {
			t.Errorf("%s: got %q", test.reason, said)
		}
	}
}

// TestParquetThatNobodyReads is refused with the way to what is read.
func TestParquetThatNobodyReads(t *testing.T) {
	data := parquettest.Write(t, "["+greeting+"]", []arrow.Field{textColumn, labelStruct})
	for format, start := range map[Format]string{
		FormatAuto:  "part p: UnsupportedFormat: the data is Parquet: convert it, such as with python3",
		FormatJSONL: "part p: UnsupportedFormat: format is JSONL, and the data is Parquet: convert it, such as with python3",
	} {
		if said := readMapped(Options{Format: format}, DefaultLimits(), namedPart{"p", data}); len(said) != 1 || !strings.HasPrefix(said[0], start) {
			t.Errorf("%s: got %q", format, said)
		}
	}
}

// TestParquetCutOff holds that no file that is cut off gives a row and no fault.
func TestParquetCutOff(t *testing.T) {
	data := parquettest.Write(t, "["+strings.Join(slices.Repeat([]string{greeting, question, farewell}, 50), ",")+"]", []arrow.Field{textColumn, labelStruct})
	for size := 1; size < len(data); size += 97 {
		rows, _, err := partOf(data[:size], DefaultLimits())
		if _, ok := errors.AsType[*InvalidDatasetError](err); !ok {
			t.Fatalf("of %d bytes: got %d rows, %v", size, len(rows), err)
		}
	}
}

// TestParquetDamaged holds that damage is a fault of the data, or gives as many rows.
func TestParquetDamaged(t *testing.T) {
	const rows = 90
	data := []byte(parquettest.Write(t, "["+strings.Join(slices.Repeat([]string{greeting, question, farewell}, rows/3), ",")+"]",
		[]arrow.Field{textColumn, labelStruct}, parquet.WithMaxRowGroupLength(40), parquet.WithCompression(compress.Codecs.Zstd)))
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		damaged := slices.Clone(data)
		for range 1 + random.IntN(3) {
			damaged[random.IntN(len(damaged))] ^= 1 << random.IntN(8)
		}
		read, invalid, err := partOf(string(damaged), DefaultLimits())
		if _, ok := errors.AsType[*InvalidDatasetError](err); err != nil && !ok {
			t.Fatalf("%v is no fault of the data", err)
		}
		if err == nil && len(read)+len(invalid) != rows {
			t.Fatalf("got %d rows and %d invalid ones of %d, without a fault", len(read), len(invalid), rows)
		}
	}
}

// TestParquetIsClosed holds that no temporary file outlives a reader.
func TestParquetIsClosed(t *testing.T) {
	data := parquettest.Write(t, "["+greeting+","+question+"]", []arrow.Field{textColumn, labelStruct})
	for reason, use := range map[string]func(*PartsReader) error{
		"read to the end": func(r *PartsReader) error { return readOnly(r) },
		"given up":        func(r *PartsReader) error { return r.Read(&Sample{}) },
		"not read":        func(*PartsReader) error { return nil },
	} {
		scratch := &memoryScratch{}
		reader := NewPartsReader(&textParts{texts: []string{data, textRow, data}}, withParquet, scratch, DefaultLimits())
		if err := errors.Join(use(reader), reader.Close()); err != nil || scratch.open > 0 {
			t.Errorf("%s: %d files are open, %v", reason, scratch.open, err)
		}
	}
}

// TestParquetDiskFails tells a disk that fails from data that is wrong.
func TestParquetDiskFails(t *testing.T) {
	data := parquettest.Write(t, "["+greeting+","+question+"]", []arrow.Field{textColumn, labelStruct})
	for _, operation := range []string{"create", "write", "read"} {
		broken := errors.New("the disk is broken")
		scratch := &memoryScratch{fail: func(now string) error {
			if now == operation {
				return broken
			}
			return nil
		}}
		reader := NewPartsReader(&textParts{texts: []string{data}}, withParquet, scratch, DefaultLimits())
		_, err := Prepare(context.Background(), reader, Preparation{}, scratch, DefaultLimits())
		if !errors.Is(err, broken) {
			t.Errorf("%s: got %v", operation, err)
		}
		_ = reader.Close()
	}
}

// BenchmarkReadParquet reads rows from a file on disk.
func BenchmarkReadParquet(b *testing.B) {
	const rows = 50_000
	fields := []arrow.Field{textColumn, {Name: "labels", Type: arrow.StructOf(arrow.Field{Name: "intent", Type: arrow.BinaryTypes.String}), Nullable: true}}
	var written strings.Builder
	for row := range rows {
		fmt.Fprintf(&written, `,{"text":"%-300x","labels":{"intent":"intent-%d"}}`, uint64(row)*0x9E3779B97F4A7C15, row%77)
	}
	data := parquettest.Write(b, "["+written.String()[1:]+"]", fields, parquet.WithCompression(compress.Codecs.Snappy))
	scratch := diskScratch(b.TempDir())
	b.SetBytes(int64(written.Len()))
	b.ReportAllocs()
	for b.Loop() {
		reader := NewPartsReader(&textParts{texts: []string{data}}, withParquet, scratch, DefaultLimits())
		if err := errors.Join(readOnly(reader), reader.Close()); err != nil {
			b.Fatal(err)
		}
	}
}
