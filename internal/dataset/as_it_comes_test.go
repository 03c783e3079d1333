package dataset

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// comes is a source as somebody has it.
type comes struct {
	reason  string
	options Options
	parts   []string
	rows    int      // that a person counts in it
	want    []string // the valid ones, as inWords says
	invalid []string // the others, such as "line 3: EmptyText"
	without int      // how many the filters leave out
	fault   string   // why it is not read, or not to its end: the reason, and words of the sentence after a colon
}

// TestAsItComes reads what tools write. Each row is read, or said to be wrong: none is
// lost and none is changed without a word.
func TestAsItComes(t *testing.T) {
	for _, group := range []struct {
		name  string
		cases []comes
	}{
		{"JSON Lines", jsonLinesAsTheyCome()},
		{"JSON", jsonAsItComes()},
		{"label tools", labelToolsAsTheyCome()},
		{"exports", exportsAsTheyCome()},
		{"CSV", csvAsItComes()},
		{"compression", compressedAsItComes(t)},
		{"encodings", encodedAsItComes()},
		{"parts", partsAsTheyCome(t)},
		{"Parquet", parquetAsItComes(t)},
		{"archives", archivesAsTheyCome(t)},
		{"other formats", otherFormats(t)},
		{"something else", somethingElse()},
		{"declared otherwise", declaredOtherwise()},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.cases {
				t.Run(test.reason, test.run)
			}
		})
	}
}

