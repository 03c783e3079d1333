package dataset

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// utterances are the options of a header of text and intent, and topics in a list.
var utterances = CSVOptions{
	TextColumn:   "text",
	LabelColumns: []CSVLabelColumn{{Column: "intent"}, {Column: "tags", Target: "topics", Separator: "|"}},
}

// readCSV reads everything and returns the lines and rows of valid records and
// the invalid ones as they are reported.
func readCSV(r io.Reader, options CSVOptions, limits Limits) (lines []int, rows []string, invalid []InvalidSampleError, err error) {
	reader := NewCSVReader(r, options, limits)
	var sample Sample
	for {
		err := reader.Read(&sample)
		if problem, ok := errors.AsType[*InvalidSampleError](err); ok {
			invalid = append(invalid, *problem)
			continue
		}
		if err == io.EOF {
			return lines, rows, invalid, nil
		}
		if err != nil {
			return lines, rows, invalid, err
		}
		lines, rows = append(lines, sample.Line), append(rows, string(sample.Raw))
	}
}

func TestCSVBecomesJSONLines(t *testing.T) {
	const header = "text,intent,tags\n"
	tests := []struct {
		reason string
		data   string
		lines  []int
		rows   []string
	}{
		{"fields", header + "hello,greeting,a\n", []int{2}, []string{`{"text":"hello","labels":{"intent":"greeting","topics":["a"]}}`}},
		{"a list", header + "hello,greeting,a| b |c d\n", []int{2}, []string{`{"text":"hello","labels":{"intent":"greeting","topics":["a","b","c d"]}}`}},
		{"a record whose fields read as the header's, one after the other", "text,intent,tags\ntex,tinten,ttags\n", []int{2}, []string{`{"text":"tex","labels":{"intent":"tinten","topics":["ttags"]}}`}},
		{"an empty cell says nothing", header + "hello,,a\nhello,greeting,\n", []int{2, 3},
			[]string{`{"text":"hello","labels":{"topics":["a"]}}`, `{"text":"hello","labels":{"intent":"greeting"}}`}},
		{"white space belongs to a text and a label", header + " hello , greeting ,\n", []int{2}, []string{`{"text":" hello ","labels":{"intent":" greeting "}}`}},
		{"columns in any order, and others", "id,tags,intent,note,text\n7,a,greeting,x,hello\n", []int{2},
			[]string{`{"text":"hello","labels":{"intent":"greeting","topics":["a"]}}`}},
		{"other columns may have any name", ",text,intent,,tags\n1,hello,greeting,2,\n", []int{2}, []string{`{"text":"hello","labels":{"intent":"greeting"}}`}},
		{"quotes", `"text","intent",tags` + "\n" + `"hello, ""you""","greeting",""` + "\n", []int{2},
			[]string{`{"text":"hello, \"you\"","labels":{"intent":"greeting"}}`}},
		{"line breaks in quotes", header + "\"a\nb\r\n\nc\",greeting,\nnext,greeting,\n", []int{2, 6},
			[]string{`{"text":"a\nb\n\nc","labels":{"intent":"greeting"}}`, `{"text":"next","labels":{"intent":"greeting"}}`}},
		{"a byte order mark and line ends of Windows", "\xEF\xBB\xBFtext,intent,tags\r\nhello,greeting,a\r\n", []int{2},
			[]string{`{"text":"hello","labels":{"intent":"greeting","topics":["a"]}}`}},
		{"no line end at the end", header + "hello,greeting,a", []int{2}, []string{`{"text":"hello","labels":{"intent":"greeting","topics":["a"]}}`}},
		{"empty lines", "\n\n" + header + "\nhello,greeting,a\n\n\r\n", []int{5}, []string{`{"text":"hello","labels":{"intent":"greeting","topics":["a"]}}`}},
		{"what JSON escapes", header + "\"\\ \t\x00\x1F\rü😀/<\",greeting,\n", []int{2},
			[]string{`{"text":"\\ \t\u0000\u001f\rü😀/<","labels":{"intent":"greeting"}}`}},
		{"a header alone", header, nil, nil},
		{"white space around names is not of the name", " text,intent\t,tags \nhello,greeting,a\n", []int{2}, []string{`{"text":"hello","labels":{"intent":"greeting","topics":["a"]}}`}},
		{"files that were joined, with columns in another order", header + "hello,greeting,a\ntags,text,intent\nb,bye,farewell\n", []int{2, 4},
			[]string{`{"text":"hello","labels":{"intent":"greeting","topics":["a"]}}`, `{"text":"bye","labels":{"intent":"farewell","topics":["b"]}}`}},
		{"a record that has some of the header's names", header + "text,intent,a\n", []int{2}, []string{`{"text":"text","labels":{"intent":"intent","topics":["a"]}}`}},
		{"files that were joined", header + "hello,greeting,a\n\xEF\xBB\xBF" + header + "bye,farewell,b\n" + header, []int{2, 4},
			[]string{`{"text":"hello","labels":{"intent":"greeting","topics":["a"]}}`, `{"text":"bye","labels":{"intent":"farewell","topics":["b"]}}`}},
		{"a byte order mark in quotes is text", header + "\"a\n\xEF\xBB\xBFb\",greeting,\n", []int{2}, []string{"{\"text\":\"a\\n\xEF\xBB\xBFb\",\"labels\":{\"intent\":\"greeting\"}}"}},
	}
	for _, test := range tests {
		for name, reader := range map[string]io.Reader{
			"whole":     strings.NewReader(test.data),
			"byte wise": iotest.OneByteReader(strings.NewReader(test.data)),
		} {
			t.Run(test.reason+"/"+name, func(t *testing.T) {
				lines, rows, invalid, err := readCSV(reader, utterances, DefaultLimits())
				if err != nil || len(invalid) > 0 {
					t.Fatal(invalid, err)
				}
				if !slices.Equal(lines, test.lines) || !slices.Equal(rows, test.rows) {
					t.Errorf("got lines %v, %q; want %v, %q", lines, rows, test.lines, test.rows)
				}
				again, bad, err := readRows(strings.NewReader(strings.Join(rows, "\n")), DefaultLimits())
				if err != nil || len(bad) > 0 || len(again) != len(rows) {
					t.Errorf("the rows are read as %v, invalid %v, %v", again, bad, err)
				}
			})
		}
	}
}

