package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// FuzzReadJSON holds that rows are the same in JSON Lines, in an array and over several
// lines, and that of JSON which is valid each element is a row or an invalid one.
func FuzzReadJSON(f *testing.F) {
	for _, test := range jsonAsItComes() {
		f.Add([]byte(test.parts[0][:min(len(test.parts[0]), 4<<10)]))
	}
	for _, test := range validRows {
		f.Add([]byte(test.row))
	}
	f.Add([]byte("[\xEF")) // a mark's first byte
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := tightLimits()
		rows, invalid, err := collectRows(NewJSONReader(bytes.NewReader(data), limits))
		if problem, ok := errors.AsType[*InvalidDatasetError](err); err != nil && !ok || ok && problem.Line == 0 {
			t.Fatal(err)
		}
		var elements []json.RawMessage
		if json.Unmarshal(data, &elements) == nil && elements != nil && (err != nil || len(rows)+len(invalid) != len(elements)) {
			t.Errorf("of %d elements %d are valid and %d invalid, %v", len(elements), len(rows), len(invalid), err)
		}
		wantSameRows(t, data, limits)
	})
}

// wantSameRows lays the rows of JSON Lines out in other ways.
func wantSameRows(t *testing.T, data []byte, limits Limits) {
	t.Helper()
	want, lines := withRaw(t, NewReader(bytes.NewReader(data), limits))
	var indented bytes.Buffer
	for _, line := range lines {
		if err := json.Indent(&indented, []byte(line), " ", "\t"); err != nil {
			t.Fatal(err)
		}
		indented.WriteString("\r\n")
	}
	for _, layout := range []string{
		"[" + strings.Join(lines, ",") + "]",
		"\xEF\xBB\xBF[\n" + strings.Join(lines, "\n,\n") + "\n]\n",
		strings.Join(lines, ""),
		indented.String(),
	} {
		got, raw := withRaw(t, NewJSONReader(strings.NewReader(layout), limits))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v", layout, got, want)
		}
		if again, _ := withRaw(t, NewReader(strings.NewReader(strings.Join(raw, "\n")), limits)); !reflect.DeepEqual(again, want) {
			t.Errorf("%q: the rows %q are %+v, want %+v", layout, raw, again, want)
		}
	}
}

// withRaw are the valid rows without their lines, and as they are written.
func withRaw(t *testing.T, samples SampleReader) (rows []row, lines []string) {
	t.Helper()
	for sample := (Sample{}); ; {
		err := samples.Read(&sample)
		if _, invalid := errors.AsType[*InvalidSampleError](err); invalid {
			continue
		}
		if isEnd(err) {
			return rows, lines
		}
		if err != nil {
			t.Fatal(err)
		}
		read := copyRow(&sample)
		read.Line = 0
		rows, lines = append(rows, read), append(lines, string(sample.Raw))
	}
}

// FuzzRecognise holds that no part is refused of which JSON Lines makes valid rows alone,
// that it makes no difference how a part arrives, and that all faults are told.
func FuzzRecognise(f *testing.F) {
	for _, cases := range [][]comes{jsonLinesAsTheyCome(), jsonAsItComes(), csvAsItComes(), encodedAsItComes(), somethingElse()} {
		for _, test := range cases {
			f.Add([]byte(test.parts[0][:min(len(test.parts[0]), 4<<10)]), test.options.CSV != nil)
		}
	}
	for _, signature := range slices.Concat(textSignatures, binarySignatures) {
		f.Add([]byte(strings.Repeat("\x00", signature.offset)+signature.bytes+"\x00"), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, csv bool) {
		options := Options{}
		if csv {
			options = topics(0)
		}
		options.Parquet = openParquet
		read := func(slow bool) (rows, invalid []string, err error) {
			return readWritten(NewPartsReader(&textParts{texts: []string{string(data)}, slow: slow}, options, &memoryScratch{}, tightLimits()))
		}
		rows, invalid, err := read(false)
		if _, ok := errors.AsType[*InvalidDatasetError](err); err != nil && !ok {
			t.Fatal(err)
		}
		slowRows, slowInvalid, slowErr := read(true)
		if !slices.Equal(rows, slowRows) || !slices.Equal(invalid, slowInvalid) || !reflect.DeepEqual(err, slowErr) {
			t.Errorf("got %q, invalid %q, %v; byte by byte %q, invalid %q, %v", rows, invalid, err, slowRows, slowInvalid, slowErr)
		}
		lines, bad, lineErr := readWritten(NewReader(bytes.NewReader(data), tightLimits()))
		if len(lines) > 0 && len(bad) == 0 && lineErr == nil && (!slices.Equal(rows, lines) || err != nil) {
			t.Errorf("got %q, %v; JSON Lines has %q", rows, err, lines)
		}
	})
}