func (c comes) run(t *testing.T) {
	c.options.Parquet = openParquet
	for _, slow := range []bool{false, true} {
		rows, invalid, err := readWritten(NewPartsReader(&textParts{texts: c.parts, slow: slow}, c.options, &memoryScratch{}, DefaultLimits()))
		if !slices.Equal(rows, c.want) || !slices.Equal(invalid, c.invalid) {
			t.Errorf("byte by byte %t: got\n%s\ninvalid %q, want\n%s\ninvalid %q", slow, strings.Join(rows, "\n"), invalid, strings.Join(c.want, "\n"), c.invalid)
		}
		c.wantFault(t, err)
	}
	prepared, err := Prepare(context.Background(), NewPartsReader(&textParts{texts: c.parts}, c.options, &memoryScratch{}, DefaultLimits()),
		Preparation{SkipInvalid: true, MaxInvalidPercent: 100}, &memoryScratch{}, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	report := &prepared.Report
	switch {
	case c.fault != "":
		c.wantFault(t, report.Problem)
		if len(prepared.Files) > 0 {
			t.Error("there are files in spite of the fault")
		}
	case report.Samples+report.Invalid+report.Filtered != c.rows || report.Filtered != c.without || report.Ended:
		t.Errorf("%d valid, %d invalid and %d filtered rows, want %d together; %v", report.Samples, report.Invalid, report.Filtered, c.rows, report.Problem)
	}
}

func (c comes) wantFault(t *testing.T, err error) {
	t.Helper()
	problem, _ := errors.AsType[*InvalidDatasetError](err)
	reason, words, _ := strings.Cut(c.fault, ": ")
	switch {
	case c.fault == "" && (problem != nil || err != nil && !isEnd(err)):
		t.Errorf("got %v", err)
	case c.fault != "" && (problem == nil || string(problem.Reason) != reason || !strings.Contains(problem.Detail, words)):
		t.Errorf("got %v, want %s", err, c.fault)
	}
}

// readWritten reads all, and writes each row in few words.
func readWritten(samples SampleReader) (rows, invalid []string, err error) {
	for sample := (Sample{}); ; {
		err := samples.Read(&sample)
		if bad, ok := errors.AsType[*InvalidSampleError](err); ok {
			invalid = append(invalid, fmt.Sprintf("%s%s", place(bad.Part, bad.Line, 0), bad.Reason))
			continue
		}
		if errors.Is(err, ErrFiltered) {
			continue
		}
		if isEnd(err) {
			return rows, trimParts(invalid), nil
		}
		if err != nil {
			return rows, trimParts(invalid), err
		}
		rows = append(rows, inWords(&sample))
	}
}

// trimParts leaves out the name of the first part, which most cases have alone.
func trimParts(places []string) []string {
	for i := range places {
		places[i] = strings.TrimPrefix(places[i], "part a, ")
	}
	return places
}

// inWords writes a sample such as `Hello > intent=greeting tags=[a|b]`.
func inWords(sample *Sample) string {
	var row strings.Builder
	row.WriteString(sample.Text)
	for i, message := range sample.Messages {
		if i > 0 {
			row.WriteString(" / ")
		}
		row.WriteString(message.Role + ": " + message.Content)
	}
	row.WriteString(" >")
	for _, target := range sample.Labels {
		labels := strings.Join(target.Labels, "|")
		if target.Multi {
			labels = "[" + labels + "]"
		}
		row.WriteString(" " + target.Target + "=" + labels)
	}
	return row.String()
}

// What most cases are about.
const (
	late     = "The parcel is late > topic=shipping"
	twice    = "I paid twice > topic=billing"
	lateRow  = `{"text": "The parcel is late", "labels": {"topic": "shipping"}}`
	twiceRow = `{"text": "I paid twice", "labels": {"topic": "billing"}}`

	lateAndTwice = lateRow + "\n" + twiceRow + "\n"
	table        = "text,topic\nThe parcel is late,shipping\nI paid twice,billing\n"
)

// topics are the columns of the table.
func topics(delimiter byte) Options {
	return Options{CSV: &CSVOptions{Delimiter: delimiter, TextColumn: "text", LabelColumns: []CSVLabelColumn{{Column: "topic"}}}}
}

func both() []string { return []string{late, twice} }

func jsonLinesAsTheyCome() []comes {
	const mark = "\xEF\xBB\xBF"
	return []comes{
		{reason: "as json.dumps and a line break write it", parts: []string{lateAndTwice}, rows: 2, want: both()},
		{reason: "without the last line break", parts: []string{lateRow + "\n" + twiceRow}, rows: 2, want: both()},
		{reason: "compact, as jq -c writes it", parts: []string{`{"text":"The parcel is late","labels":{"topic":"shipping"}}` + "\n" + twiceRow}, rows: 2, want: both()},
		{reason: "with the line ends of Windows", parts: []string{lateRow + "\r\n" + twiceRow + "\r\n"}, rows: 2, want: both()},
		{reason: "with a byte order mark, as PowerShell writes it", parts: []string{mark + lateAndTwice}, rows: 2, want: both()},
		{reason: "joined from files that each have a mark", parts: []string{mark + lateRow + "\n" + mark + twiceRow + "\n"}, rows: 2, want: both()},
		{reason: "with blank lines at the end, as an editor leaves them", parts: []string{lateAndTwice + "\n\n \n"}, rows: 2, want: both()},
		{reason: "with a blank line inside", parts: []string{lateRow + "\n\n" + twiceRow + "\n"}, rows: 3, want: both(), invalid: []string{"line 2: BlankLine"}},
		{reason: "with other keys, as an export of a database has them", parts: []string{`{"id": 7, "text": "I paid twice", "labels": {"topic": "billing"}, "created": "2026-11-02T10:00:00Z", "score": 0.5, "meta": {"by": null}}`}, rows: 1, want: []string{twice}},
		{reason: "escaped, as ensure_ascii does", parts: []string{`{"text": "Caf\u00e9 \ud83d\ude00 \"so\"\n2", "labels": {"topic": "caf\u00e9"}}`}, rows: 1, want: []string{"Café 😀 \"so\"\n2 > topic=café"}},
		{reason: "escaped, as Go does with markup", parts: []string{`{"text":"\u003cb\u003e Tom \u0026 Jerry","labels":{"topic":"x"}}`}, rows: 1, want: []string{"<b> Tom & Jerry > topic=x"}},
		{reason: "with slashes escaped, as PHP does", parts: []string{`{"text":"see http:\/\/example.org","labels":{"topic":"x"}}`}, rows: 1, want: []string{"see http://example.org > topic=x"}},
		{reason: "several targets, and one that only some rows have", parts: []string{`{"text": "a", "labels": {"topic": "x", "tone": ["calm", "short"]}}` + "\n" + `{"text": "b", "labels": {"topic": "y"}}`}, rows: 2, want: []string{"a > topic=x tone=[calm|short]", "b > topic=y"}},
		{reason: "conversations", parts: []string{`{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}], "labels": {"topic": "x"}}`}, rows: 1, want: []string{"user: Hi / assistant: Yes? > topic=x"}},
		{reason: "conversations with chunks and calls of tools", parts: []string{`{"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}, {"role": "assistant", "tool_calls": []}], "labels": {"topic": "x"}}`}, rows: 1, want: []string{"user: Hi / assistant:  > topic=x"}},
		{reason: "one row that json.dumps wrote of a NaN", parts: []string{lateRow + "\n" + `{"text": NaN, "labels": {"topic": "x"}}` + "\n" + twiceRow}, rows: 3, want: both(), invalid: []string{"line 2: InvalidJSON"}},
		{reason: "a row that was cut off by a kill", parts: []string{lateRow + "\n" + twiceRow + "\n" + lateRow[:30]}, rows: 3, want: both(), invalid: []string{"line 3: InvalidJSON"}},
		{reason: "a first row that was cut off by split --bytes", parts: []string{lateRow[20:] + "\n" + lateAndTwice}, rows: 3, want: both(), invalid: []string{"line 1: InvalidJSON"}},
		{reason: "a first row that lacks its end", parts: []string{lateRow[:40] + "\n" + lateAndTwice}, rows: 3, want: both(), invalid: []string{"line 1: InvalidJSON"}},
		{reason: "a first row that lacks a brace", parts: []string{lateRow[:len(lateRow)-1] + "\n" + lateAndTwice}, rows: 3, want: both(), invalid: []string{"line 1: InvalidJSON"}},
		{reason: "a line of a log before the rows", parts: []string{"INFO exporting 2 rows\n" + lateAndTwice}, rows: 3, want: both(), invalid: []string{"line 1: InvalidJSON"}},
		{reason: "a comment before the rows", parts: []string{"# exported by hand\n" + lateAndTwice}, rows: 3, want: both(), invalid: []string{"line 1: InvalidJSON"}},
		{reason: "two rows on a line, in the middle", parts: []string{lateRow + "\n" + lateRow + twiceRow + "\n" + twiceRow}, rows: 3, want: both(), invalid: []string{"line 2: InvalidJSON"}},
		{reason: "a first row without labels", parts: []string{`{"text": "a", "id": 1}` + "\n" + lateAndTwice}, rows: 3, want: both(), invalid: []string{"line 1: MissingLabels"}},
		{reason: "texts that nobody has labelled", parts: []string{`{"text": "a"}` + "\n" + `{"text": "b"}`}, rows: 2, invalid: []string{"line 1: MissingLabels", "line 2: MissingLabels"}},
		{reason: "an empty text", parts: []string{lateRow + "\n" + `{"text": "", "labels": {"topic": "x"}}`}, rows: 2, want: []string{late}, invalid: []string{"line 2: EmptyText"}},
		{reason: "numbers as labels", parts: []string{lateRow + "\n" + `{"text": "a", "labels": {"topic": 3}}`}, rows: 2, want: []string{late}, invalid: []string{"line 2: InvalidLabels"}},
		{reason: "one label under the key label", parts: []string{`{"text": "The parcel is late", "label": "shipping"}` + "\n" + `{"text": "I paid twice", "label": "billing"}`},
			fault: `UnmappedFields: rows with the fields "text", "label", without text or messages and labels by target: say in spec.mapping`},
		{reason: "a number under the key label, as the datasets library writes it", parts: []string{`{"text":"The parcel is late","label":0}` + "\n" + `{"text":"I paid twice","label":1}`}, fault: `UnmappedFields: "text", "label"`},
		{reason: "a list of labels without a target", parts: []string{`{"text":"The parcel is late","labels":["shipping","late"]}`}, fault: `UnmappedFields: "text", "labels"`},
		{reason: "the text under another key", parts: []string{`{"sentence": "The parcel is late", "labels": {"topic": "shipping"}}`}, fault: `UnmappedFields: "sentence", "labels"`},
		{reason: "an export of a label tool, with lists of spans", parts: []string{`{"id": 1, "text": "The parcel is late", "label": [], "Comments": []}` + "\n" + `{"id": 2, "text": "I paid twice", "label": ["billing"], "Comments": []}`}, fault: `UnmappedFields: "id", "text", "label", "Comments"`},
		{reason: "conversations whose answer is the label", parts: []string{`{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"greeting"}]}` + "\n" + `{"messages":[],"id":2}`}, fault: `UnmappedFields: "messages", "id"`},
		{reason: "more keys than a sentence has room for", parts: []string{`{` + numbered(40, `"k%d": 1`) + `}`}, fault: `UnmappedFields: "k15" and 24 more`},
		{reason: "dicts that were printed", parts: []string{"{'text': 'The parcel is late', 'labels': {'topic': 'shipping'}}\n"}, fault: "UnsupportedFormat: the notation of Python: write rows with json.dumps"},
		{reason: "tuples that were printed", parts: []string{"('The parcel is late', 'shipping')\n"}, fault: "UnsupportedFormat: Python"},
		{reason: "rows that were encoded twice", parts: []string{`"{\"text\": \"a\", \"labels\": {\"topic\": \"x\"}}"` + "\n"}, fault: "UnsupportedFormat: jq -c fromjson"},
		{reason: "rows with commas, cut out of an array", parts: []string{lateRow + ",\n" + twiceRow + "\n"}, fault: "UnsupportedFormat: sed 's/^,//; s/,$//' FILE"},
		{reason: "a JSON text sequence", parts: []string{"\x1E" + lateRow + "\n\x1E" + twiceRow + "\n"}, fault: `UnsupportedFormat: tr -d '\036'`},
		{reason: "such with the comma before each", parts: []string{"," + lateRow + "\n," + twiceRow + "\n"}, fault: "UnsupportedFormat: put [ before the first"},
		{reason: "one comma, behind the last row", parts: []string{lateRow + "\n" + twiceRow + ",\n"}, rows: 2, want: []string{late}, invalid: []string{"line 2: InvalidJSON"}},
		{reason: "the line ends of Windows, converted twice", parts: []string{lateRow + "\r\r\n" + twiceRow + "\r\r\n"}, rows: 2, want: both()},
		{reason: "the line ends of old Macs", parts: []string{lateRow + "\r" + twiceRow + "\r"}, rows: 2, want: both()},
		{reason: "line separators of Unicode in a text, which end no line", parts: []string{"{\"text\": \"a\u2028b\u0085c\", \"labels\": {\"topic\": \"x\"}}"}, rows: 1, want: []string{"a\u2028b\u0085c > topic=x"}},
		{reason: "the end of a file of DOS", parts: []string{lateAndTwice + "\x1A"}, rows: 3, want: both(), invalid: []string{"line 3: InvalidJSON"}},
		{reason: "bytes of 0 behind the rows, as a crash leaves them", parts: []string{lateAndTwice + "\x00\x00\x00\x00"}, rows: 3, want: both(), invalid: []string{"line 3: InvalidJSON"}},
		{reason: "a page of a chat, with its fences", parts: []string{"```json\n" + lateAndTwice + "```\n"}, rows: 4, want: both(), invalid: []string{"line 1: InvalidJSON", "line 4: InvalidJSON"}},
		{reason: "a key twice", parts: []string{lateRow + "\n" + `{"text": "a", "text": "b", "labels": {"topic": "x"}}`}, rows: 2, want: []string{late}, invalid: []string{"line 2: DuplicateKey"}},
		{reason: "half a pair of surrogates, escaped, in a label", parts: []string{lateRow + "\n" + `{"text": "a", "labels": {"topic": "\ude00"}}`}, rows: 2, want: []string{late}, invalid: []string{"line 2: InvalidJSON"}},
		{reason: "surrogates encoded each, as Java's modified UTF-8 has them", parts: []string{lateRow + "\n{\"text\": \"\xED\xA0\xBD\xED\xB8\x80\", \"labels\": {\"topic\": \"x\"}}"}, rows: 2, want: []string{late}, invalid: []string{"line 2: InvalidUTF8"}},
		{reason: "labels as JSON within a string", parts: []string{`{"text": "a", "labels": "{\"topic\": \"x\"}"}`}, fault: `UnmappedFields: "text", "labels"`},
		{reason: "labels that differ in how Unicode encodes them, which is warned of", parts: []string{"{\"text\": \"a\", \"labels\": {\"topic\": \"caf\u00e9\"}}\n{\"text\": \"b\", \"labels\": {\"topic\": \"cafe\u0301\u200b\"}}"}, rows: 2, want: []string{"a > topic=caf\u00e9", "b > topic=cafe\u0301\u200b"}},
		{reason: "nothing", parts: []string{""}},
		{reason: "white space", parts: []string{" \r\n\n"}},
		{reason: "a byte order mark", parts: []string{mark}},
	}
}

func jsonAsItComes() []comes {
	indented := "{\n  \"text\": \"The parcel is late\",\n  \"labels\": {\n    \"topic\": \"shipping\"\n  }\n}"
	short := "{\"text\": \"I paid twice\",\n \"labels\": {\"topic\": \"billing\"}}"
	return []comes{
		{reason: "an array on a line, as json.dump writes it", parts: []string{"[" + lateRow + ", " + twiceRow + "]"}, rows: 2, want: both()},
		{reason: "an array with an element a line", parts: []string{"[\n" + lateRow + ",\n" + twiceRow + "\n]\n"}, rows: 2, want: both()},
		{reason: "an array with the comma before the element", parts: []string{"[" + lateRow + "\n," + twiceRow + "\n]\n"}, rows: 2, want: both()},
		{reason: "an array, indented", parts: []string{"[\n" + indented + ",\n" + short + "\n]\n"}, rows: 2, want: both()},
		{reason: "an array with a mark and the line ends of Windows", parts: []string{"\xEF\xBB\xBF[\r\n" + strings.ReplaceAll(indented, "\n", "\r\n") + "\r\n]\r\n"}, rows: 1, want: []string{late}},
		{reason: "an array without elements", parts: []string{"[ ]\n"}},
		{reason: "arrays one after the other, as of pages of a web service", parts: []string{"[" + lateRow + "]\n[" + twiceRow + "]\n[]"}, rows: 2, want: both()},
		{reason: "objects, indented, as jq writes them", parts: []string{indented + "\n" + short + "\n"}, rows: 2, want: both()},
		{reason: "objects one behind the other", parts: []string{lateRow + twiceRow}, rows: 2, want: both()},
		{reason: "a key on the brace's line", parts: []string{short + "\n" + short}, rows: 2, want: []string{twice, twice}},
		{reason: "strings with all that has a meaning outside of strings", parts: []string{`[{"text": "a ] } , [ { \" \\", "labels": {"topic": "//#"}}]`}, rows: 1, want: []string{`a ] } , [ { " \ > topic=//#`}},
		{reason: "white space between all tokens", parts: []string{"[ { \"text\" : \"a\" ,\n\"labels\"\t:\n{ \"topic\" : [ \"x\" , \"y\" ] }\n}\n]"}, rows: 1, want: []string{"a > topic=[x|y]"}},
		{reason: "elements that are no objects", parts: []string{"[" + lateRow + ", null, 5, \"" + `a\"b` + "\", [1, [2]], " + twiceRow + "]"}, rows: 6, want: both(),
			invalid: []string{"line 1: NotAnObject", "line 1: NotAnObject", "line 1: NotAnObject", "line 1: NotAnObject"}},
		{reason: "an element without a text", parts: []string{"[\n" + lateRow + ",\n{\n\"labels\": {\"topic\": \"x\"}},\n" + twiceRow + "]"}, rows: 3, want: both(), invalid: []string{"line 3: MissingInput"}},
		{reason: "an element with a NaN", parts: []string{"[" + lateRow + ",\n{\"text\": \"a\", \"n\": NaN, \"labels\": {\"topic\": \"x\"}},\n" + twiceRow + "]"}, rows: 3, want: both(), invalid: []string{"line 2: InvalidJSON"}},
		{reason: "an element with a comma too many", parts: []string{"[" + lateRow + ",\n{\"text\": \"a\", \"labels\": {\"topic\": \"x\",}},\n" + twiceRow + "]"}, rows: 3, want: both(), invalid: []string{"line 2: InvalidJSON"}},
		{reason: "an element with two values for a key", parts: []string{"[" + lateRow + ",\n{\"text\": \"a\", \"n\": 1\n2, \"labels\": {\"topic\": \"x\"}},\n" + twiceRow + "]"}, rows: 3, want: both(), invalid: []string{"line 2: InvalidJSON"}},
		{reason: "an element of 2 MB", parts: []string{"[" + lateRow + ",\n{\"text\": \"" + strings.Repeat("a", 2<<20) + "\", \"labels\": {\"topic\": \"x\"}},\n" + twiceRow + "]"}, rows: 3, want: both(), invalid: []string{"line 2: LineTooLong"}},
		{reason: "an element with 100 brackets", parts: []string{"[" + lateRow + ",\n{\"n\": " + strings.Repeat("[", 100) + strings.Repeat("]", 100) + ", \"text\": \"a\", \"labels\": {\"topic\": \"x\"}},\n" + twiceRow + "]"}, rows: 3, want: both(), invalid: []string{"line 2: NestingTooDeep"}},
		{reason: "an array that is cut off between elements", parts: []string{"[\n" + lateRow + ",\n" + twiceRow + "\n"}, want: both(), fault: "TruncatedJSON: cut off"},
		{reason: "an array that is cut off after a comma", parts: []string{"[" + lateRow + ", "}, want: []string{late}, fault: "TruncatedJSON: cut off"},
		{reason: "an array that is cut off in an element", parts: []string{"[" + lateRow + ", " + twiceRow[:20]}, want: []string{late}, fault: "TruncatedJSON: cut off"},
		{reason: "objects over lines of which the last is cut off", parts: []string{indented + "\n" + indented[:len(indented)-2]}, want: []string{late}, fault: "TruncatedJSON: cut off"},
		{reason: "a comma after the last element", parts: []string{"[" + lateRow + ",\n" + twiceRow + ",\n]"}, want: both(), fault: "InvalidJSON: no element follows a comma. Remove the comma"},
		{reason: "two commas", parts: []string{"[" + lateRow + ",," + twiceRow + "]"}, want: []string{late}, fault: "InvalidJSON: no element follows a comma"},
		{reason: "no comma between elements", parts: []string{"[" + lateRow + "\n" + twiceRow + "]"}, want: []string{late}, fault: "InvalidJSON: neither a comma nor the array's end"},
		{reason: "a comment between elements", parts: []string{"[" + lateRow + ",\n// the other\n" + twiceRow + "]"}, want: []string{late}, fault: "InvalidJSON: a comment"},
		{reason: "a comment in an element", parts: []string{"[\n{\"text\": \"a\", /* it's \" */ \"labels\": {\"topic\": \"x\"}}]"}, fault: "InvalidJSON: a comment"},
		{reason: "text after the array", parts: []string{"[" + lateRow + "]\nThat's all\n"}, want: []string{late}, fault: "InvalidJSON: neither an object nor an array"},
		{reason: "a bracket that closes a brace", parts: []string{"[" + lateRow + ",\n{\"text\": \"a\", \"labels\": {\"topic\": \"x\"]},\n" + twiceRow + "]"}, want: []string{late}, fault: "InvalidJSON: a ] closes what a { opened"},
		{reason: "a string that is not closed, of which rows would be", parts: []string{"[" + lateRow + ",\n{\"text\": \"a, \"labels\": {\"topic\": \"x\"}},\n" + twiceRow + "]"}, want: []string{late}, fault: "InvalidJSON: a string is not closed on its line"},
		{reason: "columns, as to_json() writes them", parts: []string{`{"text":{"0":"The parcel is late","1":"I paid twice"},"topic":{"0":"shipping","1":"billing"}}`}, fault: `UnsupportedLayout: columns, as pandas writes it by default: write it with to_json(…, orient="records", lines=True)`},
		{reason: "columns of more rows than the head has", parts: []string{`{"text":{` + numbered(20000, `"%d":"The parcel is late"`) + `},"topic":{"0":"shipping"}}`}, fault: `UnsupportedLayout: pandas`},
		{reason: `orient="index"`, parts: []string{`{"0":{"text":"The parcel is late","topic":"shipping"},"1":{"text":"I paid twice","topic":"billing"}}`}, fault: `UnsupportedLayout: orient="index"`},
		{reason: `orient="split"`, parts: []string{`{"columns":["text","topic"],"index":[0,1],"data":[["The parcel is late","shipping"],["I paid twice","billing"]]}`}, fault: `UnsupportedLayout: orient="split"`},
		{reason: `orient="table"`, parts: []string{`{"schema":{"fields":[{"name":"index","type":"integer"}],"pandas_version":"1.4.0"},"data":[{"index":0,"text":"The parcel is late","topic":"shipping"}]}`}, fault: `UnsupportedLayout: orient="table"`},
		{reason: `orient="values"`, parts: []string{`[["The parcel is late","shipping"],["I paid twice","billing"]]`}, fault: "UnsupportedLayout: an array of arrays"},
		{reason: "lists by column, as to_dict writes them", parts: []string{`{"text": ["The parcel is late", "I paid twice"], "label": ["shipping", "billing"]}`}, fault: "UnsupportedLayout: lists by column"},
		{reason: "an array of texts", parts: []string{`["The parcel is late", "I paid twice"]`}, fault: "UnsupportedLayout: an array, but not of objects"},
		{reason: "rows in a field, as a web service answers", parts: []string{`{"data": [` + lateRow + ", " + twiceRow + `], "next": null}`}, fault: "UnsupportedLayout: jq -c '.data[]' FILE"},
		{reason: "rows in a field, indented", parts: []string{"{\n  \"version\": 1,\n  \"rows\": [\n    " + lateRow + "\n  ]\n}"}, fault: "UnsupportedLayout: jq -c '.rows[]' FILE"},
		{reason: "rows in the field of a field, as Rasa's", parts: []string{`{"rasa_nlu_data": {"common_examples": [{"text": "Hi", "intent": "greet"}]}}`}, fault: "UnsupportedLayout: jq -c '.[][][]' FILE"},
		{reason: "rows behind what is said of the columns, as ClickHouse's", parts: []string{"{\n\t\"meta\":\n\t[\n\t\t{\"name\": \"text\"}\n\t],\n\t\"data\":\n\t[\n\t\t{\"text\": \"a\", \"label\": \"x\"}\n\t]\n}"}, fault: "UnsupportedLayout: jq -c '.data[]' FILE"},
		{reason: "rows behind the features, as the viewer of Hugging Face answers", parts: []string{`{"features": [{"name": "text"}], "rows": [{"row_idx": 0, "row": {"text": "a", "label": 0}}]}`}, fault: "UnsupportedLayout: jq -c '.rows[]' FILE"},
		{reason: "objects by their keys", parts: []string{`{"a7": {"text": "a", "label": "x"}, "b9": {"text": "b", "label": "y"}}`}, fault: "UnsupportedLayout: jq -c '.[]' FILE"},
		{reason: "texts by their labels", parts: []string{`{"shipping": ["The parcel is late"], "billing": ["I paid twice"]}`}, fault: "UnsupportedLayout: texts by their labels with jq -c"},
		{reason: "the error of a web service", parts: []string{`{"error": {"code": 401, "message": "no such key"}}`}, fault: "NotTheData: an error that a web service answered with"},
		{reason: "a piece of an array, cut before its end", parts: []string{"[" + lateRow + ",\n" + twiceRow + ",\n"}, want: both(), fault: "TruncatedJSON: "},
		{reason: "a piece of an array, without its start", parts: []string{lateRow + ",\n" + twiceRow + "]\n"}, fault: "UnsupportedFormat: commas between them"},
		{reason: "arrays a line, as ClickHouse's JSONCompactEachRow", parts: []string{"[\"a\", \"x\"]\n[\"b\", \"y\"]\n"}, fault: "UnsupportedLayout: make an object of each element"},
		{reason: "rows in a field, more than the head has", parts: []string{`{"train": [` + strings.Repeat(lateRow+", ", 3000) + twiceRow + `]}`}, fault: "UnsupportedLayout: jq -c '.train[]' FILE"},
		{reason: "rows in a field that no command should name", parts: []string{`{"a'; rm x; '": [` + lateRow + `]}`}, fault: `UnsupportedLayout: with rows in its field "a'; rm x; '": take them out of it, an object a line`},
		{reason: "an array of a label tool", parts: []string{`[{"id": 1, "text": "The parcel is late", "topic": "shipping"}, {"id": 2, "text": "I paid twice", "topic": "billing"}]`}, fault: `UnmappedFields: "id", "text", "topic"`},
		{reason: "objects of other fields over several lines", parts: []string{"{\n  \"text\": \"a\",\n  \"label\": \"x\"\n}\n"}, fault: `UnmappedFields: "text", "label"`},
		{reason: "an array of dicts that were printed", parts: []string{"[{'text': 'a', 'label': 'x'}]"}, fault: "UnsupportedFormat: Python"},
	}
}

func labelToolsAsTheyCome() []comes {
	field := func(text, field string, names map[string]string) Options {
		return Options{Mapping: &Mapping{Text: text, Labels: []LabelMapping{{Target: "topic", Field: field, Names: names}}}}
	}
	flat := field("text", "label", nil)
	accepted := field("text", "accept", nil)
	accepted.Mapping.Filters = []RecordFilter{{Field: "answer", Values: []string{"accept"}}}
	oneHot := Options{Mapping: &Mapping{Text: "comment_text", Labels: []LabelMapping{{Target: "topic", Fields: []string{"toxic", "insult"}, None: "neither"}}}}
	chat := Options{Mapping: &Mapping{Messages: "messages", Labels: []LabelMapping{{Target: "topic", LastMessage: true}}}}
	withTabs := flat
	withTabs.CSV = &CSVOptions{Delimiter: '\t'}
	nested := field("Item.text.S", "Item.label.S", nil)
	named := field("text", "labels", map[string]string{"1": "shipping", "2": "billing"})
	return []comes{
		{reason: "one column a label, with words, and marks in decimals", options: oneHot, parts: []string{"comment_text,toxic,insult\na,yes,NO\nb,1.0,\nc,FALSE, 0\nd,,\n"}, rows: 4,
			want: []string{"a > topic=[toxic]", "b > topic=[toxic]", "c > topic=[neither]"}, invalid: []string{"line 5: MissingLabels"}},
		{reason: "one column a label, with crosses", options: oneHot, parts: []string{"comment_text,toxic,insult\na,x,\n"}, rows: 1, invalid: []string{"line 2: InvalidLabels"}},
		{reason: "doccano of old, with the numbers of labels", options: named, parts: []string{`{"id": 1, "text": "a", "labels": [1]}` + "\n" + `{"id": 2, "text": "b", "labels": [2, 1]}`}, rows: 2, want: []string{"a > topic=[shipping]", "b > topic=[billing|shipping]"}},
		{reason: "doccano of old, with annotations", options: field("text", "annotations", nil), parts: []string{`{"text": "a", "annotations": [{"label": 1, "user": 1}]}`}, rows: 1, invalid: []string{"line 1: InvalidLabels"}},
		{reason: "DynamoDB, with types as keys", options: nested, parts: []string{`{"Item": {"text": {"S": "a"}, "label": {"S": "x"}}}`}, rows: 1, want: []string{"a > topic=x"}},
		{reason: "a bulk request of Elasticsearch", options: flat, parts: []string{`{"index": {"_id": "1"}}` + "\n" + `{"text": "a", "label": "x"}`}, rows: 2, want: []string{"a > topic=x"}, invalid: []string{"line 1: MissingInput"}},
		{reason: "Argilla, where two agree and one did not answer", options: field("text", "label.responses", nil), parts: []string{`{"text": "a", "label.responses": ["x"]}` + "\n" + `{"text": "b", "label.responses": ["x", "x"]}` + "\n" + `{"text": "c", "label.responses": null}`}, rows: 3,
			want: []string{"a > topic=[x]"}, invalid: []string{"line 2: DuplicateLabel", "line 3: MissingLabels"}},
		{reason: "conversations with tools", options: chat, parts: []string{`{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","tool_calls":[{"id":"1"}]},{"role":"tool","tool_call_id":"1","content":"ok"},{"role":"assistant","content":"greeting"}],"tools":[]}`}, rows: 1, want: []string{"user: Hi / assistant:  / tool: ok > topic=greeting"}},
		{reason: "conversations with the role developer", options: chat, parts: []string{`{"messages":[{"role":"developer","content":"Say"},{"role":"user","content":"Hi"},{"role":"assistant","content":"greeting"}]}`}, rows: 1, want: []string{"system: Say / user: Hi > topic=greeting"}},
		{reason: "conversations with parts", options: chat, parts: []string{`{"messages":[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"text","text":"there"}]},{"role":"assistant","content":[{"type":"text","text":"greeting"}]}]}`}, rows: 1, want: []string{"user: Hi\nthere > topic=greeting"}},
		{reason: "conversations with a picture", options: chat, parts: []string{`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"a"}}]},{"role":"assistant","content":"greeting"}]}`}, rows: 1, invalid: []string{"line 1: InvalidContent"}},
		{reason: "rows in a field", options: flat, parts: []string{`{"data": [{"text": "a", "label": "x"}]}`}, fault: "UnsupportedLayout: jq -c '.data[]' FILE"},
		{reason: "lines of fastText", options: flat, parts: []string{"__label__shipping __label__late The parcel is late\n"}, fault: "UnsupportedFormat: lines of fastText"},
		{reason: "YAML of Rasa", options: flat, parts: []string{"version: \"3.1\"\nnlu:\n- intent: greet\n  examples: |\n    - Hi\n"}, fault: "UnsupportedFormat: training data of Rasa: make JSON of it with rasa data convert"},
		{reason: "a log before JSON Lines", options: flat, parts: []string{"INFO exporting\n" + `{"text": "a", "label": "x"}` + "\n"}, rows: 2, want: []string{"a > topic=x"}, invalid: []string{"line 1: InvalidJSON"}},
		{reason: "one label under the key label", options: flat, parts: []string{`{"text": "The parcel is late", "label": "shipping"}` + "\n" + `{"text": "I paid twice", "label": "billing"}`}, rows: 2, want: both()},
		{reason: "an array of such", options: flat, parts: []string{`[{"text": "The parcel is late", "label": "shipping"},` + "\n" + `{"text": "I paid twice", "label": "billing"}]`}, rows: 2, want: both()},
		{reason: "such over several lines, and one without a text", options: flat, parts: []string{"{\n\"text\": \"I paid twice\",\n\"label\": \"billing\"\n}\n{\n\"label\": \"billing\"\n}\n"}, rows: 2, want: []string{twice}, invalid: []string{"line 5: MissingInput"}},
		{reason: "such in CSV, and in JSON Lines in another part", options: flat, parts: []string{"text,label\nThe parcel is late,shipping\n", `{"label": "billing", "text": "I paid twice"}`}, rows: 2, want: both()},
		{reason: "such in CSV with the lines of a spreadsheet", options: flat, parts: []string{"sep=;\r\ntext;label;;\r\nThe parcel is late;shipping;;\r\nI paid twice;billing\r\n;;;\r\n"}, rows: 2, want: both()},
		{reason: "such in Excel's Unicode Text", options: withTabs, parts: []string{inUTF16(binary.LittleEndian, "\uFEFFtext\tlabel\r\nI paid twice\tbilling\r\n")}, rows: 1, want: []string{twice}},
		{reason: "such in CSV with semicolons that nobody declared", options: flat, parts: []string{"text;label\nI paid twice;billing\n"}, fault: `WrongDelimiter: Set csv.delimiter to ";"`},
		{reason: "columns of pandas", options: flat, parts: []string{`{"text":{"0":"a"},"label":{"0":"x"}}`}, fault: "UnsupportedLayout: columns"},
		{reason: "numbers of the datasets library, with their names", options: field("text", "label", map[string]string{"0": "shipping", "1": "billing"}), parts: []string{`{"text":"The parcel is late","label":0}` + "\n" + `{"text":"I paid twice","label":1}`}, rows: 2, want: both()},
		{reason: "doccano, with lists of labels of which some are empty", options: flat, parts: []string{`{"id": 1, "text": "a", "label": ["x", "y"], "Comments": []}` + "\n" + `{"id": 2, "text": "b", "label": [], "Comments": []}`}, rows: 2, want: []string{"a > topic=[x|y]"}, invalid: []string{"line 2: MissingLabels"}},
		{reason: "Label Studio's JSON-MIN", options: field("text", "sentiment", nil), parts: []string{`[{"id": 1, "text": "a", "sentiment": "calm"}, {"id": 2, "text": "b", "sentiment": "loud"}]`}, rows: 2, want: []string{"a > topic=calm", "b > topic=loud"}},
		{reason: "Label Studio's single task, with rows of its own inside", options: field("data.text", "label", nil), parts: []string{"{\n\"annotations\": [{\"id\": 1}],\n\"data\": {\"text\": \"a\"},\n\"label\": \"x\"\n}"}, rows: 1, want: []string{"a > topic=x"}},
		{reason: "Prodigy, without what was rejected", options: accepted, parts: []string{`{"text":"a","accept":["x"],"answer":"accept"}` + "\n" + `{"text":"b","accept":[],"answer":"reject"}`}, rows: 2, want: []string{"a > topic=[x]"}, without: 1},
		{reason: "one column a label", options: oneHot, parts: []string{"comment_text,toxic,insult\na,1,1\nb,0,0\n"}, rows: 2, want: []string{"a > topic=[toxic|insult]", "b > topic=[neither]"}},
		{reason: "conversations whose answer is the label", options: chat, parts: []string{`{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"greeting"}]}`}, rows: 1, want: []string{"user: Hi > topic=greeting"}},
	}
}

func csvAsItComes() []comes {
	quotes := Options{CSV: &CSVOptions{TextColumn: "text", LabelColumns: []CSVLabelColumn{{Column: "topic"}, {Column: "tags", Separator: ";"}}}}
	return []comes{
		{reason: "as csv.writer writes it", options: topics(0), parts: []string{strings.ReplaceAll(table, "\n", "\r\n")}, rows: 2, want: both()},
		{reason: "with a byte order mark, as Excel's CSV UTF-8 has it", options: topics(0), parts: []string{"\xEF\xBB\xBF" + table}, rows: 2, want: both()},
		{reason: "without the last line break", options: topics(0), parts: []string{strings.TrimSuffix(table, "\n")}, rows: 2, want: both()},
		{reason: "all fields quoted", options: topics(0), parts: []string{"\"text\",\"topic\"\n\"The parcel is late\",\"shipping\"\n\"I paid twice\",\"billing\"\n"}, rows: 2, want: both()},
		{reason: "with the index that to_csv writes", options: topics(0), parts: []string{",text,topic\n0,The parcel is late,shipping\n1,I paid twice,billing\n"}, rows: 2, want: both()},
		{reason: "commas, quotes and line breaks in a text", options: topics(0), parts: []string{"text,topic\n\"Late, \"\"very\"\"\nlate\",shipping\nI paid twice,billing\n"}, rows: 2, want: []string{"Late, \"very\"\nlate > topic=shipping", twice}},
		{reason: "several labels in a cell", options: quotes, parts: []string{"text,topic,tags\na,x,late; lost\nb,y,\n"}, rows: 2, want: []string{"a > topic=x tags=[late|lost]", "b > topic=y"}},
		{reason: "empty lines", options: topics(0), parts: []string{"\n" + strings.ReplaceAll(table, "\n", "\n\n")}, rows: 2, want: both()},
		{reason: "a header that is repeated, as cat of several files does", options: topics(0), parts: []string{table + table}, rows: 4, want: append(both(), both()...)},
		{reason: "white space around the names, also that which does not break", options: topics(0), parts: []string{"\u00A0text , topic\u00A0\nI paid twice,billing\n"}, rows: 1, want: []string{twice}},
		{reason: "semicolons, as Excel writes where a comma is in numbers", options: topics(';'), parts: []string{strings.ReplaceAll(table, ",", ";")}, rows: 2, want: both()},
		{reason: "tabs", options: topics('\t'), parts: []string{strings.ReplaceAll(table, ",", "\t")}, rows: 2, want: both()},
		{reason: "pipes", options: topics('|'), parts: []string{strings.ReplaceAll(table, ",", "|")}, rows: 2, want: both()},
		{reason: "semicolons where commas are expected", options: topics(0), parts: []string{strings.ReplaceAll(table, ",", ";")}, fault: `WrongDelimiter: CSV with semicolons between fields, not commas: its header says so. Set csv.delimiter to ";"`},
		{reason: "semicolons, and commas in a name", options: topics(0), parts: []string{"id,no;text;topic\n1;a;x\n"}, fault: `WrongDelimiter: Set csv.delimiter to ";"`},
		{reason: "tabs where commas are expected", options: topics(0), parts: []string{strings.ReplaceAll(table, ",", "\t")}, fault: `WrongDelimiter: Set csv.delimiter to "\t"`},
		{reason: "pipes where commas are expected", options: topics(0), parts: []string{strings.ReplaceAll(table, ",", "|")}, fault: `WrongDelimiter: Set csv.delimiter to "|"`},
		{reason: "commas where semicolons are expected", options: topics(';'), parts: []string{table}, fault: `WrongDelimiter: Set csv.delimiter to ","`},
		{reason: "a first line that names the delimiter", options: topics(0), parts: []string{"sep=;\r\n" + strings.ReplaceAll(table, ",", ";") + "a\n"}, rows: 3, want: both(), invalid: []string{"line 5: RaggedRow"}},
		{reason: "a first line that names it in quotes, after a mark", options: topics(0), parts: []string{"\xEF\xBB\xBF\"sep=\t\"\n" + strings.ReplaceAll(table, ",", "\t")}, rows: 2, want: both()},
		{reason: "a first line that names the one that is declared", options: topics(';'), parts: []string{"sep=;\n" + strings.ReplaceAll(table, ",", ";")}, rows: 2, want: both()},
		{reason: "a first line that names another than is declared", options: topics('|'), parts: []string{"sep=;\n" + strings.ReplaceAll(table, ",", ";")}, fault: `WrongDelimiter: CSV with semicolons between fields, not "|": its first line says so`},
		{reason: "rows of commas at the end, of cells that were cleared", options: topics(0), parts: []string{table + ",\n,\n,\n"}, rows: 2, want: both()},
		{reason: "a row of commas in the middle", options: topics(0), parts: []string{"text,topic\n,\nThe parcel is late,shipping\n\"\",\"\"\nI paid twice,billing\n"}, rows: 2, want: both()},
		{reason: "columns without a name at the end, and rows that lack their cells", options: topics(0), parts: []string{"text,topic,,\nThe parcel is late,shipping,,\nI paid twice,billing\n"}, rows: 2, want: both()},
		{reason: "a row that lacks a cell of a column with a name", options: topics(0), parts: []string{"text,topic,,note\nThe parcel is late,shipping,,\nI paid twice,billing,\n"}, rows: 2, want: []string{late}, invalid: []string{"line 3: RaggedRow"}},
		{reason: "a comma in a text without quotes", options: topics(0), parts: []string{table + "Late, very late,shipping\n"}, rows: 3, want: both(), invalid: []string{"line 4: RaggedRow"}},
		{reason: "typographic quotes, which quote nothing", options: topics(0), parts: []string{table + "“Late, very late”,shipping\n“Late”,shipping\n"}, rows: 4, want: append(both(), "“Late” > topic=shipping"), invalid: []string{"line 4: RaggedRow"}},
		{reason: "spaces that do not break, which are of the cell", options: topics(0), parts: []string{"text,topic\n\u00A0a\u00A0b,shipping\u00A0\nb,shipping\n"}, rows: 2, want: []string{"\u00A0a\u00A0b > topic=shipping\u00A0", "b > topic=shipping"}},
		{reason: "quotes escaped by a backslash, as MySQL does", options: topics(0), parts: []string{table + "\"so \\\"late\\\"\",shipping\n"}, rows: 3, want: both(), invalid: []string{"line 4: InvalidQuoting"}},
		{reason: "an inch in a text", options: topics(0), parts: []string{table + "the 5\" screen,shipping\n"}, rows: 3, want: both(), invalid: []string{"line 4: InvalidQuoting"}},
		{reason: "the line ends of Windows, converted twice", options: topics(0), parts: []string{strings.ReplaceAll(table, "\n", "\r\r\n")}, rows: 2, want: both()},
		{reason: "the line ends of old Macs", options: topics(0), parts: []string{strings.ReplaceAll(table, "\n", "\r")}, fault: `UnsupportedFormat: carriage returns alone: convert it with tr '\r' '\n' < FILE`},
		{reason: "empty cells behind those of the header", options: topics(0), parts: []string{"text,topic\nThe parcel is late,shipping,\nI paid twice,billing,,\n,,,\n"}, rows: 2, want: both()},
		{reason: "a column of row names without a name, as of R's write.table", options: topics(0), parts: []string{"\"text\",\"topic\"\n\"1\",\"a\",\"x\"\n"}, rows: 1, invalid: []string{"line 2: RaggedRow"}},
		{reason: "spaces between fields, as of R's write.table", options: topics(0), parts: []string{"\"text\" \"topic\"\n\"1\" \"a\" \"x\"\n"}, fault: "InvalidHeader: follows a field's closing quote"},
		{reason: "white space before quotes", options: topics(0), parts: []string{"\"text\", \"topic\"\n\"a\", \"x\"\n"}, fault: "InvalidHeader: white space stands before a field's quote"},
		{reason: "single quotes", options: topics(0), parts: []string{"'text','topic'\n'a, b','x'\n"}, fault: "UnsupportedFormat: single quotes around fields: write it with double quotes"},
		{reason: "a header in another case", options: topics(0), parts: []string{"Text,Topic\na,x\n"}, fault: `MissingColumn: has no column "text"; it has "Text"`},
		{reason: "a header with what cannot be seen in it", options: topics(0), parts: []string{"\u200btext,topic\na,x\n"}, fault: `MissingColumn: has no column "text"; it has "\u200btext"`},
		{reason: "a title above the header", options: topics(0), parts: []string{"Tickets of 2026\n" + table}, fault: "MissingColumn: the first record, which has to be the header"},
		{reason: "numbers with decimal commas between semicolons", options: topics(';'), parts: []string{"text;topic;score\nThe parcel is late;shipping;0,5\nI paid twice;billing;1,25\n"}, rows: 2, want: both()},
		{reason: `\N and NULL for what is missing, which labels are warned of`, options: topics(0), parts: []string{"text,topic\na,\\N\nb,NULL\n"}, rows: 2, want: []string{`a > topic=\N`, "b > topic=NULL"}},
		{reason: "a header in the first part alone", options: topics(0), parts: []string{table, "Where is it,shipping\n"}, want: both(), fault: "DifferentHeader: Each part needs a header"},
		{reason: "a mark in the second part", options: topics(0), parts: []string{table, "\xEF\xBB\xBF" + table}, rows: 4, want: append(both(), both()...)},
		{reason: "a table as psql prints it", options: topics(0), parts: []string{" text | topic \n------+-------\n a    | x\n(1 row)\n"}, fault: "UnsupportedFormat: a table as programs print it"},
		{reason: "a table as MySQL prints it", options: topics(0), parts: []string{"+------+-------+\n| text | topic |\n+------+-------+\n| a    | x     |\n+------+-------+\n"}, fault: "UnsupportedFormat: a table as programs print it"},
		{reason: "a table of Markdown", options: topics('|'), parts: []string{"| text | topic |\n|------|-------|\n| a | x |\n"}, fault: "UnsupportedFormat: a table as programs print it"},
		{reason: "a table of HTML under the name of a workbook", options: topics(0), parts: []string{"<table border=1>\n<tr><th>text</th></tr></table>"}, fault: "UnsupportedFormat: a table of HTML"},
		{reason: "XML where CSV is expected", options: topics(0), parts: []string{"<stata_dta><header></header>"}, fault: "UnsupportedFormat: XML"},
		{reason: "names in angle brackets, which are no XML", options: Options{CSV: &CSVOptions{TextColumn: "<text>", LabelColumns: []CSVLabelColumn{{Column: "<topic>", Target: "topic"}}}}, parts: []string{"<text>,<topic>\nI paid twice,billing\n"}, rows: 1, want: []string{twice}},
		{reason: "ARFF of Weka", options: topics(0), parts: []string{"@relation tickets\n@attribute text string\n@data\n'a',x\n"}, fault: "UnsupportedFormat: ARFF"},
		{reason: "a table of dBase", options: topics(0), parts: []string{"\x03\x7C\x01\x01\x02\x00\x00\x00\x61\x00\x1F\x00" + strings.Repeat("\x00", 20) + "TEXT\x00\x00"}, fault: "UnsupportedFormat: no text"},
		{reason: "a text that is missing", options: topics(0), parts: []string{table + ",shipping\n"}, rows: 3, want: both(), invalid: []string{"line 4: EmptyText"}},
		{reason: "a label that is missing", options: topics(0), parts: []string{table + "where is it,\n"}, rows: 3, want: both(), invalid: []string{"line 4: EmptyLabels"}},
		{reason: "a quote that is never closed", options: topics(0), parts: []string{"text,topic\nThe parcel is late,shipping\n\"I paid twice,billing\nb,x\n"}, want: []string{late}, fault: "UnclosedQuote: Close it"},
		{reason: "no header", options: topics(0), parts: []string{"The parcel is late,shipping\nI paid twice,billing\n"}, fault: "MissingColumn: "},
		{reason: "a header alone", options: topics(0), parts: []string{"text,topic\n"}},
		{reason: "JSON Lines in spite of csv", options: topics(0), parts: []string{lateAndTwice}, rows: 2, want: both()},
		{reason: "an array of JSON in spite of csv", options: topics(0), parts: []string{"[" + lateRow + "]"}, rows: 1, want: []string{late}},
		{reason: "a header in brackets, which is no JSON", options: Options{CSV: &CSVOptions{TextColumn: "[text]", LabelColumns: []CSVLabelColumn{{Column: "[topic]", Target: "topic"}}}}, parts: []string{"[text],[topic]\nI paid twice,billing\n"}, rows: 1, want: []string{twice}},
		{reason: "nobody said which columns", parts: []string{table}, fault: "UnmappedFields: CSV with 2 columns between commas: say in spec.mapping or spec.csv which columns hold the text and the labels"},
		{reason: "nobody said which columns, nor of the semicolons", parts: []string{"id;text;topic\n1;a, b;x\n2;b, c;y\n"}, fault: `UnmappedFields: CSV with 3 columns between semicolons`},
		{reason: "nobody said which columns, nor of the tabs", parts: []string{strings.ReplaceAll(table, ",", "\t")}, fault: `UnmappedFields: CSV with 2 columns between tabs: say in spec.mapping or spec.csv which columns hold the text and the labels, and set csv.delimiter to "\t"`},
	}
}

// bzipped is lateAndTwice as bzip2 -9 writes it.
var bzipped, _ = base64.StdEncoding.DecodeString("QlpoOTFBWSZTWQnI3hcAADlfgAAQUAQAEAAgBAA+5dzKIABwUAAAZMgSpo0mRgmoeU3qMRdETvU73iPNmDgoOYMlxxQ2Jkh+d/TVKpoebN4qeVlC3XecD1uohYU8Jr0kibCvCU+RiAxE9F3JFOFCQCcjeFw=")

func compressedAsItComes(t *testing.T) []comes {
	gz, zst := gzipped(t, lateAndTwice), zstandard(t, lateAndTwice)
	return []comes{
		{reason: "gzip", parts: []string{gz}, rows: 2, want: both()},
		{reason: "zstd", parts: []string{zst}, rows: 2, want: both()},
		{reason: "bzip2", parts: []string{string(bzipped)}, rows: 2, want: both()},
		{reason: "bzip2, several streams one after the other", parts: []string{string(bzipped) + string(bzipped)}, rows: 4, want: append(both(), both()...)},
		{reason: "gzip in members, as cat makes", parts: []string{gz + gz}, rows: 4, want: append(both(), both()...)},
		{reason: "gzip of CSV", options: topics(0), parts: []string{gzipped(t, table)}, rows: 2, want: both()},
		{reason: "zstd of an array", parts: []string{zstandard(t, "["+lateRow+","+twiceRow+"]")}, rows: 2, want: both()},
		{reason: "gzip of nothing", parts: []string{gzipped(t, "")}},
		{reason: "gzip of UTF-16", options: topics(0), parts: []string{gzipped(t, inUTF16(binary.LittleEndian, "\uFEFF"+table))}, rows: 2, want: both()},
		{reason: "gzip that is cut off", parts: []string{gz[:len(gz)-12]}, want: []string{late}, fault: "TruncatedCompression: "},
		{reason: "bzip2 that is cut off", parts: []string{string(bzipped[:len(bzipped)-12])}, fault: "TruncatedCompression: "},
		{reason: "bzip2 that is damaged", parts: []string{string(bzipped[:40]) + "x" + string(bzipped[41:])}, fault: "CorruptCompression: "},
		{reason: "gzip within gzip", parts: []string{gzipped(t, gz)}, fault: "UnsupportedCompression: gzip -d"},
		{reason: "zstd within gzip", parts: []string{gzipped(t, zst)}, fault: "UnsupportedCompression: zstd -d"},
		{reason: "xz", parts: []string{"\xFD7zXZ\x00\x00\x04\xE6\xD6\xB4\x46\x02\x00"}, fault: "UnsupportedCompression: compressed by xz: decompress it with xz -d, or use gzip or zstd"},
		{reason: "LZMA", parts: []string{"\x5D\x00\x00\x80\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x3D\x88"}, fault: "UnsupportedCompression: xz -d --format=lzma"},
		{reason: "Brotli, which has no sign", parts: []string{"\x1B\x8E\x00\xF8\x8D\x94\x6E\xDE\x44\x55\x86\xF9"}, fault: "UnsupportedFormat: no text, and of a kind that is not known"},
		{reason: "blocks of Hadoop's Snappy", parts: []string{"\x00\x00\x00\x9A\x00\x00\x00\x60\x9A\x01\xF0\x40{\"text\": \"The parcel"}, fault: "UnsupportedCompression: Snappy, in blocks as Hadoop, Hive and Spark write it: decompress it with hadoop fs -text"},
		{reason: "blocks of Hadoop's LZ4", parts: []string{"\x00\x00\x00\x9A\x00\x00\x00\x60\xF0\x31{\"text\": \"The parcel is late\""}, fault: "UnsupportedCompression: LZ4, in blocks as Hadoop, Hive and Spark write it: decompress it with hadoop fs -text"},
		{reason: "blocks of Hadoop's LZ4 of CSV, of few bytes", options: topics(0), parts: []string{"\x00\x00\x00\x16\x00\x00\x00\x12\xA6text,topic\nx"}, fault: "UnsupportedCompression: LZ4, in blocks"},
		{reason: "a block of Snappy, as of Python's snappy.compress", parts: []string{"\x9A\x01\xF0\x40{\"text\": \"The parcel"}, fault: "UnsupportedCompression: Snappy, as one block"},
		{reason: "a block of Snappy with a literal of many bytes", parts: []string{"\x9A\x04\xF4\x0A\x01" + lateRow}, fault: "UnsupportedCompression: Snappy, as one block"},
		{reason: "a block of LZ4, as of Python's lz4.block", parts: []string{"\x9A\x00\x00\x00\xF0\x31{\"text\": \"The parcel is late\""}, fault: "UnsupportedCompression: LZ4, as one block"},
		{reason: "lzip", parts: []string{"LZIP\x01\x0C\x00\x3D"}, fault: "UnsupportedCompression: lzip -d"},
		{reason: "7-Zip", parts: []string{"7z\xBC\xAF\x27\x1C\x00\x04\x5B\x38"}, fault: "UnsupportedCompression: 7z x"},
		{reason: "LZ4", parts: []string{"\x04\x22\x4D\x18\x64\x40\xA7\x00"}, fault: "UnsupportedCompression: lz4 -d"},
		{reason: "Snappy", parts: []string{"\xFF\x06\x00\x00sNaPpY\x01\x10\x00\x00"}, fault: "UnsupportedCompression: snzip -d"},
		{reason: "RAR", parts: []string{"Rar!\x1A\x07\x01\x00\x33\x92\xB5\xE5"}, fault: "UnsupportedCompression: unrar x"},
		{reason: "zlib, as of zlib.compress", parts: []string{"\x78\x9C\xAB\x56\x2A\x49\xAD\x28\x51\xB2\x52\x4A"}, fault: "UnsupportedCompression: compressed by zlib"},
		{reason: "compress", parts: []string{"\x1F\x9D\x90\x7B\x44\x94"}, fault: "UnsupportedCompression: gzip -d"},
	}
}

// inUTF16 is the text with two bytes a unit.
func inUTF16(order binary.AppendByteOrder, text string) string {
	var encoded []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		encoded = order.AppendUint16(encoded, unit)
	}
	return string(encoded)
}

