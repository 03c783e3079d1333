package dataset

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestMalformed puts what goes wrong in practice, and what is made to do harm,
// through all that a dataset goes through. Each is refused for a reason, with the line.
func TestMalformed(t *testing.T) {
	const good = `{"text":"hello","labels":{"t":"x"}}` + "\n" + `{"text":"bye","labels":{"t":"y"}}` + "\n"
	const header = "text,intent,tags\n"
	repeat := strings.Repeat
	text := func(data string) io.Reader { return strings.NewReader(data) }
	after := func(row string) io.Reader { return text(good + row + "\n" + good) }
	endless := func(head string, megabytes int) io.Reader {
		return io.MultiReader(text(head), io.LimitReader(endlessText{}, int64(megabytes)<<20))
	}
	jsonl := []struct {
		reason string
		data   io.Reader
		line   int
		want   Reason
	}{
		{"nothing", text(""), 0, NoSamples},
		{"blank lines only", text("\n\n \n"), 0, NoSamples},
		{"one label", text(textRow), 0, TooFewLabels},
		{"an HTML page", text("<!DOCTYPE html>\n<html></html>\n"), 1, InvalidJSON},
		{"CSV", text("text,label\nhello,greeting\n"), 1, NotAnObject},
		{"an array of all rows", text("[\n" + textRow + "\n]\n"), 1, NotAnObject},
		{"an array of all rows on one line", text("[" + textRow + "," + textRow + "]"), 1, NotAnObject},
		{"rows over several lines", text("{\n  \"text\": \"hello\"\n}\n"), 1, InvalidJSON},
		{"a blank line between rows", after(""), 3, BlankLine},
		{"line ends of old Macs", text(strings.ReplaceAll(good, "\n", "\r")), 1, InvalidJSON},
		{"line ends of Windows, and a bad row", text("\r\n" + good), 1, BlankLine},
		{"UTF-16", text("\xFF\xFE{\x00\"\x00t\x00"), 1, InvalidJSON},
		{"a byte order mark in the middle", after(" \xEF\xBB\xBF" + textRow), 3, InvalidJSON},
		{"Latin-1", after(textOf("\"caf\xE9\"")), 3, InvalidUTF8},
		{"an overlong encoding", after(textOf("\"\xC0\x80\"")), 3, InvalidUTF8},
		{"half a character", after(textOf("\"\xE2\x82\"")), 3, InvalidUTF8},
		{"an encoded surrogate", after(textOf("\"\xED\xA0\x80\"")), 3, InvalidUTF8},
		{"a lone surrogate", after(textOf(`"\ud800"`)), 3, InvalidJSON},
		{"surrogates in the wrong order", after(textOf(`"\ude00\ud83d"`)), 3, InvalidJSON},
		{"a zero byte in a text", after(textOf("\"a\x00b\"")), 3, InvalidJSON},
		{"zero bytes at the end, as after a crash", text(good + repeat("\x00", 4096)), 3, InvalidJSON},
		{"zero bytes only", text(repeat("\x00", 100_000)), 1, InvalidJSON},
		{"a row cut off", text(good + textRow[:30]), 3, InvalidJSON},
		{"two rows on a line", after(textRow + textRow), 3, InvalidJSON},
		{"rows with commas between", text(textRow + ",\n" + textRow + "\n"), 1, InvalidJSON},
		{"single quotes", after(`{'text':'a','labels':{'t':'x'}}`), 3, InvalidJSON},
		{"a comment", after("# " + textRow), 3, InvalidJSON},
		{"NaN", after(extra("NaN")), 3, InvalidJSON},
		{"a tab in a text", after(textOf("\"a\tb\"")), 3, InvalidJSON},
		{"a key twice", after(`{"text":"a","text":"b","labels":{"t":"x"}}`), 3, DuplicateKey},
		{"a target twice", after(labelsOf(`{"t":"x","t":"y"}`)), 3, DuplicateKey},
		{"a key twice, escaped", after(`{"text":"a","\u0074ext":"b","labels":{"t":"x"}}`), 3, DuplicateKey},
		{"a number as a label", after(labelsOf(`{"t":1}`)), 3, InvalidLabels},
		{"a number in a list of labels", after(labelsOf(`{"t":["x",1]}`)), 3, InvalidLabels},
		{"null for every target", after(labelsOf(`{"t":null}`)), 3, EmptyLabels},
		{"null in a list of labels", after(labelsOf(`{"t":["x",null]}`)), 3, InvalidLabels},
		{"a boolean as a label", after(labelsOf(`{"t":false}`)), 3, InvalidLabels},
		{"a label without target", after(labelsOf(`"x"`)), 3, InvalidLabels},
		{"an empty label", after(labelsOf(`{"t":""}`)), 3, EmptyName},
		{"an empty list of labels", after(labelsOf(`{"t":[]}`)), 3, EmptyLabels},
		{"no target", after(labelsOf(`{}`)), 3, EmptyLabels},
		{"no labels", after(`{"text":"a"}`), 3, MissingLabels},
		{"no text", after(`{"labels":{"t":"x"}}`), 3, MissingInput},
		{"an empty text", after(textOf(`""`)), 3, EmptyText},
		{"a number as text", after(textOf(`7`)), 3, InvalidText},
		{"text and messages", after(`{"text":"a","messages":[],"labels":{"t":"x"}}`), 3, EmptyMessages},
		{"an unknown role", text(messagesOf(`[{"role":"bot","content":"a"}]`)), 1, InvalidRole},
		{"an image", text(contentOf(`[{"type":"image_url","image_url":"a"}]`)), 1, InvalidContent},
		{"a string where lists were", text(labelsOf(`{"t":["x"]}`) + "\n" + labelsOf(`{"t":"y"}`)), 2, MixedTarget},
		{"a conversation among texts", after(messagesOf(`[{"role":"user","content":"a"}]`)), 3, MixedInput},
		{"nested 10 000 deep", after(extra(repeat("[", 10_000) + repeat("]", 10_000))), 3, NestingTooDeep},
		{"nested 10 000 deep, never closed", after(repeat(`{"a":`, 10_000)), 3, NestingTooDeep},
		{"a label of 300 bytes", after(labelsOf(`{"t":"` + repeat("x", 300) + `"}`)), 3, NameTooLong},
		{"a target of 300 bytes", after(labelsOf(`{"` + repeat("x", 300) + `":"x"}`)), 3, NameTooLong},
		{"21 targets", after(labelsOf(`{` + numbered(21, `"%d":"x"`) + `}`)), 3, TooManyTargets},
		{"5000 labels in a row", after(labelsOf(`{"u":[` + numbered(5000, `"%d"`) + `]}`)), 3, TooManyLabels},
		{"100 000 keys, one of them twice", after(`{` + numbered(100_000, `"%d":0`) + `,"7":0}`), 3, DuplicateKey},
		{"a million labels", &generatedRows{rows: 1_000_000, row: func(i int) string { return fmt.Sprintf(`{"text":"a","labels":{"t":"%d"}}`, i) }},
			DefaultLimits().LabelsPerTarget + 1, TooManyLabels},
		{"a line of 100 MB", endless("", 100), 1, LineTooLong},
		{"a text of 100 MB", endless(good+`{"text":"`, 100), 3, LineTooLong},
		{"gzip cut off", text(gzipped(t, good)[:30]), 1, TruncatedCompression},
		{"gzip cut off between rows", text(gzipped(t, repeat(good, 1000))[:100]), -1, TruncatedCompression},
		{"a gzip bomb", text(gzipped(t, repeat("a", 8<<20))), 1, RatioTooHigh},
		{"a gzip bomb of blank lines", text(gzipped(t, repeat("\n", 8<<20))), -1, RatioTooHigh},
		{"gzip of a bad row", text(gzipped(t, good+"{")), 3, InvalidJSON},
		{"gzip twice", text(gzipped(t, gzipped(t, good))), 1, InvalidJSON},
		{"corrupt zstd", text(zstandard(t, good)[:40] + repeat("\xAA", 60)), 1, CorruptCompression},
		{"a zstd bomb", text(zstandard(t, repeat("a", 8<<20))), 1, RatioTooHigh},
		{"a ZIP archive", text("PK\x03\x04" + repeat("\x00", 100)), 1, InvalidJSON},
		{"a Parquet file", text("PAR1\x15\x04\x15\n\n\x00"), 1, InvalidJSON},
	}
	for _, test := range jsonl {
		t.Run(test.reason, func(t *testing.T) {
			wantProblem(t, test.data, func(r io.Reader) SampleReader { return NewReader(r, DefaultLimits()) }, test.want, test.line)
		})
	}
	csv := []struct {
		reason string
		data   string
		line   int
		want   Reason
	}{
		{"nothing", "", 1, InvalidHeader},
		{"a header alone", header, 0, NoSamples},
		{"JSON Lines", good, 1, InvalidHeader},
		{"a missing column", "text,intent\nhello,greeting\n", 1, MissingColumn},
		{"a column twice", "text,intent,tags,intent\n", 1, DuplicateColumn},
		{"no header", "hello,greeting,a\n", 1, MissingColumn},
		{"semicolons", "text;intent;tags\nhello;greeting;a\n", 1, MissingColumn},
		{"UTF-16", "\xFF\xFEt\x00e\x00x\x00t\x00,\x00", 1, InvalidHeader},
		{"a quote that is never closed", header + "hello,x,a\n\"bye,y,b\nhello,x,a\n", 3, UnclosedQuote},
		{"a quote that is never closed for 2 MB", header + "\"" + repeat("a\n", 1<<20), 2, UnclosedQuote},
		{"a field of 2 MB", header + repeat("a", 2<<20) + ",x,a\n", 2, LineTooLong},
		{"2 million fields", header + repeat(",", 2<<20) + "\n", 2, LineTooLong},
		{"half a million fields", header + repeat("a,", 1<<19) + "\n", 2, RaggedRow},
		{"a quote in a field", header + "5\" screen,x,a\n", 2, InvalidQuoting},
		{"text after a quoted field", header + "\"hello\" you,x,a\n", 2, InvalidQuoting},
		{"a row with a field less", header + "hello,x\n", 2, RaggedRow},
		{"a row with a field more, after a text of two lines", header + "\"a\nb\",x,a\nhello,x,a,b\n", 4, RaggedRow},
		{"no text", header + ",x,a\n", 2, EmptyText},
		{"no label", header + "hello,,\n", 2, EmptyLabels},
		{"an empty label in a list", header + "hello,x,a||b\n", 2, EmptyName},
		{"Latin-1", header + "caf\xE9,x,a\n", 2, InvalidUTF8},
		{"gzip cut off", gzipped(t, header+repeat("hello,x,a\n", 10))[:40], 1, TruncatedCompression},
	}
	for _, test := range csv {
		t.Run("CSV: "+test.reason, func(t *testing.T) {
			wantProblem(t, text(test.data), func(r io.Reader) SampleReader { return NewCSVReader(r, utterances, DefaultLimits()) }, test.want, test.line)
		})
	}
}

