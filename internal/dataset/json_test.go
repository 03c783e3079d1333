package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestFaultsOfJSONAreLocated holds that a fault names the line on which it is, and what is
// cut off the one on which it starts.
func TestFaultsOfJSONAreLocated(t *testing.T) {
	for _, test := range []struct {
		reason, data string
		want         Reason
		line         int
	}{
		{"an array that is cut off", "[\n" + textRow + ",\n" + textRow + "\n", TruncatedJSON, 3},
		{"an element that is cut off", "[\n" + textRow + ",\n{\n\"text\":\n", TruncatedJSON, 3},
		{"a comma too many", "[\n" + textRow + "\n,\n]", InvalidJSON, 4},
		{"a comment", "[\n\n// a\n" + textRow + "]", InvalidJSON, 3},
		{"a comment in an element", "[{\n\"text\": \"a\",\n# b\n}]", InvalidJSON, 3},
		{"text after the array", "[\n]\n\nend", InvalidJSON, 4},
		{"brackets that do not match", "[{\"a\": [\n}]", InvalidJSON, 2},
		{"a string over two lines", "[{\"a\":\n\"b\nc\"}]", InvalidJSON, 2},
		{"brackets without end", "[\n{\"a\":" + strings.Repeat("[", 100_000), NestingTooDeep, 2},
	} {
		var sample Sample
		reader := NewJSONReader(strings.NewReader(test.data), DefaultLimits())
		var err error
		for err == nil {
			err = reader.Read(&sample)
		}
		problem, ok := errors.AsType[*InvalidDatasetError](err)
		if !ok || problem.Reason != test.want || problem.Line != test.line {
			t.Errorf("%s: got %v, want %s on line %d", test.reason, err, test.want, test.line)
		}
		if again := reader.Read(&sample); again != err {
			t.Errorf("%s: the next read says %v", test.reason, again)
		}
	}
}

// TestJSONGoesOnAcrossBuffers reads rows that are larger than what is read at once.
func TestJSONGoesOnAcrossBuffers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var lines []string
	for i := range 300 {
		lines = append(lines, benchmarkTextRow(10+i*100)(random))
	}
	want, _ := withRaw(t, NewReader(strings.NewReader(strings.Join(lines, "\n")), DefaultLimits()))
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte("["+strings.Join(lines, ",")+"]"), "", "  "); err != nil {
		t.Fatal(err)
	}
	if got, _ := withRaw(t, NewJSONReader(&indented, DefaultLimits())); !reflect.DeepEqual(got, want) {
		t.Errorf("%d rows differ from the %d of JSON Lines", len(got), len(want))
	}
}

// TestJSONMemoryIsBounded reads a value of which nothing has to be kept.
func TestJSONMemoryIsBounded(t *testing.T) {
	limits := DefaultLimits()
	values := newJSONValues(io.MultiReader(strings.NewReader(`[{"a":"`), strings.NewReader(strings.Repeat("a", 32<<20)), strings.NewReader(`"}]`)), limits)
	err := values.next()
	if invalid, ok := errors.AsType[*InvalidSampleError](err); !ok || invalid.Reason != LineTooLong || invalid.Bytes < 32<<20 {
		t.Errorf("got %v", err)
	}
	if kept := cap(values.value); kept > 2*limits.LineBytes {
		t.Errorf("%d bytes are kept", kept)
	}
}

func BenchmarkReadJSON(b *testing.B) {
	rows := bytes.Split(bytes.TrimSpace(benchmarkRows(8, benchmarkTextRow(12))), []byte("\n"))
	data := slices.Concat([]byte("[\n"), bytes.Join(rows, []byte(",\n")), []byte("\n]\n"))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		reader := NewJSONReader(bytes.NewReader(data), DefaultLimits())
		var sample Sample
		var err error
		for err == nil {
			err = reader.Read(&sample)
		}
		if !isEnd(err) {
			b.Fatal(err)
		}
	}
}