func inUTF32(order binary.AppendByteOrder, text string) string {
	var encoded []byte
	for _, character := range text {
		encoded = order.AppendUint32(encoded, uint32(character))
	}
	return string(encoded)
}

func encodedAsItComes() []comes {
	little, big := binary.LittleEndian, binary.BigEndian
	smile := `{"text": "Größe 😀", "labels": {"topic": "größe"}}`
	half := strings.Replace(inUTF16(little, "\uFEFF"+lateRow+"\n"+`{"text": "a😀", "labels": {"topic": "x"}}`+"\n"+twiceRow), "\x3D\xD8\x00\xDE", "\x3D\xD8", 1)
	latin := "text,topic\ncaf\xE9,drinks\nna\xEFve,words\nplain,words\n"
	return []comes{
		{reason: "UTF-16, as Notepad and PowerShell write it", parts: []string{inUTF16(little, "\uFEFF"+lateAndTwice)}, rows: 2, want: both()},
		{reason: "UTF-16 with the larger byte first", parts: []string{inUTF16(big, "\uFEFF"+lateAndTwice)}, rows: 2, want: both()},
		{reason: "UTF-16 with characters of two units", parts: []string{inUTF16(little, "\uFEFF"+smile)}, rows: 1, want: []string{"Größe 😀 > topic=größe"}},
		{reason: "UTF-16 of an array", parts: []string{inUTF16(big, "\uFEFF["+lateRow+","+twiceRow+"]")}, rows: 2, want: both()},
		{reason: "Excel's Unicode Text: UTF-16 with tabs", options: topics('\t'), parts: []string{inUTF16(little, "\uFEFF"+strings.NewReplacer(",", "\t", "\n", "\r\n").Replace(table))}, rows: 2, want: both()},
		{reason: "Excel's Unicode Text where commas are expected", options: topics(0), parts: []string{inUTF16(little, "\uFEFF"+strings.ReplaceAll(table, ",", "\t"))}, fault: `WrongDelimiter: Set csv.delimiter to "\t"`},
		{reason: "half a pair of UTF-16 is no character", parts: []string{half}, rows: 3, want: both(), invalid: []string{"line 2: InvalidUTF8"}},
		{reason: "UTF-16 that is cut off within a unit", parts: []string{inUTF16(little, "\uFEFF"+lateRow+"\n"+twiceRow)[:201]}, want: []string{late}, fault: "UnsupportedEncoding: ends within a character"},
		{reason: "UTF-16 of nothing", parts: []string{inUTF16(little, "\uFEFF")}},
		{reason: "UTF-16 of a web page", parts: []string{inUTF16(little, "\uFEFF<!DOCTYPE html><html></html>")}, fault: "NotTheData: a web page"},
		{reason: "UTF-16 without a mark", parts: []string{inUTF16(little, lateAndTwice)}, fault: "UnsupportedEncoding: in UTF-16 without a byte order mark: convert it with iconv -f UTF-16LE -t UTF-8 FILE"},
		{reason: "UTF-16 without a mark, the larger byte first", options: topics(0), parts: []string{inUTF16(big, table)}, fault: "UnsupportedEncoding: UTF-16BE"},
		{reason: "UTF-16 without a mark, in Russian", options: topics(0), parts: []string{inUTF16(little, "текст,тема\nпосылка опоздала,доставка\n")}, fault: "UnsupportedEncoding: iconv -f UTF-16LE"},
		{reason: "UTF-16 without a mark, in Chinese", options: topics(0), parts: []string{inUTF16(big, "text,topic\n"+strings.Repeat("包裹晚到了我要退款", 200)+",运输\n")}, fault: "UnsupportedEncoding: iconv -f UTF-16BE"},
		{reason: "UTF-32 without a mark", options: topics(0), parts: []string{inUTF32(little, table)}, fault: "UnsupportedEncoding: iconv -f UTF-32LE"},
		{reason: "UTF-32 without a mark, with the largest byte first", parts: []string{inUTF32(big, lateAndTwice)}, fault: "UnsupportedEncoding: iconv -f UTF-32BE"},
		{reason: "UTF-16 behind UTF-8, as >> of PowerShell writes it", parts: []string{lateAndTwice + inUTF16(little, twiceRow)}, rows: 3, want: both(), invalid: []string{"line 3: InvalidJSON"}},
		{reason: "UTF-32", parts: []string{inUTF32(little, "\uFEFF"+lateAndTwice)}, fault: "UnsupportedEncoding: in UTF-32: convert it with iconv -f UTF-32"},
		{reason: "UTF-32 with the largest byte first", parts: []string{inUTF32(big, "\uFEFF"+lateAndTwice)}, fault: "UnsupportedEncoding: in UTF-32"},
		{reason: "Latin-1, as Excel's CSV is", options: topics(0), parts: []string{latin}, fault: "UnsupportedEncoding: iconv -f WINDOWS-1252 -t UTF-8 FILE"},
		{reason: "Latin-1 in JSON Lines", parts: []string{"{\"text\": \"caf\xE9\", \"labels\": {\"topic\": \"x\"}}\n{\"text\": \"na\xEFve\", \"labels\": {\"topic\": \"y\"}}\n"}, fault: "UnsupportedEncoding: not in UTF-8"},
		{reason: "Shift JIS", options: topics(0), parts: []string{"text,topic\n\x82\xB1\x82\xF1,x\n\x93\xFA\x96\x7B,y\n"}, fault: "UnsupportedEncoding: name the encoding"},
		{reason: "a byte that is damaged, in a row", options: topics(0), parts: []string{table + "caf\xE9,drinks\n"}, rows: 3, want: both(), invalid: []string{"line 4: InvalidUTF8"}},
		{reason: "rows in UTF-8, and some in Latin-1", options: topics(0), parts: []string{"text,topic\ncafé,drinks\ncaf\xE9,drinks\nna\xEFve,words\n"}, rows: 3, want: []string{"café > topic=drinks"}, invalid: []string{"line 3: InvalidUTF8", "line 4: InvalidUTF8"}},
		{reason: "encoded twice, which nobody can tell from what is meant", options: topics(0), parts: []string{"text,topic\ncafÃ©,drinks\n"}, rows: 1, want: []string{"cafÃ© > topic=drinks"}},
	}
}

