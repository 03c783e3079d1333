package dataset

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// tightLimits are small enough for a fuzzer to meet each, and leave a list of
// labels more than fewNames.
func tightLimits() Limits {
	return Limits{SourceBytes: 1 << 20, CompressionRatio: 100, DecompressedBytes: 4 << 20, LineBytes: 512, Depth: 6, Samples: 100, Targets: 3, LabelsPerTarget: 20, LabelBytes: 16, FileBytes: 2 << 10}
}

// FuzzReadJSONL compares what is read with what a slow reference built on general
// parsers reads, of data that is there twice: the second time, its keys are expected.
func FuzzReadJSONL(f *testing.F) {
	for _, test := range invalidRows {
		f.Add([]byte(test.row))
	}
	for _, test := range validRows {
		f.Add([]byte(test.row))
	}
	f.Add([]byte("\xEF\xBB\xBF" + textRow + "\r\n" + chatRow + "\n\n \r\n"))
	f.Add([]byte("\n\n" + textRow + "\n{\n\n\n" + textRow))
	f.Add([]byte("\xEF\xBB\xBF"))
	f.Add([]byte("\n \xEF\xBB\xBF" + textRow))
	f.Add([]byte(strings.Repeat(" ", 513) + "\n" + textRow))
	f.Add([]byte("\n\n" + strings.Repeat(" ", 600)))
	f.Add([]byte(manyKeysRow(40, 20)))
	f.Add([]byte(manyKeysRow(40, 41)))
	f.Add([]byte(`{"text": "a", "labels": {"t": "x", "u": ["y"]}, "id": 1}` + "\n" + `{"text": "a", "id": 1, "labels": {"u": "x"}, "id": 2}`))

	f.Fuzz(func(t *testing.T, data []byte) {
		limits := tightLimits()
		data = slices.Concat(data, []byte("\n"), data)
		wantRows, wantInvalid := referenceRows(data, limits)
		rows, invalid, err := readRows(bytes.NewReader(data), limits)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(invalid, wantInvalid) {
			t.Errorf("invalid lines are %v, want %v", invalid, wantInvalid)
		}
		if !reflect.DeepEqual(rows, wantRows) {
			t.Errorf("read %+v, want %+v", rows, wantRows)
		}
		report, err := Validate(context.Background(), iotest.OneByteReader(bytes.NewReader(data)), limits)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := report.Samples+report.Invalid, len(wantRows)+len(wantInvalid); got != want {
			t.Errorf("the report counts %d rows, want %d", got, want)
		}
	})
}

// manyKeysRow has so many extra keys, of which the one numbered again repeats the first.
func manyKeysRow(keys, again int) string {
	var row strings.Builder
	row.WriteString(`{"text":"a","labels":{"t":"x"}`)
	for i := range keys {
		if i == again {
			i = 0
		}
		fmt.Fprintf(&row, `,"%d":0`, i)
	}
	return row.String() + "}"
}
