package dataset

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// rowOf is a valid row of so many bytes.
func rowOf(bytes int) string {
	return textOf(`"` + strings.Repeat("a", bytes-len(textOf(`""`))) + `"`)
}

func TestLines(t *testing.T) {
	tests := []struct {
		reason      string
		data        string
		wantRows    []int // lines
		wantInvalid []int
	}{
		{"nothing", "", nil, nil},
		{"the last line may lack its end", textRow + "\n" + textRow, []int{1, 2}, nil},
		{"line ends of Windows", textRow + "\r\n" + textRow + "\r\n", []int{1, 2}, nil},
		{"line ends of old Macs are none", textRow + "\r" + textRow + "\r", nil, []int{1}},
		{"a byte order mark", "\xEF\xBB\xBF" + textRow + "\n" + textRow, []int{1, 2}, nil},
		{"a byte order mark alone", "\xEF\xBB\xBF", nil, nil},
		{"a second byte order mark", "\xEF\xBB\xBF\xEF\xBB\xBF" + textRow, []int{1}, nil},
		{"a byte order mark of a later line, as of files that were joined", textRow + "\n\xEF\xBB\xBF" + textRow, []int{1, 2}, nil},
		{"byte order marks of files without rows", "\xEF\xBB\xBF\n\xEF\xBB\xBF", nil, nil},
		{"a byte order mark after a blank line", "\n\xEF\xBB\xBF " + textRow, []int{2}, []int{1}},
		{"two byte order marks after a blank line", "\n\xEF\xBB\xBF\xEF\xBB\xBF" + textRow, []int{2}, []int{1}},
		{"a byte order mark after white space after a blank line", "\n \xEF\xBB\xBF" + textRow, nil, []int{1, 2}},
		{"half a byte order mark after a blank line", "\n\xEF\xBB" + textRow + "\n" + textRow, []int{3}, []int{1, 2}},
		{"half a byte order mark at the end", "\n\xEF\xBB", nil, []int{1, 2}},
		{"a byte order mark inside of a line", textRow + "\n \xEF\xBB\xBF" + textRow, []int{1}, []int{2}},
		{"blank lines at the end", textRow + "\n\n \t\r\n\n", []int{1}, nil},
		{"blank lines at the end, one longer than a row may be", textRow + "\n\n" + strings.Repeat(" ", 600), []int{1}, nil},
		{"blank lines only", "\r\n\n   ", nil, nil},
		{"blank lines before a row are one problem", textRow + "\n\n\n\n" + textRow, []int{1, 5}, []int{2}},
		{"a blank line at the start", "\n  " + textRow, []int{2}, []int{1}},
		{"bad rows among good ones", "{\n" + textRow + "\n[\n" + textRow, []int{2, 4}, []int{1, 3}},
		{"a row as long as the limit", rowOf(512) + "\r\n" + textRow, []int{1, 2}, nil},
		{"a row longer than the limit", rowOf(513) + "\n" + textRow, []int{2}, []int{1}},
		{"a row longer than the limit at the end", textRow + "\n" + rowOf(513), []int{1}, []int{2}},
		{"a row much longer than the limit", rowOf(1<<20) + "\n" + textRow, []int{2}, []int{1}},
		{"a row of many buffers at the end", textRow + "\n" + rowOf(1<<20), []int{1}, []int{2}},
	}
	for _, test := range tests {
		readers := map[string]io.Reader{
			"whole":       strings.NewReader(test.data),
			"byte wise":   iotest.OneByteReader(strings.NewReader(test.data)),
			"end at once": iotest.DataErrReader(strings.NewReader(test.data)),
		}
		for name, reader := range readers {
			t.Run(test.reason+"/"+name, func(t *testing.T) {
				rows, invalid, err := readRows(reader, tightLimits())
				if err != nil {
					t.Fatal(err)
				}
				var lines []int
				for _, row := range rows {
					lines = append(lines, row.Line)
				}
				if !reflect.DeepEqual(lines, test.wantRows) || !reflect.DeepEqual(invalid, test.wantInvalid) {
					t.Errorf("rows on lines %v, invalid %v; want %v and %v", lines, invalid, test.wantRows, test.wantInvalid)
				}
			})
		}
	}
}

func TestRowsLongerThanTheBuffer(t *testing.T) {
	for _, size := range []int{bufferBytes - 1, bufferBytes, bufferBytes + 1, 2*bufferBytes - 1, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			limits := DefaultLimits()
			limits.LineBytes = size
			data := "\xEF\xBB\xBF" + rowOf(size) + "\r\n" + textRow + "\n" + rowOf(size)
			rows, invalid, err := readRows(strings.NewReader(data), limits)
			if err != nil || len(invalid) > 0 || len(rows) != 3 {
				t.Fatalf("read %d rows, invalid %v, %v", len(rows), invalid, err)
			}
			if want := size - len(textOf(`""`)); len(rows[0].Text) != want || len(rows[2].Text) != want {
				t.Errorf("texts have %d and %d bytes, want %d", len(rows[0].Text), len(rows[2].Text), want)
			}
		})
	}
}

