package parquet

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	arrowarray "github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/thrift/lib/go/thrift"
)

// footerOf is a file of nothing but a footer, whose elements have so many children.
func footerOf(t *testing.T, declared int, children ...int) string {
	t.Helper()
	ctx, transport := context.Background(), thrift.NewTMemoryBuffer()
	protocol := thrift.NewTCompactProtocolConf(transport, nil)
	steps := []error{
		protocol.WriteStructBegin(ctx, ""),
		protocol.WriteFieldBegin(ctx, "", thrift.LIST, schemaOfFile),
		protocol.WriteListBegin(ctx, thrift.STRUCT, declared),
	}
	for _, count := range children {
		steps = append(steps, protocol.WriteStructBegin(ctx, ""),
			protocol.WriteFieldBegin(ctx, "", thrift.STRING, 4), protocol.WriteString(ctx, "a"),
			protocol.WriteFieldBegin(ctx, "", thrift.I32, childrenOfElement), protocol.WriteI32(ctx, int32(count)),
			protocol.WriteFieldStop(ctx), protocol.WriteStructEnd(ctx))
	}
	steps = append(steps, protocol.WriteFieldStop(ctx), protocol.WriteStructEnd(ctx))
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	footer := transport.Bytes()
	return magic + string(footer) + string(binary.LittleEndian.AppendUint32(nil, uint32(len(footer)))) + magic
}

// TestHostileFooters holds that no room is made for what a footer merely declares.
func TestHostileFooters(t *testing.T) {
	for _, test := range []struct {
		reason   string
		declared int
		children []int
	}{
		{"more columns than there are", 2, []int{math.MaxInt32, 0}},
		{"fewer than none", 2, []int{-1, 0}},
		{"a column without a group", 3, []int{1, 0, 0}},
		{"a group without its columns", 2, []int{2, 0}},
		{"a list longer than the footer", math.MaxInt32, []int{1, 0}},
		{"groups without end", 1000, bytesOfOnes(1000)},
	} {
		_, err := rowsOf(footerOf(t, test.declared, test.children...), everyColumn)
		if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("%s: got %v", test.reason, err)
		}
	}
}

func bytesOfOnes(count int) []int {
	ones := make([]int, count)
	for i := range ones {
		ones[i] = 1
	}
	return ones
}

// TestPagesDecompressToWhatTheyDeclare holds that no more is made of a page.
func TestPagesDecompressToWhatTheyDeclare(t *testing.T) {
	if err := boundCodecs(); err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("a", 4<<20)
	for _, codec := range []compress.Compression{compress.Codecs.Zstd, compress.Codecs.Snappy, compress.Codecs.Gzip} {
		decoder, err := compress.GetCodec(codec)
		if err != nil {
			t.Fatal(err)
		}
		page := decoder.Encode(make([]byte, decoder.CompressBound(int64(len(text)))), []byte(text))
		if decoded, err := compress.Decode(decoder, make([]byte, 100), page); err == nil {
			t.Errorf("%v: 100 bytes became %d", codec, len(decoded))
		}
		if decoded, err := compress.Decode(decoder, make([]byte, len(text)), page); err != nil || string(decoded) != text {
			t.Errorf("%v: got %d bytes, %v", codec, len(decoded), err)
		}
	}
}