func TestInvalidCSVRecords(t *testing.T) {
	long := strings.Repeat("a", 600)
	tests := []struct {
		reason string
		record string
		want   Reason
	}{
		{"a record has all fields", "hello,greeting", RaggedRow},
		{"a record has no more fields", "hello,greeting,a,b", RaggedRow},
		{"semicolons are no commas", "hello;greeting;a", RaggedRow},
		{"a line of white space is no empty line", "  ", RaggedRow},
		{"a quote inside of a field is doubled and the field quoted", `5" screen,greeting,a`, InvalidQuoting},
		{"a quoted field ends with its quote", `"hello" you,greeting,a`, InvalidQuoting},
		{"an escaped quote is doubled, not escaped by a backslash", `"say \"hello\"",greeting,a`, InvalidQuoting},
		{"a text says something", ",greeting,a", EmptyText},
		{"there is a label", "hello,,", EmptyLabels},
		{"a list has no empty label", "hello,greeting,a||b", EmptyName},
		{"a list has a label once", "hello,greeting,a|b| a", DuplicateLabel},
		{"a list has so many labels", "hello,greeting," + strings.ReplaceAll("abcdefghijklmnopqrstuv", "", "|")[1:44], TooManyLabels},
		{"a label is so long", "hello,a label of too many bytes,a", NameTooLong},
		{"a text is UTF-8", "caf\xE9,greeting,a", InvalidUTF8},
		{"a label is UTF-8", "hello,caf\xE9,a", InvalidUTF8},
		{"a record is so long", long + ",greeting,a", LineTooLong},
		{"a record of several lines is so long", `"` + long[:300] + "\n" + long[:300] + `",greeting,a`, LineTooLong},
		{"a line of a record is so long", "\"a\n" + long + "\",greeting,a", LineTooLong},
		{"so it is in JSON", strings.Repeat("\x01", 100) + ",greeting,a", LineTooLong},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			data := "text,intent,tags\nbefore,greeting,a\n" + test.record + "\nafter,greeting,a\n"
			lines, _, invalid, err := readCSV(strings.NewReader(data), utterances, tightLimits())
			if err != nil {
				t.Fatal(err)
			}
			if len(invalid) == 0 || invalid[0].Reason != test.want || invalid[0].Line != 3 {
				t.Errorf("got %v, want %s on line 3", invalid, test.want)
			}
			if detail := invalid[0].Error(); strings.Contains(detail, "hello") || strings.Contains(detail, "greeting") {
				t.Errorf("%s has something of the sample", detail)
			}
			if last := 4 + strings.Count(test.record, "\n"); !slices.Equal(lines, []int{2, last}) {
				t.Errorf("lines %v are valid, want 2 and %d", lines, last)
			}
		})
	}
}

