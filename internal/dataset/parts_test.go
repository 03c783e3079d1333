package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// textParts are parts with the names a, b, c and so on.
type textParts struct {
	texts []string
	next  int
	slow  bool // they come byte by byte
}

func (p *textParts) Next() (name string, content io.Reader, err error) {
	if p.next == len(p.texts) {
		return "", nil, io.EOF
	}
	content = strings.NewReader(p.texts[p.next])
	if p.slow {
		content = iotest.OneByteReader(content)
	}
	p.next++
	return string(rune('a' + p.next - 1)), content, nil
}

// placed is where a row is.
type placed struct {
	part string
	line int
}

// readParts returns where valid and invalid rows are, and the valid ones.
func readParts(texts []string, options Options, slow bool) (valid, invalid []placed, rows []string, err error) {
	reader := NewPartsReader(&textParts{texts: texts, slow: slow}, options, &memoryScratch{}, tightLimits())
	var sample Sample
	for {
		err := reader.Read(&sample)
		if bad, ok := errors.AsType[*InvalidSampleError](err); ok {
			invalid = append(invalid, placed{bad.Part, bad.Line})
			continue
		}
		if err == io.EOF {
			return valid, invalid, rows, nil
		}
		if err != nil {
			return valid, invalid, rows, err
		}
		valid, rows = append(valid, placed{sample.Part, sample.Line}), append(rows, string(sample.Raw))
	}
}

// TestPartsAreReadByThemselves holds that no part has a say in how the next is read.
func TestPartsAreReadByThemselves(t *testing.T) {
	const header = "text,intent,tags\n"
	csv := Options{CSV: &utterances}
	for _, test := range []struct {
		reason      string
		options     Options
		texts       []string
		wantValid   []placed
		wantInvalid []placed
	}{
		{"lines count from each part's start", Options{}, []string{textRow + "\n" + textRow + "\n", textRow + "\n{\n"},
			[]placed{{"a", 1}, {"a", 2}, {"b", 1}}, []placed{{"b", 2}}},
		{"a row ends with its part", Options{}, []string{textRow, textRow}, []placed{{"a", 1}, {"b", 1}}, nil},
		{"a row that breaks off does not go on in the next part", Options{}, []string{textRow[:10], textRow[10:]}, nil, []placed{{"a", 1}, {"b", 1}}},
		{"blank lines may end each part", Options{}, []string{textRow + "\n\n", textRow + "\n \t\r\n\n", textRow + "\n\n"}, []placed{{"a", 1}, {"b", 1}, {"c", 1}}, nil},
		{"parts without content are passed over", Options{}, []string{"", textRow, "\n \n", "\xEF\xBB\xBF", textRow}, []placed{{"b", 1}, {"e", 1}}, nil},
		{"a blank line inside", Options{}, []string{textRow + "\n\n", textRow + "\n\n" + textRow + "\n"}, []placed{{"a", 1}, {"b", 1}, {"b", 3}}, []placed{{"b", 2}}},
		{"each part may have a byte order mark", Options{}, []string{"\xEF\xBB\xBF" + textRow, "\xEF\xBB\xBF" + textRow}, []placed{{"a", 1}, {"b", 1}}, nil},
		{"each part is compressed by itself", Options{}, []string{gzipped(t, textRow), textRow, zstandard(t, textRow)}, []placed{{"a", 1}, {"b", 1}, {"c", 1}}, nil},
		{"CSV: each part has its header", csv, []string{header + "hello,greeting,a\n", header + "bye,farewell,b"}, []placed{{"a", 2}, {"b", 2}}, nil},
		{"CSV: parts without content are passed over", csv, []string{"", header + "hello,greeting,a\n", "\n", header, header + "bye,farewell,b"}, []placed{{"b", 2}, {"e", 2}}, nil},
		{"CSV and JSON Lines, each as it starts", csv, []string{header + "hello,greeting,a\n", textRow}, []placed{{"a", 2}, {"b", 1}}, nil},
	} {
		for _, slow := range []bool{false, true} {
			valid, invalid, _, err := readParts(test.texts, test.options, slow)
			if err != nil || !slices.Equal(valid, test.wantValid) || !slices.Equal(invalid, test.wantInvalid) {
				t.Errorf("%s: got %v, invalid %v, %v; want %v and %v", test.reason, valid, invalid, err, test.wantValid, test.wantInvalid)
			}
		}
	}
}