// tableOf writes rows with texts of so many bytes as one row group.
func tableOf(t testing.TB, rows, bytesOfText int, properties ...parquet.WriterProperty) []byte {
	t.Helper()
	columns := arrow.NewSchema([]arrow.Field{{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "labels", Type: arrow.StructOf(arrow.Field{Name: "intent", Type: arrow.BinaryTypes.String}), Nullable: true}}, nil)
	var written bytes.Buffer
	writer, err := pqarrow.NewFileWriter(columns, &written, parquet.NewWriterProperties(append(properties, parquet.WithMaxRowGroupLength(int64(rows)))...), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	builder := arrowarray.NewRecordBuilder(memory.DefaultAllocator, columns)
	for row := range rows {
		text := fmt.Sprintf("%x ", uint64(row)*0x9E3779B97F4A7C15)
		builder.Field(0).(*arrowarray.StringBuilder).Append(text + strings.Repeat("a", max(bytesOfText-len(text), 0)))
		labels := builder.Field(1).(*arrowarray.StructBuilder)
		labels.Append(true)
		labels.FieldBuilder(0).(*arrowarray.StringBuilder).Append(fmt.Sprint("intent-", row%77))
		if (row+1)%1000 == 0 || row+1 == rows {
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
	return written.Bytes()
}

// TestPagesAreBounded refuses pages that would take much memory.
func TestPagesAreBounded(t *testing.T) {
	data := tableOf(t, 1000, 40_000, parquet.WithDataPageSize(64<<20), parquet.WithDictionaryDefault(false), parquet.WithCompression(compress.Codecs.Snappy))
	_, err := rowsOf(string(data), everyColumn)
	problem, ok := errors.AsType[*Error](err)
	if !ok || problem.Reason() != "UnsupportedParquet" || !strings.Contains(problem.Detail(), "ROW_GROUP_SIZE") {
		t.Errorf("got %v", err)
	}
}

// TestMemoryIsBounded reads row groups that are much larger than what may be held,
// and notices pages that are not given back.
func TestMemoryIsBounded(t *testing.T) {
	const rows, allowed = 100_000, 12 << 20
	for name, properties := range map[string][]parquet.WriterProperty{
		"as it is":    {parquet.WithDictionaryDefault(false)},
		"large pages": {parquet.WithDictionaryDefault(false), parquet.WithDataPageSize(4 << 20), parquet.WithCompression(compress.Codecs.Zstd)},
	} {
		t.Run(name, func(t *testing.T) { readBounded(t, tableOf(t, rows, 600, properties...), rows, allowed) })
	}
}

func readBounded(t *testing.T, data []byte, rows int, allowed uint64) {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	before, peak, pages := stats.HeapAlloc, uint64(0), 0
	reader, err := Open(bytes.NewReader(data), int64(len(data)), everyColumn, maxRowBytes, maxDepth)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for row := range rows {
		if _, _, err := reader.Next(); err != nil {
			t.Fatal(err)
		}
		if row%10_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&stats)
			peak, pages = max(peak, stats.HeapAlloc), max(pages, reader.memory.used)
		}
	}
	t.Logf("peak above the start: %d KB, %d KB counted, of a row group of %d KB", (int64(peak)-int64(before))>>10, pages>>10, len(data)>>10)
	if peak > before+allowed || pages > int(allowed) {
		t.Errorf("a row group of %d MB took %d MB, of which %d MB are counted, more than %d", len(data)>>20, (int64(peak)-int64(before))>>20, pages>>20, allowed>>20)
	}
	runtime.KeepAlive(data)
}

// TestHostileDifferences holds that blocks are of a size that programs write.
func TestHostileDifferences(t *testing.T) {
	list := func(block, parts, values uint64, rest ...byte) []byte {
		data := binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(nil, block), parts), values)
		return append(binary.AppendVarint(data, 5), rest...)
	}
	for _, test := range []struct {
		reason string
		data   []byte
		rest   string
		ok     bool
	}{
		{"one value", list(128, 4, 1, []byte("rest")...), "rest", true},
		{"none", list(128, 4, 0, []byte("rest")...), "rest", true},
		{"two values", list(128, 4, 2, append(append([]byte{2, 1, 9, 9, 9}, "bits"...), "rest"...)...), "rest", true},
		{"a block of four thousand millions", list(math.MaxUint32&^127, 1, 2, 0, 0), "", false},
		{"no small blocks", list(128, 0, 2, 0, 0), "", false},
		{"more small blocks than values", list(128, 256, 2, 0, 0), "", false},
		{"cut off in the widths", list(128, 4, 2, 0, 1), "", false},
		{"cut off in the bits", list(128, 4, 2, 0, 1, 0, 0, 0, 'b'), "", false},
		{"cut off at once", []byte{128}, "", false},
	} {
		rest, ok := passDifferences(test.data, true)
		if ok != test.ok || string(rest) != test.rest {
			t.Errorf("%s: got %q, %t", test.reason, rest, ok)
		}
	}
}