func partsAsTheyCome(t *testing.T) []comes {
	return []comes{
		{reason: "each in another way", options: topics(0), parts: []string{table, "topic,text\nshipping,The parcel is late\n", gzipped(t, lateAndTwice), "[" + lateRow + "]", inUTF16(binary.LittleEndian, "\uFEFF"+lateRow)},
			rows: 7, want: []string{late, twice, late, late, twice, late, late}},
		{reason: "as Spark writes them, some without rows", parts: []string{lateRow + "\n", "", twiceRow + "\n", ""}, rows: 2, want: both()},
		{reason: "an array that ends in the next part", parts: []string{"[" + lateRow + ",\n", twiceRow + "]"}, want: []string{late}, fault: "TruncatedJSON: "},
		{reason: "one that is something else", parts: []string{lateRow, "Obj\x01\x04\x14avro.codec\x08null", twiceRow}, want: []string{late}, fault: "UnsupportedFormat: Avro"},
		{reason: "one that has other fields", parts: []string{lateRow, `{"text": "a", "label": "x"}`}, want: []string{late}, fault: "UnmappedFields: "},
		{reason: "a delimiter of its own, that its first line names", options: topics(0), parts: []string{table, "sep=;\n" + strings.ReplaceAll(table, ",", ";")}, rows: 4, want: append(both(), both()...)},
		{reason: "one with another column", options: topics(0), parts: []string{table, "id,text,topic\n1,a,x\n"}, want: both(), fault: "DifferentHeader: "},
		{reason: "one with an invalid row", parts: []string{lateRow, "[\n" + twiceRow + ",\n5]"}, rows: 3, want: both(), invalid: []string{"part b, line 3: NotAnObject"}},
		{reason: "a checksum among them", parts: []string{lateRow, "crc\x00\x00\x00\x02\x00\xAB\xCD\xEF\x01"}, want: []string{late}, fault: "UnsupportedFormat: no text"},
	}
}