// TestUnclosedQuote holds that nobody is told of one bad row where many are lost.
func TestUnclosedQuote(t *testing.T) {
	long := strings.Repeat("next,greeting,a ", 100)
	tests := []struct {
		reason string
		data   string
	}{
		{"up to the end", "\"hello,greeting,a\nnext,greeting,a\n"},
		{"in the last field", "hello,greeting,\"a\nnext,greeting,a\n"},
		{"up to the next quote", "\"hello,greeting,a\nnext,greeting,\"a\"\nlast,greeting,a\n"},
		{"up to the next quoted text", "\"hello,greeting,a\n\"next, please\",greeting,a\n"},
		{"for longer than a record may be", "\"hello,greeting,a\n" + strings.Repeat("next,greeting,a\n", 100)},
		{"before a line that is longer", "\"hello,greeting,a\n" + long + "\nnext,greeting,a\n"},
		{"in a line that is longer", "\"hello" + long + "\nnext,greeting,a\n"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			lines, _, invalid, err := readCSV(strings.NewReader("text,intent,tags\n"+test.data), utterances, tightLimits())
			problem, ok := errors.AsType[*InvalidDatasetError](err)
			if !ok || problem.Reason != UnclosedQuote || problem.Line != 2 || len(invalid)+len(lines) > 0 {
				t.Errorf("got %v, %v and %v, want %s on line 2", lines, invalid, err, UnclosedQuote)
			}
		})
	}
}

// TestRecordThatIsTooLong holds that reading goes on where the record ends, wherever its
// quotes are.
func TestRecordThatIsTooLong(t *testing.T) {
	long := strings.Repeat("x", 600)
	for _, record := range []string{
		long + ",greeting,a",
		`"` + long + `",greeting,a`,
		`"` + long + "\n" + long + `",greeting,a`,
		`"` + long + "\n\n" + long + "\n" + `",greeting,a`,
		`"a` + "\n" + long + `",greeting,a`,
		`"a` + "\n" + long + "\n" + `b",greeting,a`,
		`"a ""` + long + `""` + "\n" + `b ""c""",greeting,a`,
		`"` + strings.Repeat("line\n", 200) + `",greeting,a`,
		`hello,greeting,"` + long + "\n" + `b"`,
	} {
		data := "text,intent,tags\nbefore,greeting,a\n" + record + "\nafter,greeting,a\n"
		lines, _, invalid, err := readCSV(strings.NewReader(data), utterances, tightLimits())
		last := 4 + strings.Count(record, "\n")
		if err != nil || len(invalid) != 1 || invalid[0].Reason != LineTooLong || invalid[0].Line != 3 || !slices.Equal(lines, []int{2, last}) {
			t.Errorf("lines %v, invalid %v, %v; want 2 and %d, and line 3 too long, for %.20q…", lines, invalid, err, last, record)
			continue
		}
		if want := int64(len(record) + 1); invalid[0].Bytes != want {
			t.Errorf("it has %d bytes, want %d, for %.20q…", invalid[0].Bytes, want, record)
		}
	}
}

func TestInvalidCSVHeaders(t *testing.T) {
	label := func(columns ...CSVLabelColumn) CSVOptions {
		return CSVOptions{TextColumn: "text", LabelColumns: columns}
	}
	tests := []struct {
		reason  string
		data    string
		options CSVOptions
		want    Reason
		line    int
	}{
		{"there is one", "", utterances, InvalidHeader, 1},
		{"empty lines are none", "\n\r\n", utterances, InvalidHeader, 1},
		{"it is CSV", "text,\"intent\" ,tags\n", utterances, InvalidHeader, 1},
		{"its quotes are closed", "text,\"intent,tags\nhello,greeting,a\n", utterances, UnclosedQuote, 1},
		{"it is UTF-8", "text,intent,tags,caf\xE9\n", utterances, InvalidHeader, 1},
		{"it is not UTF-16", "\xFF\xFEt\x00e\x00x\x00t\x00", utterances, InvalidHeader, 1},
		{"it is not endless", strings.Repeat("text,", 200) + "\n", utterances, InvalidHeader, 1},
		{"it has the text's column", "Text,intent,tags\n", utterances, MissingColumn, 1},
		{"it has the labels' columns", "\ntext,intent\n", utterances, MissingColumn, 2},
		{"it has commas", "text;intent;tags\n", utterances, MissingColumn, 1},
		{"data is no header", "hello,greeting,a\n", utterances, MissingColumn, 1},
		{"a column stands once", "text,intent,tags,text\n", utterances, DuplicateColumn, 1},
		{"a target has one column", "text,a,b\n", label(CSVLabelColumn{Column: "a"}, CSVLabelColumn{Column: "b", Target: "a"}), DuplicateTarget, 1},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			reader := NewCSVReader(strings.NewReader(test.data), test.options, tightLimits())
			err := reader.Read(&Sample{})
			problem, ok := errors.AsType[*InvalidDatasetError](err)
			if !ok || problem.Reason != test.want || problem.Line != test.line {
				t.Errorf("got %v, want %s on line %d", err, test.want, test.line)
			}
			if again := reader.Read(&Sample{}); again != err {
				t.Errorf("reading on gave %v", again)
			}
		})
	}
}

