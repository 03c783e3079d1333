package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestRowsAfterAnother reads rows of which the one before has taught what to expect.
func TestRowsAfterAnother(t *testing.T) {
	const first = `{"text": "a", "labels": {"t": "x", "u": "y"}, "id": 1}`
	for _, test := range []struct {
		reason      string
		first, next string
		want        Reason // empty: valid
	}{
		{"the same keys", first, `{"text": "b", "labels": {"t": "z", "u": "y"}, "id": 2}`, ""},
		{"other white space", first, `{"text":"b","labels":{"t":"z","u":"y"},"id":2}`, ""},
		{"another order", first, `{"id": 2, "labels": {"u": "y", "t": "z"}, "text": "b"}`, ""},
		{"fewer keys", first, `{"text": "b", "labels": {"t": "z"}}`, ""},
		{"more keys", first, `{"text": "b", "labels": {"t": "z", "u": "y", "v": "w"}, "id": 2, "more": [{"id": 3}]}`, ""},
		{"an escaped key is the same one", first, `{"text": "b", "labels": {"\u0074": "z", "u": "y"}}`, ""},
		{"another key of the same length", first, `{"text": "b", "labels": {"t": "z", "v": "y"}}`, ""},
		{"a key that ends in an escaped quote", `{"text": "a", "labels": {"t\"": "x"}}`, `{"text": "b", "labels": {"t\"": "z"}}`, ""},
		{"a long key", `{"text": "a", "labels": {"` + strings.Repeat("t", 60) + `": "x"}}`, `{"text": "b", "labels": {"` + strings.Repeat("t", 60) + `": "z"}}`, ""},
		{"an extra's keys are its own", first, `{"text": "b", "labels": {"t": "z", "u": "y"}, "id": {"text": 1, "labels": 2, "id": 3}}`, ""},
		{"the first row's end is the second one's", `{"text": "a", "labels": {"t": "x"}}`, `{"text": "b", "labels": {"t": "z"}} `, ""},

		{"an expected key again", first, `{"text": "b", "labels": {"t": "z", "u": "y"}, "text": "c"}`, DuplicateKey},
		{"an expected key again, escaped", first, `{"text": "b", "labels": {"t": "z", "u": "y"}, "\u0074ext": "c"}`, DuplicateKey},
		{"an expected target again", first, `{"text": "b", "labels": {"t": "z", "t": "y"}}`, DuplicateKey},
		{"the last expected key again", first, `{"text": "b", "labels": {"t": "z", "u": "y"}, "id": 2, "id": 3}`, DuplicateKey},
		{"no comma", first, `{"text": "b" "labels": {"t": "z"}}`, InvalidJSON},
		{"no colon", first, `{"text": "b", "labels" {"t": "z"}}`, InvalidJSON},
		{"no value", first, `{"text": "b", "labels": `, InvalidJSON},
		{"a row that ends in a key", first, `{"text": "b", "lab`, InvalidJSON},
		{"a first key after a comma", first, `{, "text": "b", "labels": {"t": "z"}}`, InvalidJSON},
		{"a comma before the end", first, `{"text": "b", "labels": {"t": "z", }}`, InvalidJSON},
	} {
		t.Run(test.reason, func(t *testing.T) {
			for _, end := range []string{"", "\n", "\r\n"} {
				reader := NewReader(strings.NewReader(test.first+"\n"+test.next+end), DefaultLimits())
				var sample Sample
				if err := reader.Read(&sample); err != nil {
					t.Fatal(err)
				}
				err := reader.Read(&sample)
				if problem, ok := errors.AsType[*InvalidSampleError](err); ok != (test.want != "") || ok && problem.Reason != test.want {
					t.Fatalf("with %q at the end: %v, want %q", end, err, test.want)
				}
				if want, _ := decodeReference([]byte(test.next), DefaultLimits()); err == nil {
					if got := copyRow(&sample); !reflect.DeepEqual(got.Labels, want.Labels) || got.Text != want.Text {
						t.Errorf("read %+v, want %+v", got, want)
					}
				}
			}
		})
	}
}

// TestNothingBehindTheRowIsRead has in memory what would make rows that are cut off
// whole ones.
func TestNothingBehindTheRowIsRead(t *testing.T) {
	decoder := newDecoder(DefaultLimits())
	var sample Sample
	for _, row := range [][]byte{
		[]byte(`{"text": "a long enough text", "labels": {"t": "x"}}`),
		[]byte(`{"text": "\\a\n\u0061\ud83d\ude00\\", "labels": {"t\"": "\/x"}}`),
		[]byte(`{"text": "é, 日本語 😀", "labels": {"é": "é"}}`),
	} {
		for size := range row {
			if !decoder.decode(row, &sample) {
				t.Fatal(decoder.problem)
			}
			if decoder.decode(row[:size], &sample) {
				t.Errorf("%s is read as a row", row[:size])
			}
			if decoder.problem.Column > size+1 {
				t.Errorf("reading %s stopped at byte %d", row[:size], decoder.problem.Column)
			}
		}
	}
}

func TestChangingKeysDoNotAllocate(t *testing.T) {
	var data bytes.Buffer
	for i := range 1000 {
		fmt.Fprintf(&data, `{"text":"a","key%d":1,"labels":{"t":"%d"}}`+"\n", i%7, i%2)
	}
	allocations := testing.AllocsPerRun(5, func() {
		if err := readOnly(NewReader(bytes.NewReader(data.Bytes()), DefaultLimits())); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 50 {
		t.Errorf("%.0f allocations for 1000 rows", allocations)
	}
}
