package dataset

import (
	"bytes"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

const (
	textRow = `{"text":"hello","labels":{"intent":"greeting"}}`
	chatRow = `{"messages":[{"role":"user","content":"hello"}],"labels":{"intent":"greeting"}}`
)

func textOf(value string) string { return `{"text":` + value + `,"labels":{"t":"x"}}` }

func labelsOf(value string) string { return `{"text":"a","labels":` + value + `}` }

func messagesOf(value string) string { return `{"messages":` + value + `,"labels":{"t":"x"}}` }

func contentOf(value string) string {
	return messagesOf(`[{"role":"user","content":` + value + `}]`)
}

func extra(value string) string { return `{"text":"a","labels":{"t":"x"},"extra":` + value + `}` }

var invalidRows = []struct {
	reason string
	row    string
	want   Reason
}{
	// The row as a whole.
	{"a row is an object, not an array", `["hello","greeting"]`, NotAnObject},
	{"a row is an object, not a string", `"hello"`, NotAnObject},
	{"a row is an object, not null", `null`, NotAnObject},
	{"a row has an input", `{"labels":{"t":"x"}}`, MissingInput},
	{"keys are compared as they are", `{"Text":"a","labels":{"t":"x"}}`, MissingInput},
	{"an empty object has no input", `{}`, MissingInput},
	{"a row has one input", `{"text":"a","messages":[{"role":"user","content":"a"}],"labels":{"t":"x"}}`, AmbiguousInput},
	{"a row has labels", `{"text":"a"}`, MissingLabels},

	// Text.
	{"text is a string, not a number", textOf(`1`), InvalidText},
	{"text is a string, not null", textOf(`null`), InvalidText},
	{"text is a string, not a list", textOf(`["a"]`), InvalidText},
	{"text says something", textOf(`""`), EmptyText},
	{"white space says nothing", textOf(`" \t\r\n"`), EmptyText},
	{"nor does that of other scripts", textOf("\"\u00A0\u2003\u3000\u0085\u2028\""), EmptyText},
	{"nor do control characters", textOf(`"\u0000\u001b\u007f"`), EmptyText},
	{"nor do format characters", textOf("\"\u200B\u200D\uFEFF\u00AD\u202E\u2066\""), EmptyText},
	{"nor do what is not shown", textOf("\"\u3164\u115F\uFFA0\u034F\uFE0F\U000E0100\u2800\""), EmptyText},
	{"a conversation says something", messagesOf(`[{"role":"system","content":" "},{"role":"user","content":null},{"role":"assistant"},{"role":"tool","content":[]}]`), EmptyMessages},

	// Messages.
	{"messages is an array, not a string", messagesOf(`"hello"`), InvalidMessages},
	{"messages is an array, not an object", messagesOf(`{"role":"user","content":"a"}`), InvalidMessages},
	{"messages says something", messagesOf(`[]`), EmptyMessages},
	{"a message is an object", messagesOf(`["hello"]`), InvalidMessages},
	{"a message has a role", messagesOf(`[{"content":"a"}]`), InvalidRole},
	{"a role is one of four", messagesOf(`[{"role":"developer","content":"a"}]`), InvalidRole},
	{"a role is a string", messagesOf(`[{"role":1,"content":"a"}]`), InvalidRole},
	{"the second message is looked at too", messagesOf(`[{"role":"user","content":"a"},{"role":"","content":"b"}]`), InvalidRole},
	{"a user's message has content", messagesOf(`[{"role":"user"}]`), InvalidContent},
	{"a system message's content is not null", messagesOf(`[{"role":"system","content":null}]`), InvalidContent},
	{"so it is with content before role", messagesOf(`[{"content":null,"role":"system"}]`), InvalidContent},
	{"content is not a number", contentOf(`1`), InvalidContent},
	{"content is not an object", contentOf(`{"type":"text","text":"a"}`), InvalidContent},
	{"a chunk is an object", contentOf(`["a"]`), InvalidContent},
	{"a chunk has a type", contentOf(`[{"text":"a"}]`), InvalidContent},
	{"a chunk has text", contentOf(`[{"type":"text"}]`), InvalidContent},
	{"a chunk's text is a string", contentOf(`[{"type":"text","text":null}]`), InvalidContent},
	{"a chunk's type is a string", contentOf(`[{"type":1,"text":"a"}]`), InvalidContent},
	{"an image cannot be learned from", contentOf(`[{"type":"image_url","image_url":"https://example.com/a.png"}]`), InvalidContent},

	// Labels.
	{"labels is an object, not a string", labelsOf(`"greeting"`), InvalidLabels},
	{"labels is an object, not null", labelsOf(`null`), InvalidLabels},
	{"labels has a target", labelsOf(`{}`), EmptyLabels},
	{"a target has a name", labelsOf(`{"":"x"}`), EmptyName},
	{"a label is not a boolean", labelsOf(`{"t":true}`), InvalidLabels},
	{"a row has a label, not only null", labelsOf(`{"t":null}`), EmptyLabels},
	{"null is written in full", labelsOf(`{"t":"x","u":nul}`), InvalidJSON},
	{"a label of a list is not null", labelsOf(`{"t":["x",null]}`), InvalidLabels},
	{"a target without labels has a name", labelsOf(`{"t":"x","":null}`), EmptyName},
	{"a label is not an object", labelsOf(`{"t":{"x":1}}`), InvalidLabels},
	{"a label has a name", labelsOf(`{"t":""}`), EmptyName},
	{"a list has a label", labelsOf(`{"t":[]}`), EmptyLabels},
	{"a list has labels that are strings", labelsOf(`{"t":["x",1]}`), InvalidLabels},
	{"a list has no list", labelsOf(`{"t":[["x"]]}`), InvalidLabels},
	{"a list has labels with names", labelsOf(`{"t":["x",""]}`), EmptyName},
	{"a list has a label once", labelsOf(`{"t":["x","y","x"]}`), DuplicateLabel},
	{"an escaped label is the same label", labelsOf(`{"t":["x","\u0078"]}`), DuplicateLabel},

	// Keys.
	{"a key of the row stands once", `{"text":"a","text":"b","labels":{"t":"x"}}`, DuplicateKey},
	{"labels stands once", `{"labels":{"t":"x"},"text":"a","labels":{"t":"y"}}`, DuplicateKey},
	{"an extra key stands once", `{"id":1,"text":"a","id":1,"labels":{"t":"x"}}`, DuplicateKey},
	{"a target stands once", labelsOf(`{"t":"x","t":"y"}`), DuplicateKey},
	{"a message's key stands once", messagesOf(`[{"role":"user","content":"a","role":"user"}]`), DuplicateKey},
	{"a chunk's key stands once", contentOf(`[{"type":"text","text":"a","type":"text"}]`), DuplicateKey},
	{"a key deep in extra data stands once", extra(`[{"a":{"b":1,"b":2}}]`), DuplicateKey},
	{"an escaped key is the same key", `{"text":"a","t\u0065xt":"b","labels":{"t":"x"}}`, DuplicateKey},
	{"an empty key stands once", extra(`{"":1,"":2}`), DuplicateKey},
	{"among many keys, too, one stands once", manyKeysRow(40, 39), DuplicateKey},

	// UTF-8.
	{"text is UTF-8, not Latin-1", textOf("\"caf\xE9\""), InvalidUTF8},
	{"no overlong encoding", textOf("\"\xC0\xAF\""), InvalidUTF8},
	{"no encoded surrogate", textOf("\"\xED\xA0\x80\""), InvalidUTF8},
	{"nothing beyond Unicode", textOf("\"\xF4\x90\x80\x80\""), InvalidUTF8},
	{"no character is cut off", textOf("\"abcdefgh\xE2\x82\""), InvalidUTF8},
	{"no character is cut in two by an escape", textOf("\"\xE2\\u0041\x82\xAC\""), InvalidUTF8},
	{"bytes before an escape are UTF-8", textOf("\"caf\xE9\\nau lait\""), InvalidUTF8},
	{"a key is UTF-8", extra("{\"\xFF\":1}"), InvalidUTF8},
	{"extra data is UTF-8", extra("\"\xFF\""), InvalidUTF8},

	// JSON.
	{"a line is a whole object", `{"text":"a","labels":{"t":"x"}`, InvalidJSON},
	{"a line is one object", textRow + textRow, InvalidJSON},
	{"a line ends with its object", textRow + `]`, InvalidJSON},
	{"a line has no byte that is zero at its end", textRow + "\x00", InvalidJSON},
	{"a line has no byte that is zero inside", "{\"text\":\x00\"a\",\"labels\":{\"t\":\"x\"}}", InvalidJSON},
	{"a form feed is no white space", "{\f\"text\":\"a\",\"labels\":{\"t\":\"x\"}}", InvalidJSON},
	{"a no-break space is no white space", "{\u00A0\"text\":\"a\",\"labels\":{\"t\":\"x\"}}", InvalidJSON},
	{"a byte order mark inside a file is none", "{\xEF\xBB\xBF\"text\":\"a\",\"labels\":{\"t\":\"x\"}}", InvalidJSON},
	{"UTF-16 is not UTF-8", "\xFF\xFE{\x00", InvalidJSON},
	{"no comma at an object's end", `{"text":"a","labels":{"t":"x"},}`, InvalidJSON},
	{"no comma at an object's start", `{,"text":"a","labels":{"t":"x"}}`, InvalidJSON},
	{"no comma at a list's end", labelsOf(`{"t":["x",]}`), InvalidJSON},
	{"no comma at an extra list's end", extra(`[1,]`), InvalidJSON},
	{"a comma between values", `{"text":"a" "labels":{"t":"x"}}`, InvalidJSON},
	{"a comma between elements", extra(`[1 2]`), InvalidJSON},
	{"a colon after a key", `{"text" "a","labels":{"t":"x"}}`, InvalidJSON},
	{"a key is quoted", `{text:"a","labels":{"t":"x"}}`, InvalidJSON},
	{"an array ends as one", extra(`[1}`), InvalidJSON},
	{"an object ends as one", extra(`{"a":1]`), InvalidJSON},
	{"single quotes are none", `{'text':'a','labels':{'t':'x'}}`, InvalidJSON},
	{"comments are none", textRow + ` // a greeting`, InvalidJSON},
	{"a string is closed", `{"text":"a`, InvalidJSON},
	{"a string does not end in a backslash", `{"text":"a\`, InvalidJSON},
	{"a tab in a string is escaped", textOf("\"a\tb\""), InvalidJSON},
	{"a zero byte in a string is escaped", textOf("\"abcdefgh\x00b\""), InvalidJSON},
	{"a carriage return in a string is escaped", textOf("\"\r\""), InvalidJSON},
	{"an escape is known", textOf(`"\x41"`), InvalidJSON},
	{"an escape has four digits", textOf(`"\u12"`), InvalidJSON},
	{"an escape's digits are hexadecimal", textOf(`"\u12g4"`), InvalidJSON},
	{"an escape's u is small", textOf(`"\U0041"`), InvalidJSON},
	{"a high surrogate has a low one", textOf(`"\uD83D"`), InvalidJSON},
	{"a high surrogate has a low one next to it", textOf(`"\uD83D \uDE00"`), InvalidJSON},
	{"a low surrogate has a high one", textOf(`"\uDE00"`), InvalidJSON},
	{"two low surrogates are no pair", textOf(`"\uDE00\uDE00"`), InvalidJSON},
	{"two high surrogates are no pair", textOf(`"\uD83D\uD83D"`), InvalidJSON},
	{"a surrogate in extra data has its pair", extra(`{"\uD83D":1}`), InvalidJSON},
	{"a pair is not cut off", `{"text":"\uD83D\u`, InvalidJSON},
	{"a number has no zero before it", extra(`01`), InvalidJSON},
	{"a number has digits", extra(`-`), InvalidJSON},
	{"a number has no plus", extra(`+1`), InvalidJSON},
	{"a fraction has digits", extra(`1.`), InvalidJSON},
	{"a fraction has a digit before it", extra(`.5`), InvalidJSON},
	{"an exponent has digits", extra(`1e+`), InvalidJSON},
	{"NaN is no number", extra(`NaN`), InvalidJSON},
	{"true is small", extra(`True`), InvalidJSON},
	{"a word is whole", extra(`nul`), InvalidJSON},
	{"a word ends", extra(`nulll`), InvalidJSON},
	{"a key has a value", `{"text":}`, InvalidJSON},
	{"text is quoted", textOf(`hello`), InvalidJSON},

	// Limits, which are those of tightLimits.
	{"a row nests so deep", extra(`[[[[[[1]]]]]]`), NestingTooDeep},
	{"objects nest so deep", extra(`{"a":{"a":{"a":{"a":{"a":{}}}}}}`), NestingTooDeep},
	{"a row has so many targets", labelsOf(`{"a":"x","b":"x","c":"x","d":"x"}`), TooManyTargets},
	{"a row has so many labels", labelsOf(`{"t":[` + manyLabels(21) + `]}`), TooManyLabels},
	{"a label is so long", labelsOf(`{"t":"` + strings.Repeat("x", 17) + `"}`), NameTooLong},
	{"a target's name is so long", labelsOf(`{"` + strings.Repeat("t", 17) + `":"x"}`), NameTooLong},
	{"a row is so long", textOf(`"` + strings.Repeat("a", 512) + `"`), LineTooLong},
}

func manyLabels(count int) string {
	var labels []string
	for i := range count {
		labels = append(labels, `"`+strings.Repeat("x", i%8)+string(rune('A'+i))+`"`)
	}
	return strings.Join(labels, ",")
}

func TestInvalidRows(t *testing.T) {
	for _, test := range invalidRows {
		t.Run(test.reason, func(t *testing.T) {
			reader := NewReader(strings.NewReader(textRow+"\n"+test.row+"\n"+chatRow), tightLimits())
			var sample Sample
			if err := reader.Read(&sample); err != nil {
				t.Fatal("the row before:", err)
			}
			before := sample
			err := reader.Read(&sample)
			problem, ok := errors.AsType[*InvalidSampleError](err)
			if !ok {
				t.Fatalf("got %v, want an InvalidSampleError", err)
			}
			if problem.Reason != test.want || problem.Line != 2 {
				t.Errorf("got %v, want %s on line 2", problem, test.want)
			}
			if problem.Column < 0 || problem.Column > len(test.row)+1 {
				t.Errorf("column %d is outside of the row's %d bytes", problem.Column, len(test.row))
			}
			if !reflect.DeepEqual(sample, before) {
				t.Error("the invalid row has changed the sample")
			}
			if err := reader.Read(&sample); err != nil || sample.Line != 3 {
				t.Errorf("the row after: line %d, %v", sample.Line, err)
			}
		})
	}
}

func single(target, label string) map[string]rowLabels {
	return map[string]rowLabels{target: {Labels: []string{label}}}
}

func said(role, content string) []Message { return []Message{{Role: role, Content: content}} }

var validRows = []struct {
	reason string
	row    string
	want   row
}{
	{"a text", textRow, row{Text: "hello", Labels: single("intent", "greeting")}},
	{"a conversation", chatRow, row{Messages: said("user", "hello"), Labels: single("intent", "greeting")}},
	{"white space", " { \"text\" :\t\"a\" , \"labels\" : { \"t\" : \"x\" } }\r", row{Text: "a", Labels: single("t", "x")}},
	{"any order", `{"labels":{"t":"x"},"text":"a"}`, row{Text: "a", Labels: single("t", "x")}},
	{"extra keys are ignored",
		extra(`[1,-0.5e+10,0,1E2,true,false,null,"\ud83d\ude00",{},[],{"text":1,"labels":[]}]`),
		row{Text: "a", Labels: single("t", "x")}},
	{"keys that differ by case are other keys", `{"text":"a","Text":"b","labels":{"t":"x"}}`, row{Text: "a", Labels: single("t", "x")}},
	{"equal keys of different objects", extra(`[{"a":{"a":1,"b":1},"b":{"c":1}},{"a":2}]`), row{Text: "a", Labels: single("t", "x")}},
	{"many keys", manyKeysRow(40, 40), row{Text: "a", Labels: single("t", "x")}},
	{"many equal keys of different objects", extra("[" + manyKeysRow(20, 20) + "," + manyKeysRow(20, 20) + "]"),
		row{Text: "a", Labels: single("t", "x")}},
	{"escapes", textOf(`"\"\\\/\b\f\n\r\t\u00e9\u20AC\uD83D\uDE00\u0000"`),
		row{Text: "\"\\/\b\f\n\r\té€😀\x00", Labels: single("t", "x")}},
	{"escapes among plain runs", textOf(`"a long plain run\nanother plain run\n\nü"`),
		row{Text: "a long plain run\nanother plain run\n\nü", Labels: single("t", "x")}},
	{"characters of every length", textOf(`"aé€😀` + "\u007F\u2028" + `"`), row{Text: "aé€😀\u007F\u2028", Labels: single("t", "x")}},
	{"escaped keys and labels", `{"te\u0078t":"a","l\u0061bels":{"\u0074":"\u0078"}}`, row{Text: "a", Labels: single("t", "x")}},
	{"a target with null says nothing of it", labelsOf(`{"u":null,"t":"x","v": null }`), row{Text: "a", Labels: single("t", "x")}},
	{"targets with null are none too many", labelsOf(`{"a":null,"b":null,"c":null,"d":null,"t":"x"}`), row{Text: "a", Labels: single("t", "x")}},
	{"a list of labels", labelsOf(`{"t":["x","y"]}`),
		row{Text: "a", Labels: map[string]rowLabels{"t": {Labels: []string{"x", "y"}, Multi: true}}}},
	{"a list of one label", labelsOf(`{"t":["x"]}`),
		row{Text: "a", Labels: map[string]rowLabels{"t": {Labels: []string{"x"}, Multi: true}}}},
	{"several targets", labelsOf(`{"t":"x","u":["x","y"],"v":"z"}`),
		row{Text: "a", Labels: map[string]rowLabels{
			"t": {Labels: []string{"x"}},
			"u": {Labels: []string{"x", "y"}, Multi: true},
			"v": {Labels: []string{"z"}},
		}}},
	{"a label with the name of its target", labelsOf(`{"t":["t"]}`),
		row{Text: "a", Labels: map[string]rowLabels{"t": {Labels: []string{"t"}, Multi: true}}}},
	{"a target with the name of a label before it", labelsOf(`{"t":["u"],"u":"t"}`),
		row{Text: "a", Labels: map[string]rowLabels{"t": {Labels: []string{"u"}, Multi: true}, "u": {Labels: []string{"t"}}}}},
	{"every role, and null where nothing was said",
		messagesOf(`[{"role":"system","content":"be kind"},{"role":"user","content":null},` +
			`{"role":"assistant","tool_calls":[{"id":"1"}]},{"role":"tool","content":null,"name":"f"}]`),
		row{Labels: single("t", "x"), Messages: []Message{
			{"system", "be kind"}, {"user", ""}, {"assistant", ""}, {"tool", ""},
		}}},
	{"an empty content is a content", messagesOf(`[{"role":"user","content":""},{"role":"assistant","content":"a"}]`),
		row{Messages: []Message{{"user", ""}, {"assistant", "a"}}, Labels: single("t", "x")}},
	{"one chunk", contentOf(`[{"type":"text","text":"a\tb"}]`), row{Messages: said("user", "a\tb"), Labels: single("t", "x")}},
	{"chunks are lines", contentOf(`[{"type":"text","text":"a"},{"text":"b\n","type":"text"},{"type":"text","text":""},{"type":"text","text":"c"}]`),
		row{Messages: said("user", "a\nb\n\nc"), Labels: single("t", "x")}},
	{"no chunk", messagesOf(`[{"role":"user","content":[]},{"role":"user","content":"a"}]`),
		row{Messages: []Message{{"user", ""}, {"user", "a"}}, Labels: single("t", "x")}},
	{"nesting up to the limit", extra(`[[[[[1]]]]]`), row{Text: "a", Labels: single("t", "x")}},
	{"a label as long as the limit", labelsOf(`{"t":"` + strings.Repeat("x", 16) + `"}`),
		row{Text: "a", Labels: single("t", strings.Repeat("x", 16))}},
}

func TestValidRows(t *testing.T) {
	for _, test := range validRows {
		t.Run(test.reason, func(t *testing.T) {
			rows, invalid, err := readRows(strings.NewReader(test.row), tightLimits())
			if err != nil || len(invalid) > 0 || len(rows) != 1 {
				t.Fatalf("read %d rows, invalid %v, %v", len(rows), invalid, err)
			}
			test.want.Line = 1
			if !reflect.DeepEqual(rows[0], test.want) {
				t.Errorf("got  %+v\nwant %+v", rows[0], test.want)
			}
		})
	}
}

// A quote, an escape or a bad byte is found wherever it stands among the bytes that
// are looked at together.
func TestStringsOfEveryLength(t *testing.T) {
	for length := range 40 {
		for _, special := range []string{"", `\n`, "é", "\x7F", "\u00A0"} {
			for at := range length + 1 {
				plain := strings.Repeat("!", length)
				text := plain[:at] + special + plain[at:]
				want := strings.ReplaceAll(text, `\n`, "\n")
				if isInvisible(want) {
					continue
				}
				rows, invalid, err := readRows(strings.NewReader(textAtEnds(text)), DefaultLimits())
				if err != nil || len(invalid) > 0 {
					t.Fatalf("%q: invalid %v, %v", text, invalid, err)
				}
				if rows[0].Text != want || rows[1].Text != want {
					t.Fatalf("got %q and %q, want %q", rows[0].Text, rows[1].Text, want)
				}
			}
		}
		for _, bad := range []string{"\x00", "\x1F", "\x80", "\xFF"} {
			for at := range length + 1 {
				plain := strings.Repeat("~", length)
				rows, _, _ := readRows(strings.NewReader(textAtEnds(plain[:at]+bad+plain[at:])), DefaultLimits())
				if len(rows) > 0 {
					t.Fatalf("byte %q at %d of %d was taken", bad, at, length)
				}
			}
		}
	}
}

func TestPlainEnd(t *testing.T) {
	for size := range 2*blockBytes + 8 {
		for at := range size {
			for c := range 256 {
				data := bytes.Repeat([]byte{' '}, size)
				data[at] = byte(c)
				want := size
				if c < ' ' || c == '"' || c == '\\' {
					want = at
				}
				end, ascii := plainEnd(data, 0)
				if end != want || ascii != (c < 0x80) {
					t.Fatalf("byte %#x at %d of %d: the end is %d, ASCII %t", c, at, size, end, ascii)
				}
			}
		}
	}
}

func TestHexadecimalDigits(t *testing.T) {
	for at := range 4 {
		for c := range 256 {
			digits := []byte("00e9")
			digits[at] = byte(c)
			wanted, err := strconv.ParseUint(string(digits), 16, 16)
			rows, _, _ := readRows(strings.NewReader(textOf(`"a\u`+string(digits)+`"`)), DefaultLimits())
			if isSurrogate := wanted >= 0xD800 && wanted < 0xE000; len(rows) == 1 != (err == nil && !isSurrogate) {
				t.Errorf("%q are digits: %t", digits, len(rows) == 1)
			} else if len(rows) == 1 && rows[0].Text != "a"+string(rune(wanted)) {
				t.Errorf("%q is %q", digits, rows[0].Text)
			}
		}
	}
}

// textAtEnds has the text at the start of a row and at the end of another.
func textAtEnds(text string) string {
	return textOf(`"`+text+`"`) + "\n" + `{"labels":{"t":"x"},"text":"` + text + `"}`
}

func TestErrorsHoldNothingOfTheSample(t *testing.T) {
	const canary = "canary"
	for _, test := range invalidRows {
		row := strings.NewReplacer(`"a"`, `"`+canary+`"`, `"x"`, `"`+canary+`"`, `"t"`, `"`+canary+`t"`).Replace(test.row)
		reader := NewReader(strings.NewReader(row), tightLimits())
		if err := reader.Read(&Sample{}); err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", test.reason, err)
		}
	}
}

// TestRowsLoseNullTargets holds that the rest of a row stays as it is, and what is left
// is a row that says the same.
func TestRowsLoseNullTargets(t *testing.T) {
	for _, test := range []struct {
		reason, row, want string
	}{
		{"the first", `{"text":"a","labels":{"u":null,"t":"x"}}`, `{"text":"a","labels":{"t":"x"}}`},
		{"the last", `{"text":"a","labels":{"t":"x","u":null}}`, `{"text":"a","labels":{"t":"x"}}`},
		{"among lists", `{"text":"a","labels":{"t":["x","y"],"u":null,"v":["z"]}}`, `{"text":"a","labels":{"t":["x","y"],"v":["z"]}}`},
		{"before the text", `{ "labels": { "t": "x", "u": null }, "id": 1.50,  "text": "\u0061" } `, `{ "labels": {"t":"x"}, "id": 1.50,  "text": "\u0061" } `},
		{"names with quotes", `{"text":"a","labels":{"\"t\\":"x\n","u":null}}`, `{"text":"a","labels":{"\"t\\":"x\n"}}`},
		{"null elsewhere stays", `{"text":"a","note":null,"labels":{"t":"x"}}`, `{"text":"a","note":null,"labels":{"t":"x"}}`},
	} {
		reader := NewReader(strings.NewReader(textRow+"\n"+test.row), DefaultLimits())
		var sample Sample
		for range 2 {
			if err := reader.Read(&sample); err != nil {
				t.Fatalf("%s: %v", test.reason, err)
			}
		}
		if string(sample.Raw) != test.want {
			t.Errorf("%s: got %s, want %s", test.reason, sample.Raw, test.want)
		}
	}
}