func TestCSVReadingFailureIsNotBadData(t *testing.T) {
	broken := errors.New("connection reset")
	for reason, data := range map[string]string{
		"in the header":   "text,int",
		"between records": "text,intent,tags\nhello,greeting,a\n",
		"in a record":     "text,intent,tags\nhello,gree",
		"in quotes":       "text,intent,tags\n\"hello\n",
	} {
		_, _, invalid, err := readCSV(io.MultiReader(strings.NewReader(data), iotest.ErrReader(broken)), utterances, DefaultLimits())
		if err != broken || len(invalid) > 0 {
			t.Errorf("%s: got %v and %v", reason, err, invalid)
		}
	}
}

func TestReadingCSVDoesNotAllocate(t *testing.T) {
	reader := NewCSVReader(strings.NewReader("text,intent,tags\n"+strings.Repeat("\"hello\nyou\",greeting,a|b\n", 4000)), utterances, DefaultLimits())
	var sample Sample
	read := func() {
		for range 1500 {
			if err := reader.Read(&sample); err != nil {
				t.Fatal(err)
			}
		}
	}
	if allocations := testing.AllocsPerRun(1, read); allocations > 0 { // after one to warm up
		t.Errorf("%v allocations for 1500 records", allocations)
	}
}

// FuzzReadCSV compares what is read with what encoding/csv reads, and the rows
// made of it with what they were made of.
func FuzzReadCSV(f *testing.F) {
	for _, record := range []string{
		"hello,greeting,a|b", "\"a\nb\",x,", `"a ""b""",x,y`, `a"b,x,y`, `"a"b,x,y`, "\"a,x,y", ",,", "a,b", "\r\r\n,\r", "\"\r\n\",\"\",x", "a,b,\xFF",
	} {
		f.Add([]byte("text,intent,tags\n" + record + "\nlast,x,y\n"))
	}
	f.Add([]byte("\xEF\xBB\xBFtags,intent,text\r\n\r\na,b,c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := tightLimits()
		lines, rows, invalid, err := readCSV(strings.NewReader(string(data)), utterances, limits)
		if _, ok := errors.AsType[*InvalidDatasetError](err); err != nil && !ok {
			t.Fatal(err)
		}
		if !slices.IsSorted(lines) || !slices.IsSortedFunc(invalid, func(a, b InvalidSampleError) int { return a.Line - b.Line }) {
			t.Errorf("lines %v and %v are not in order", lines, invalid)
		}
		if again, bad, err := readRows(strings.NewReader(strings.Join(rows, "\n")), limits); err != nil || len(bad) > 0 || len(again) != len(rows) {
			t.Errorf("%q are read as %v, invalid %v, %v", rows, again, bad, err)
		}
		records, ok := referenceRecords(data)
		if !ok || len(data) > limits.LineBytes {
			return // what follows a bad record is read in another way
		}
		ours := csvRecords{lines: newLineReader(strings.NewReader(string(data)), limits), delimiter: ','}
		for _, want := range records {
			if err := ours.read(); err != nil {
				t.Fatalf("got %v, want %q", err, want)
			}
			got := make([]string, len(ours.ends))
			for i := range got {
				got[i] = string(ours.field(i))
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		if err := ours.read(); err != io.EOF {
			t.Errorf("after the last record: %v", err)
		}
	})
}

var severalReturns = regexp.MustCompile(`\r+(\n|$)`)

// referenceRecords reports whether all records are valid. Of byte order marks, and of more
// than one carriage return at the end of a line, encoding/csv knows nothing.
func referenceRecords(data []byte) (records [][]string, ok bool) {
	if bytes.Contains(data, byteOrderMark) {
		return nil, false
	}
	reader := csv.NewReader(bytes.NewReader(severalReturns.ReplaceAll(data, []byte("$1"))))
	reader.FieldsPerRecord = -1
	records, err := reader.ReadAll()
	return records, err == nil
}