// TestHeadersOfParts holds that columns are found by each part's own header.
func TestHeadersOfParts(t *testing.T) {
	options := Options{CSV: &CSVOptions{TextColumn: "text", LabelColumns: []CSVLabelColumn{{Column: "label"}}}}
	hello, refund := `{"text":"Hello","labels":{"label":"greeting"}}`, `{"text":"Money","labels":{"label":"refund"}}`
	for _, test := range []struct {
		reason string
		texts  []string
		want   []string
		fault  string
	}{
		{"in another order", []string{"text,label\nHello,greeting\n", "label,text\nrefund,Money\n"}, []string{hello, refund}, ""},
		{"with white space", []string{"text,label\nHello,greeting\n", " label , text\nrefund,Money\n"}, []string{hello, refund}, ""},
		{"with a column that says nothing", []string{"id,text,label\n1,Hello,greeting\n", "label,id,text\nrefund,2,Money\n"}, []string{hello, refund}, ""},
		{"with one more", []string{"text,label\nHello,greeting\n", "id,text,label\n2,Money,refund\n"}, []string{hello},
			`part b, line 1: DifferentHeader: the header has the columns "id", "text", "label"; that of part a has "text", "label". Parts may differ in the order of columns only`},
		{"with one less", []string{"id,text,label\n1,Hello,greeting\n", "\ntext,label\nMoney,refund\n"}, []string{hello},
			`part b, line 2: DifferentHeader: the header has the columns "text", "label"; that of part a has "id", "text", "label". Parts may differ in the order of columns only`},
		{"with one twice", []string{"id,text,label\n1,Hello,greeting\n", "text,text,label\nMoney,Money,refund\n"}, []string{hello},
			`part b, line 1: DifferentHeader: the header has the columns "text", "text", "label"; that of part a has "id", "text", "label". Parts may differ in the order of columns only`},
		{"with another case", []string{"text,label\nHello,greeting\n", "Text,label\nMoney,refund\n"}, []string{hello},
			`part b, line 1: DifferentHeader: the header has the columns "Text", "label"; that of part a has "text", "label". Parts may differ in the order of columns only`},
		{"without a header, of which nothing is repeated", []string{"text,label\nHello,greeting\n", "Money,refund\n"}, []string{hello},
			`part b, line 1: DifferentHeader: the first record names none of the columns of part a: "text", "label". Each part needs a header with the same columns`},
	} {
		_, invalid, rows, err := readParts(test.texts, options, false)
		fault := ""
		if err != nil {
			fault = err.Error()
		}
		if !slices.Equal(rows, test.want) || fault != test.fault || len(invalid) > 0 {
			t.Errorf("%s: got %q, invalid %v, %s; want %q, %s", test.reason, rows, invalid, fault, test.want, test.fault)
		}
	}
}

// TestQuoteEndsWithItsPart holds that no share of invalid rows lets a lost part pass.
func TestQuoteEndsWithItsPart(t *testing.T) {
	part := "text,intent,tags\n" + strings.Repeat("hello,greeting,a\nbye,farewell,b\n", 50)
	for _, cut := range []string{"\"cut off here", "\"cut off here\n", "cut,off,\"here", "\"cut off\n\n\n"} {
		samples := NewPartsReader(&textParts{texts: []string{part + cut, part}}, Options{CSV: &utterances}, &memoryScratch{}, DefaultLimits())
		prepared, err := Prepare(context.Background(), samples, Preparation{SkipInvalid: true, MaxInvalidPercent: 100}, &memoryScratch{}, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		problem := prepared.Report.Problem
		if problem == nil || problem.Reason != UnclosedQuote || problem.Part != "a" || problem.Line != 102 || len(prepared.Files) > 0 {
			t.Errorf("%q: got %v, want %s in part a on line 102", cut, problem, UnclosedQuote)
		}
	}
}

// TestShareOfBytesIsHeld holds that a row is not taken for little that is much.
func TestShareOfBytesIsHeld(t *testing.T) {
	good := strings.Repeat(saying("a", `{"t":"x"}`)+"\n"+saying("b", `{"t":"y"}`)+"\n", 100)
	for _, test := range []struct {
		reason string
		bad    string
		want   string
	}{
		{"a row as the others", `{"text":"","labels":{"t":"x"}}`, ""},
		{"a row as large as a hundred", `{"text":"` + strings.Repeat("c", 3200) + `","labels":{}}`,
			"TooManyInvalid: 3224 of 9624 bytes are in invalid samples; at most 96 may be"},
		{"a row that is too long to be kept", strings.Repeat("c", 2<<20), "TooManyInvalid: 2097153 of 2103553 bytes are in invalid samples; at most 21035 may be"},
	} {
		prepared, err := Prepare(context.Background(), NewReader(strings.NewReader(good+test.bad+"\n"), DefaultLimits()),
			Preparation{SkipInvalid: true, MaxInvalidPercent: 1}, &memoryScratch{}, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if prepared.Report.Problem != nil {
			got = prepared.Report.Problem.Error()
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.reason, got, test.want)
		}
	}
}

// TestAnyPartsGiveTheSameSamples cuts rows into parts at any boundary, with columns in
// any order, and finds them all, with the labels they had.
func TestAnyPartsGiveTheSameSamples(t *testing.T) {
	cell := rapid.StringMatching(`[a-zA-Zé][a-zA-Z,"\n é]{0,11}`) // a text of white space alone is none
	rapid.Check(t, func(t *rapid.T) {
		options := Options{CSV: &CSVOptions{TextColumn: "text", LabelColumns: []CSVLabelColumn{{Column: "one"}, {Column: "two"}}}}
		columns := []string{"text", "one", "two", "note"}
		var texts, want []string
		for part := range rapid.IntRange(1, 5).Draw(t, "parts") {
			order := rapid.Permutation(columns).Draw(t, fmt.Sprint("order of part ", part))
			text := csvLine(order)
			for range rapid.IntRange(0, 4).Draw(t, "rows") {
				row := map[string]string{"text": "x" + cell.Draw(t, "text"), "one": cell.Draw(t, "one"), "two": cell.Draw(t, "two"), "note": cell.Draw(t, "note")}
				var cells []string
				for _, column := range order {
					cells = append(cells, row[column])
				}
				text += csvLine(cells)
				want = append(want, fmt.Sprintf("%q %q %q", row["text"], row["one"], row["two"]))
			}
			texts = append(texts, strings.TrimSuffix(text, rapid.SampledFrom([]string{"", "\n"}).Draw(t, "end")))
		}
		var got []string
		reader := NewPartsReader(&textParts{texts: texts}, options, &memoryScratch{}, DefaultLimits())
		for sample := (Sample{}); ; {
			err := reader.Read(&sample)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%q %q %q", sample.Text, sample.Labels[0].Labels[0], sample.Labels[1].Labels[0]))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q: got %q, want %q", texts, got, want)
		}
	})
}

func csvLine(cells []string) string {
	quoted := make([]string, len(cells))
	for i, cell := range cells {
		quoted[i] = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
	}
	return strings.Join(quoted, ",") + "\n"
}