func TestTooLongRowIsNotHeld(t *testing.T) {
	limits := DefaultLimits()
	endless := io.LimitReader(endlessText{}, 1<<30)
	reader := NewReader(io.MultiReader(strings.NewReader(`{"text":"`), endless, strings.NewReader("\n"+textRow)), limits)

	var sample Sample
	err := reader.Read(&sample)
	if problem, ok := errors.AsType[*InvalidSampleError](err); !ok || problem.Reason != LineTooLong {
		t.Fatalf("got %v, want %s", err, LineTooLong)
	}
	if most := 2*limits.LineBytes + 4*bufferBytes; cap(reader.lines.long) > most {
		t.Errorf("the reader holds %d bytes, want at most %d", cap(reader.lines.long), most)
	}
	if err := reader.Read(&sample); err != nil || sample.Line != 2 {
		t.Errorf("the row after: line %d, %v", sample.Line, err)
	}
}

type endlessText struct{}

func (endlessText) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestRawIsTheRow(t *testing.T) {
	reader := NewReader(strings.NewReader("\xEF\xBB\xBF"+textRow+"\r\n "+chatRow+" \n"), DefaultLimits())
	for _, want := range []string{textRow, " " + chatRow + " "} {
		var sample Sample
		if err := reader.Read(&sample); err != nil || string(sample.Raw) != want {
			t.Errorf("got %q and %v, want %q", sample.Raw, err, want)
		}
	}
}

func TestReadingFailureIsNotBadData(t *testing.T) {
	broken := errors.New("connection reset")
	tests := []struct {
		reason string
		data   string
		err    error
	}{
		{"at the start", "", broken},
		{"between rows", textRow + "\n", broken},
		{"inside a row", textRow + "\n" + textRow[:20], broken},
		{"after a row without its end, which may be a part of it", textRow + "\n" + textRow, broken},
		{"after blank lines", textRow + "\n\n\n", broken},
		{"inside a row of several buffers", textRow + "\n" + rowOf(3*bufferBytes), broken},
		{"inside a row that is too long", textRow + "\n" + rowOf(3<<20), broken},
		{"data cut off", textRow + "\n" + textRow[:20], io.ErrUnexpectedEOF},
		{"an end of another stream is none of this one", textRow + "\n", fmt.Errorf("signature: %w", io.EOF)},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			data := io.MultiReader(strings.NewReader(test.data), &failingOnce{test.err}, strings.NewReader(textRow+"\n"))
			reader := NewReader(data, DefaultLimits())
			var sample Sample
			err := reader.Read(&sample)
			for err == nil {
				err = reader.Read(&sample)
			}
			if err != test.err {
				t.Errorf("got %v, want %v", err, test.err)
			}
			if again := reader.Read(&sample); again != err {
				t.Errorf("reading on gave %v", again)
			}
			if sample.Line > 1 {
				t.Errorf("line %d was read", sample.Line)
			}
		})
	}
}

// failingOnce works, and ends, when it is read again.
type failingOnce struct{ err error }

func (f *failingOnce) Read([]byte) (int, error) {
	err := f.err
	f.err = io.EOF
	return 0, err
}

func TestReadingDoesNotAllocate(t *testing.T) {
	escaped := contentOf(`[{"type":"text","text":"a\n"},{"text":"\u00fc","type":"text"}]`)
	data := strings.Repeat(chatRow+"\n"+manyKeysRow(40, 40)+"\n"+escaped+"\n", 1000)
	reader := NewReader(strings.NewReader(data), DefaultLimits())
	var sample Sample
	read := func() {
		for range 1500 {
			if err := reader.Read(&sample); err != nil {
				t.Fatal(err)
			}
		}
	}
	if allocations := testing.AllocsPerRun(1, read); allocations > 0 { // after one to warm up
		t.Errorf("%v allocations for 1500 rows", allocations)
	}
}

// readOnly reads to the end, or the first row that is bad.
func readOnly(samples SampleReader) error {
	var sample Sample
	for {
		if err := samples.Read(&sample); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// However many files there are, they have to end.
func TestReadersBoundAllData(t *testing.T) {
	limits := DefaultLimits()
	limits.DecompressedBytes = 1 << 20
	endless := func(row string) io.Reader { return &generatedRows{row: func(int) string { return row }} }
	readers := map[string]SampleReader{
		"rows":                   NewReader(endless(textRow), limits),
		"bad rows":               NewReader(endless("{"), limits),
		"blank lines":            NewReader(endless(""), limits),
		"a line":                 NewReader(endlessText{}, limits),
		"CSV":                    NewCSVReader(io.MultiReader(strings.NewReader("text,intent,tags\n"), endless("hello,greeting,a")), utterances, limits),
		"empty lines of CSV":     NewCSVReader(endless(""), utterances, limits),
		"headers of CSV":         NewCSVReader(endless("text,intent,tags"), utterances, limits),
		"quoted newlines of CSV": NewCSVReader(io.MultiReader(strings.NewReader("text,intent,tags\n\""), endless("")), utterances, limits),
	}
	for reason, reader := range readers {
		t.Run(reason, func(t *testing.T) {
			var report Report
			err := report.collect(t.Context(), reader, NewCensus(limits), func(*Sample) error { return nil })
			if err != nil || report.Problem == nil || report.Problem.Reason != TooLarge || report.Problem.Line == 0 {
				t.Errorf("got %v and %v, want %s", report.Problem, err, TooLarge)
			}
		})
	}
}