// wantProblem prepares the data and looks for the problem first found in it. A
// line of -1 is any after the first, as buffers have it.
func wantProblem(t *testing.T, data io.Reader, read func(io.Reader) SampleReader, want Reason, line int) {
	t.Helper()
	scratch := &memoryScratch{}
	data, err := Decompress(data, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	prepared, err := Prepare(context.Background(), read(data), Preparation{}, scratch, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	report := &prepared.Report
	if report.Problem == nil || len(prepared.Files) > 0 || scratch.open > 0 {
		t.Fatalf("the problem is %v, %d files are prepared, %d open", report.Problem, len(prepared.Files), scratch.open)
	}
	got, on, detail := report.Problem.Reason, report.Problem.Line, report.Problem.Detail
	if len(report.InvalidSamples) > 0 && got == TooManyInvalid {
		first := &report.InvalidSamples[0]
		got, on, detail = first.Reason, first.Line, first.Detail
	}
	if got != want || line >= 0 && on != line || line < 0 && on < 2 || detail == "" {
		t.Errorf("got %s on line %d (%s), want %s on line %d", got, on, detail, want, line)
	}
}

// numbered repeats the pattern with numbers from 0 and commas between.
func numbered(count int, pattern string) string {
	parts := make([]string, count)
	for i := range parts {
		parts[i] = fmt.Sprintf(pattern, i)
	}
	return strings.Join(parts, ",")
}