func somethingElse() []comes {
	var cases []comes
	for _, of := range []struct{ reason, data, fault string }{
		{"a pointer of Git LFS", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n", "NotTheData: a pointer of Git LFS: get the file itself with git lfs pull"},
		{"a pointer of git-annex", "/annex/objects/SHA256E-s12345--4d7a2146.jsonl\n", "NotTheData: git annex get"},
		{"a pointer of DVC", "outs:\n- md5: 4d7a2146\n  size: 12345\n  path: train.jsonl\n", "NotTheData: dvc pull"},
		{"a web page", "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>", "NotTheData: a web page"},
		{"a web page in capitals, after a line break", "\r\n<HTML><BODY>404</BODY></HTML>", "NotTheData: a web page"},
		{"an error of object storage", `<?xml version="1.0" encoding="UTF-8"?>` + "\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>", "NotTheData: an error that object storage answered with"},
		{"an error of object storage without a declaration", "<Error><Code>AccessDenied</Code></Error>", "NotTheData: an error that object storage"},
		{"an answer with its headers", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + lateRow, "NotTheData: an answer of a web server"},
		{"the body of a form", "--b7f1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n" + lateAndTwice, "NotTheData: the body of a form"},
		{"signed chunks", "76;chunk-signature=ad80c730\r\n" + lateAndTwice, "NotTheData: signed chunks"},
		{"Base64 of rows", base64.StdEncoding.EncodeToString([]byte(lateAndTwice)), "NotTheData: base64 -d"},
		{"Base64 of an array", base64.StdEncoding.EncodeToString([]byte("[" + lateRow + "]")), "NotTheData: base64 -d"},
		{"bytes of 0, as a crash leaves them", strings.Repeat("\x00", 100_000), "NotTheData: bytes of 0 alone"},
		{"two versions of a file", "<<<<<<< HEAD\n" + lateRow + "\n=======\n" + twiceRow + "\n>>>>>>> theirs\n", "NotTheData: a conflict of Git"},
		{"a vault of Ansible", "$ANSIBLE_VAULT;1.1;AES256\n6231\n", "NotTheData: encrypted"},
		{"a file that OpenSSL encrypted", "Salted__\x01\x02\x03\x04\x05\x06\x07\x08", "NotTheData: encrypted"},
		{"an encrypted file", "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n", "NotTheData: encrypted"},
	} {
		cases = append(cases, comes{reason: of.reason, parts: []string{of.data}, fault: of.fault},
			comes{reason: of.reason + ", where CSV is expected", options: topics(0), parts: []string{of.data}, fault: of.fault})
	}
	return cases
}

func declaredOtherwise() []comes {
	csv := topics(0).CSV
	array := "[" + lateRow + ", " + twiceRow + "]"
	return []comes{
		{reason: "JSON Lines that are so", options: Options{Format: FormatJSONL}, parts: []string{lateAndTwice}, rows: 2, want: both()},
		{reason: "an array as JSON", options: Options{Format: FormatJSON}, parts: []string{array}, rows: 2, want: both()},
		{reason: "JSON Lines as JSON, which they are", options: Options{Format: FormatJSON}, parts: []string{lateAndTwice}, rows: 2, want: both()},
		{reason: "CSV that is so", options: Options{Format: FormatCSV, CSV: csv}, parts: []string{table}, rows: 2, want: both()},
		{reason: "CSV with a brace in its header", options: Options{Format: FormatCSV, CSV: csv}, parts: []string{"{id,text,topic\n1,I paid twice,billing\n"}, rows: 1, want: []string{twice}},
		{reason: "an array as JSON Lines", options: Options{Format: FormatJSONL}, parts: []string{array}, fault: "DifferentFormat: format is JSONL, and the data is JSON in an array or over several lines: set format to JSON or Auto"},
		{reason: "objects over lines as JSON Lines", options: Options{Format: FormatJSONL}, parts: []string{"{\n\"text\": \"a\"}\n"}, fault: "DifferentFormat: format is JSONL"},
		{reason: "an array as CSV", options: Options{Format: FormatCSV, CSV: csv}, parts: []string{array}, fault: "DifferentFormat: format is CSV, and the data is JSON in an array"},
		{reason: "JSON Lines as CSV", options: Options{Format: FormatCSV, CSV: csv}, parts: []string{lateAndTwice}, fault: "DifferentFormat: format is CSV, and the data is JSON Lines: set format to JSONL or Auto"},
		{reason: "JSON Lines as Parquet", options: Options{Format: FormatParquet}, parts: []string{lateAndTwice}, fault: "DifferentFormat: format is Parquet, and the data is JSON Lines"},
		{reason: "CSV as JSON Lines", options: Options{Format: FormatJSONL}, parts: []string{table}, fault: "DifferentFormat: format is JSONL, and the data is CSV: set format to CSV or Auto"},
		{reason: "CSV as JSON", options: Options{Format: FormatJSON}, parts: []string{table}, fault: "DifferentFormat: format is JSON, and the data is CSV"},
		{reason: "Parquet as CSV", options: Options{Format: FormatCSV, CSV: csv}, parts: []string{"PAR1\x15\x04\x15\x10"}, fault: "DifferentFormat: format is CSV, and the data is Parquet"},
		{reason: "Parquet as JSON Lines", options: Options{Format: FormatJSONL}, parts: []string{"PAR1\x15\x04\x15\x10"}, fault: "DifferentFormat: format is JSONL, and the data is Parquet"},
		{reason: "Avro as CSV", options: Options{Format: FormatCSV, CSV: csv}, parts: []string{"Obj\x01\x04\x14avro"}, fault: "UnsupportedFormat: format is CSV, and the data is Avro"},
		{reason: "columns of pandas as JSON Lines", options: Options{Format: FormatJSONL}, parts: []string{`{"text":{"0":"a"},"topic":{"0":"x"}}`}, fault: "UnsupportedLayout: format is JSONL, and the data is JSON in columns"},
	}
}
