package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// namedPart is a part with its name.
type namedPart struct{ name, text string }

type namedParts struct{ left []namedPart }

func (p *namedParts) Next() (name string, content io.Reader, err error) {
	if len(p.left) == 0 {
		return "", nil, io.EOF
	}
	part := p.left[0]
	p.left = p.left[1:]
	return part.name, strings.NewReader(part.text), nil
}

// readMapped returns the rows, and for each record that gives none what is said of it.
// The last of all is what ended reading, if it is not the end of the parts.
func readMapped(options Options, limits Limits, parts ...namedPart) (said []string) {
	said, refusal := readUntilRefused(options, limits, parts...)
	if refusal != nil {
		said = append(said, refusal.Error())
	}
	return said
}

// readUntilRefused returns what is said of each record, and what ended reading before the
// end, or at it.
func readUntilRefused(options Options, limits Limits, parts ...namedPart) (said []string, refusal error) {
	reader := NewPartsReader(&namedParts{parts}, options, &memoryScratch{}, limits)
	var sample Sample
	for {
		err := reader.Read(&sample)
		_, invalid := errors.AsType[*InvalidSampleError](err)
		switch {
		case err == nil:
			said = append(said, string(sample.Raw))
		case errors.Is(err, io.EOF):
			return said, nil
		case errors.Is(err, ErrFiltered):
			said = append(said, "filtered")
		case invalid:
			said = append(said, err.Error())
		default:
			return said, err
		}
	}
}

// labelled maps the field text, and one target t.
func labelled(label LabelMapping) *Mapping {
	label.Target = "t"
	return &Mapping{Text: "text", Labels: []LabelMapping{label}}
}

// TestMappedLabels maps the value of one record, and says what becomes of it: the
// labels, or the problem.
func TestMappedLabels(t *testing.T) {
	field := LabelMapping{Field: "v"}
	single, multi := LabelMapping{Field: "v", Type: SingleLabel}, LabelMapping{Field: "v", Type: MultiLabel}
	separated := LabelMapping{Field: "v", Separator: "|"}
	ids := LabelMapping{Field: "v", Names: map[string]string{"0": "negative", "1": "positive", "true": "yes"}}
	const none = `MissingLabels: the record has no label in the field "v"`
	for _, test := range []struct {
		reason  string
		mapping LabelMapping
		value   string // of v
		want    string
	}{
		{"a string is a label", field, `"x"`, `"x"`},
		{"a string stays as it is", field, `" x "`, `" x "`},
		{"an integer is a label", field, `7`, `"7"`},
		{"an integer of a column of floats is one", field, `7.0`, `"7"`},
		{"an integer with an exponent is one", field, `2.50E2`, `"250"`},
		{"0.0 is 0", field, `-0.0`, `"0"`},
		{"a number with a fraction stays as it is written", field, `0.50`, `"0.50"`},
		{"a large integer loses no digit", field, `12345678901234567890123`, `"12345678901234567890123"`},
		{"a power of ten is not written out without end", field, `1e300`, `"1e300"`},
		{"a power beyond all numbers is no harm", field, `1e99999999999999999999`, `"1e99999999999999999999"`},
		{"a number as text stays as it is", field, `"1.0"`, `"1.0"`},
		{"an integer of megabytes is none", field, strings.Repeat("9", 300), `NameTooLong: a label in the field "v" has more than 256 bytes`},
		{"a boolean is a label", field, `true`, `"true"`},
		{"a list has several", field, `["x","y"]`, `["x","y"]`},
		{"a list of one is a list", field, `["x"]`, `["x"]`},
		{"a list of numbers", field, `[0, 3.0]`, `["0","3"]`},
		{"choices", field, `{"choices":["x","y"]}`, `["x","y"]`},
		{"choices among others", field, `{"id":1,"choices":["x"]}`, `["x"]`},
		{"one choice that is no list", field, `{"choices":"x"}`, `"x"`},
		{"choices as JSON in a cell", field, `"{\"choices\":[\"x\",\"y\\u00e9\"]}"`, `["x","yé"]`},
		{"a label that starts like an object", field, `"{x"`, `"{x"`},
		{"null says nothing", field, `null`, none},
		{"an empty string says nothing", field, `""`, none},
		{"an empty list says nothing", field, `[]`, none},
		{"no choices say nothing", field, `{"choices":[]}`, none},
		{"null among labels", field, `["x",null]`, `InvalidLabels: the field "v" is neither a label nor a list of labels, which are strings, numbers or booleans`},
		{"a list in a list", field, `[["x"]]`, `InvalidLabels: the field "v" is neither a label nor a list of labels, which are strings, numbers or booleans`},
		{"an object in a list", field, `[{"value":"x"}]`, `InvalidLabels: the field "v" is neither a label nor a list of labels, which are strings, numbers or booleans`},
		{"an object without choices", field, `{"rating":3}`, `InvalidLabels: the field "v" is an object without choices`},
		{"an object without choices in a cell", field, `"{\"rating\":3}"`, `InvalidLabels: the field "v" is an object without choices`},
		{"an empty label among others", field, `["x",""]`, `EmptyName: an empty label stands among others in the field "v"`},
		{"a label twice", field, `["x","y","x"]`, `DuplicateLabel: a label stands twice in the field "v"`},
		{"a number twice, written differently", field, `[1,1.0]`, `DuplicateLabel: a label stands twice in the field "v"`},
		{"a label with quotes and line breaks", field, `"\"x\"\n\\"`, `"\"x\"\n\\"`},

		{"Single: of a list of one", single, `["x"]`, `"x"`},
		{"Single: of one choice", single, `{"choices":["x"]}`, `"x"`},
		{"Single: a string", single, `"x"`, `"x"`},
		{"Single: a string that looks like a list", single, `"[x]"`, `"[x]"`},
		{"Single: not of several", single, `["x","y"]`, `SeveralLabels: there are 2 labels in the field "v"; a target of the type SingleLabel takes one`},
		{"Single: none", single, `[]`, none},
		{"Multi: of a string", multi, `"x"`, `["x"]`},
		{"Multi: of a number", multi, `3`, `["3"]`},
		{"Multi: a list as JSON in a cell", multi, `"[\"x\", 3]"`, `["x","3"]`},
		{"Multi: an empty list in a cell", multi, `"[]"`, none},
		{"Multi: a list of Python in a cell", multi, `"['x', 'y']"`, `InvalidLabels: the field "v" starts like a list, but is not one of JSON`},
		{"Multi: a list of NumPy in a cell", multi, `"[0 3]"`, `InvalidLabels: the field "v" starts like a list, but is not one of JSON`},
		{"Multi: a list that breaks off", multi, `"[\"x\""`, `InvalidLabels: the field "v" starts like a list, but is not one of JSON`},

		{"separated: several", separated, `"x| y "`, `["x","y"]`},
		{"separated: one", separated, `"x"`, `["x"]`},
		{"separated: an empty one", separated, `"x|"`, `EmptyName: an empty label stands among others in the field "v"`},
		{"separated: one twice", separated, `"x|x"`, `DuplicateLabel: a label stands twice in the field "v"`},
		{"separated: a list is one already", separated, `["x|y"]`, `["x|y"]`},
		{"separated and Single", LabelMapping{Field: "v", Separator: "|", Type: SingleLabel}, `"x"`, `"x"`},

		{"names: of an integer", ids, `0`, `"negative"`},
		{"names: of a float", ids, `0.0`, `"negative"`},
		{"names: of an exponent", ids, `1e0`, `"positive"`},
		{"names: of digits", ids, `"0"`, `"negative"`},
		{"names: of a float in a cell", ids, `"1.0"`, `"positive"`},
		{"names: in a list", ids, `[0,1.0]`, `["negative","positive"]`},
		{"names: of a boolean as Python writes it", ids, `"True"`, `"yes"`},
		{"names: what has none keeps its own", ids, `-1`, `"-1"`},
		{"names: 07 is no number", LabelMapping{Field: "v", Names: map[string]string{"7": "seven"}}, `"07"`, `"07"`},
		{"names: the one that is written so goes before", LabelMapping{Field: "v", Names: map[string]string{"1": "one", "1.0": "first"}}, `"1.0"`, `"first"`},
		{"names: two that become one", LabelMapping{Field: "v", Names: map[string]string{"a": "x", "b": "x"}}, `["a","b"]`, `DuplicateLabel: a label stands twice in the field "v"`},
	} {
		t.Run(test.reason, func(t *testing.T) {
			record := `{"id":1,"v":` + test.value + `,"text":"a"}`
			want := `{"text":"a","labels":{"t":` + test.want + `}}`
			if strings.Contains(test.want, ": ") {
				want = "part p, line 1: " + test.want
			}
			if got := readMapped(Options{Mapping: labelled(test.mapping)}, DefaultLimits(), namedPart{"p", record}); !slices.Equal(got, []string{want}) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestMappedFlags maps columns of which each is for one label.
func TestMappedFlags(t *testing.T) {
	flags := LabelMapping{Fields: []string{"x", "y"}}
	orNone := LabelMapping{Fields: []string{"x", "y"}, None: "clean"}
	const nothing = `MissingLabels: the record has no label in the fields of the target "t"`
	for _, test := range []struct {
		reason  string
		mapping LabelMapping
		x, y    string
		want    string
	}{
		{"pandas and Jigsaw write 0 and 1", flags, `0`, `1`, `["y"]`},
		{"pandas writes floats where a value is missing", flags, `1.0`, `null`, `["x"]`},
		{"JSON has booleans", flags, `true`, `false`, `["x"]`},
		{"cells of CSV", flags, `"1"`, `"0"`, `["x"]`},
		{"cells of floats", flags, `"0.0"`, `"1.0"`, `["y"]`},
		{"pandas writes True", flags, `"True"`, `"False"`, `["x"]`},
		{"Excel writes TRUE", flags, `"FALSE"`, `"TRUE"`, `["y"]`},
		{"both", flags, `1`, `1`, `["x","y"]`},
		{"an empty cell is not set", flags, `""`, `1`, `["y"]`},
		{"none is set", flags, `0`, `0`, nothing},
		{"none is set, which is a label", orNone, `0`, `0`, `["clean"]`},
		{"none is set, and one is empty", orNone, `0`, ``, `["clean"]`},
		{"one is set", orNone, `1`, `0`, `["x"]`},
		{"all are empty, which says nothing", orNone, `""`, `null`, nothing},
		{"a score is neither", flags, `0.66`, `0`, `InvalidLabels: the field "x" is none of 0, 1, true, false, yes, no and nothing`},
		{"-1 is neither", flags, `0`, `-1`, `InvalidLabels: the field "y" is none of 0, 1, true, false, yes, no and nothing`},
		{"people write yes and no", flags, `"yes"`, `"No "`, `["x"]`},
		{"another word is neither", flags, `"maybe"`, `1`, `InvalidLabels: the field "x" is none of 0, 1, true, false, yes, no and nothing`},
		{"a list is neither", flags, `[1]`, `1`, `InvalidLabels: the field "x" is none of 0, 1, true, false, yes, no and nothing`},
		{"one of several, as of get_dummies", LabelMapping{Fields: []string{"x", "y"}, Type: SingleLabel}, `false`, `true`, `"y"`},
		{"not two of them", LabelMapping{Fields: []string{"x", "y"}, Type: SingleLabel}, `1`, `1`,
			`SeveralLabels: there are 2 labels in the fields of the target "t"; a target of the type SingleLabel takes one`},
		{"other names", LabelMapping{Fields: []string{"x", "y"}, Names: map[string]string{"x": "toxic"}}, `1`, `1`, `["toxic","y"]`},
	} {
		t.Run(test.reason, func(t *testing.T) {
			record := `{"text":"a","x":` + test.x
			if test.y != "" {
				record += `,"y":` + test.y
			}
			first := `{"text":"first","x":1,"y":0}` // has both fields
			want := `{"text":"a","labels":{"t":` + test.want + `}}`
			if strings.Contains(test.want, ": ") {
				want = "part p, line 2: " + test.want
			}
			got := readMapped(Options{Mapping: labelled(test.mapping)}, DefaultLimits(), namedPart{"p", first + "\n" + record + "}"})
			if len(got) != 2 || got[1] != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestMappedRecords maps whole records.
func TestMappedRecords(t *testing.T) {
	oneOf := func(text, label string) *Mapping {
		return &Mapping{Text: text, Labels: []LabelMapping{{Target: "t", Field: label}}}
	}
	chat := func(label LabelMapping) *Mapping {
		label.Target = "t"
		return &Mapping{Messages: "messages", Labels: []LabelMapping{label}}
	}
	lastMessage := chat(LabelMapping{LastMessage: true})
	two := &Mapping{Text: "text", Labels: []LabelMapping{{Target: "a", Field: "a"}, {Target: "b", Field: "b", Type: MultiLabel}}}
	prodigy := &Mapping{Text: "text", Labels: []LabelMapping{{Target: "t", Field: "accept"}}, Filters: []RecordFilter{{Field: "answer", Values: []string{"accept"}}}}
	filtered := func(values ...string) *Mapping {
		return &Mapping{Text: "text", Labels: []LabelMapping{{Target: "t", Field: "v"}}, Filters: []RecordFilter{{Field: "f", Values: values}}}
	}
	for _, test := range []struct {
		reason  string
		mapping *Mapping
		records string
		want    []string
	}{
		{"the text stays as it is written", oneOf("text", "label"), `{ "label" : "x" , "text" : "\u0061\/é" }`, []string{`{"text":"\u0061\/é","labels":{"t":"x"}}`}},
		{"dots lead into objects", oneOf("data.text", "data.meta.label"), `{"data":{"text":"a","meta":{"label":"x"},"label":"y"}}`, []string{`{"text":"a","labels":{"t":"x"}}`}},
		{"a key that has the dot goes before", oneOf("data.text", "label"), `{"data.text":"a","data":{"text":"b"},"label":"x"}`, []string{`{"text":"a","labels":{"t":"x"}}`}},
		{"so it does behind", oneOf("data.text", "label"), `{"data":{"text":"b"},"data.text":"a","label":"x"}`, []string{`{"text":"a","labels":{"t":"x"}}`}},
		{"and within", oneOf("a.b.c", "label"), `{"a":{"b":{"c":"1"},"b.c":"2"},"label":"x"}`, []string{`{"text":"2","labels":{"t":"x"}}`}},
		{"and with more of the dots first", oneOf("a.b.c", "label"), `{"a":{"b.c":"1"},"a.b":{"c":"2"},"label":"x"}`, []string{`{"text":"2","labels":{"t":"x"}}`}},
		{"an object and what is in it", &Mapping{Text: "v.text", Labels: []LabelMapping{{Target: "t", Field: "v"}}}, `{"v":{"text":"a","choices":["x"]}}`, []string{`{"text":"a","labels":{"t":["x"]}}`}},
		{"Argilla has both", oneOf("text", "label.responses"), `{"text":"a","label":"y","label.suggestion":"z","label.responses":["x"]}`, []string{`{"text":"a","labels":{"t":["x"]}}`}},
		{"one field for two targets", &Mapping{Text: "text", Labels: []LabelMapping{{Target: "a", Field: "v"}, {Target: "b", Field: "v", Type: MultiLabel}}}, `{"text":"a","v":"x"}`,
			[]string{`{"text":"a","labels":{"a":"x","b":["x"]}}`}},
		{"targets of which one is not labelled", two, `{"text":"a","a":"x","b":null}` + "\n" + `{"text":"b","b":"y"}`,
			[]string{`{"text":"a","labels":{"a":"x"}}`, `{"text":"b","labels":{"b":["y"]}}`}},
		{"targets of which none is labelled", two, `{"text":"a","a":"x","b":"y"}` + "\n" + `{"text":"b","a":""}`,
			[]string{`{"text":"a","labels":{"a":"x","b":["y"]}}`, `part p, line 2: MissingLabels: the record has no label in the field "a", the field "b"`}},
		{"a text that is missing", oneOf("text", "label"), `{"text":"a","label":"x"}` + "\n" + `{"label":"x"}`,
			[]string{`{"text":"a","labels":{"t":"x"}}`, `part p, line 2: MissingInput: the record has no field "text", in which its text would be`}},
		{"a text that is null", oneOf("body", "label"), `{"body":null,"label":"x"}`, []string{`part p, line 1: MissingInput: the field "body", in which the text would be, is null`}},
		{"a text that is a number", oneOf("body", "label"), `{"body":7,"label":"x"}`, []string{`part p, line 1: InvalidText: the field "body", in which the text would be, is not a string`}},
		{"a text that is empty", oneOf("body", "label"), `{"body":"","label":"x"}`, []string{`part p, line 1: EmptyText: the field "body", in which the text would be, is empty`}},
		{"no object", oneOf("text", "label"), `{"text":"a","label":"x"}` + "\n" + `["a","x"]`, []string{`{"text":"a","labels":{"t":"x"}}`, `part p, line 2, byte 1: NotAnObject: the record is not an object`}},
		{"no JSON, with its byte", oneOf("text", "label"), `{"text":"a","label":NaN}`, []string{`part p, line 1, byte 21: InvalidJSON: a value is missing, or is not JSON`}},
		{"an object that breaks off", oneOf("data.text", "label"), `{"data":{"text":"a","label":"x"` + "\n" + `{"data":{"text":"a"},"label":"x"}`,
			[]string{`part p, line 1, byte 32: InvalidJSON: neither a comma nor the object's end follows a value`, `{"text":"a","labels":{"t":"x"}}`}},
		{"a key twice", oneOf("text", "label"), `{"text":"a","label":"x","label":"y"}`, []string{`part p, line 1, byte 32: DuplicateKey: an object has a key twice`}},
		{"a field that no record has", oneOf("text", "lable"), `{"id":1,"text":"a","label":"x","more":2}` + "\n" + `{"text":"b","label":"y"}`,
			[]string{`part p, line 1: MissingLabels: the record has no label in the field "lable"`, `part p, line 2: MissingLabels: the record has no label in the field "lable"`,
				`MissingField: no record has the field "lable", which mapping names; the first has "id", "text", "label" and more`}},
		{"a field that one record has", two, `{"text":"a","a":"x"}` + "\n" + `{"text":"b","a":"y","b":null}`, []string{`{"text":"a","labels":{"a":"x"}}`, `{"text":"b","labels":{"a":"y"}}`}},

		{"a conversation", chat(LabelMapping{Field: "label"}), `{"label":"x","messages":[ {"role":"user","content":"a"} ]}`,
			[]string{`{"messages":[ {"role":"user","content":"a"} ],"labels":{"t":"x"}}`}},
		{"a conversation as JSON in a cell", chat(LabelMapping{Field: "label"}), `{"label":"x","messages":"[{\"role\":\"user\",\"content\":\"a\"}]"}`,
			[]string{`{"messages":[{"role":"user","content":"a"}],"labels":{"t":"x"}}`}},
		{"a cell with more than a conversation", chat(LabelMapping{Field: "label"}), `{"label":"x","messages":"[{\"role\":\"user\",\"content\":\"a\"}],\"text\":\"b\""}`,
			[]string{`part p, line 1: InvalidJSON: the field "messages": something follows the row's object, such as a comma or another row`}},
		{"a bad message is said by the field", chat(LabelMapping{Field: "label"}), `{"label":"x","messages":[{"role":"bot","content":"a"}]}`,
			[]string{`part p, line 1: InvalidRole: the field "messages": a message's role is not system, user, assistant or tool; system is what newer data calls developer, which a mapping reads`}},
		{"no messages", chat(LabelMapping{Field: "label"}), `{"label":"x","messages":null}`, []string{`part p, line 1: MissingInput: the field "messages", in which the messages would be, is null`}},
		{"a text for messages", chat(LabelMapping{Field: "label"}), `{"label":"x","messages":{"role":"user"}}`,
			[]string{`part p, line 1: InvalidMessages: the field "messages": it is not a list of messages`}},

		{"the last message", lastMessage, `{"messages":[{"role":"system","content":"Classify."}, {"role":"user","content":"a"} , {"role":"assistant","content":"x"}]}`,
			[]string{`{"messages":[{"role":"system","content":"Classify."}, {"role":"user","content":"a"}],"labels":{"t":"x"}}`}},
		{"the last message in chunks", lastMessage, `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"text","text":"x\ty"}]}]}`,
			[]string{`{"messages":[{"role":"user","content":"a"}],"labels":{"t":"x\ty"}}`}},
		{"the last message, by its name", chat(LabelMapping{LastMessage: true, Type: MultiLabel, Names: map[string]string{"A": "track"}}), `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"A"}]}`,
			[]string{`{"messages":[{"role":"user","content":"a"}],"labels":{"t":["track"]}}`}},
		{"the last message is the user's", lastMessage, `{"messages":[{"role":"assistant","content":"a"},{"role":"user","content":"x"}]}`,
			[]string{`part p, line 1: InvalidRole: the field "messages": the last message, which is the label, is not the assistant's`}},
		{"the last message is the only one", lastMessage, `{"messages":[{"role":"assistant","content":"x"}]}`,
			[]string{`part p, line 1: EmptyMessages: the field "messages": there is no message besides the last, which is the label`}},
		{"the last message calls a tool", lastMessage, `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":null}]}`,
			[]string{`part p, line 1: MissingLabels: the record has no label in the last message`}},
		{"the label is that of its own record", lastMessage, `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"x"}]}` + "\n" + `{"messages":"no"}`,
			[]string{`{"messages":[{"role":"user","content":"a"}],"labels":{"t":"x"}}`, `part p, line 2: InvalidMessages: the field "messages": it is not a list of messages`}},

		{"a filter counts what it leaves out", prodigy, `{"text":"a","accept":["x"],"answer":"accept"}` + "\n" + `{"text":"b","accept":[],"answer":"reject"}` + "\n" + `{"text":"c"}` + "\n" + `{"text":"d","accept":["y"],"answer":"accept"}`,
			[]string{`{"text":"a","labels":{"t":["x"]}}`, "filtered", "filtered", `{"text":"d","labels":{"t":["y"]}}`}},
		{"a filter does not hide what is no JSON", prodigy, `{"text":"a","accept":["x"],"answer":"accept"}` + "\n" + `{"answer":"reject",}`,
			[]string{`{"text":"a","labels":{"t":["x"]}}`, `part p, line 2, byte 20: InvalidJSON: an object's key is not a string`}},
		{"a filter by a number", filtered("1"), `{"text":"a","v":"x","f":1.0}` + "\n" + `{"text":"a","v":"x","f":"1"}` + "\n" + `{"text":"a","v":"x","f":10}`,
			[]string{`{"text":"a","labels":{"t":"x"}}`, `{"text":"a","labels":{"t":"x"}}`, "filtered"}},
		{"a filter by a boolean", filtered("true"), `{"text":"a","v":"x","f":true}` + "\n" + `{"text":"a","v":"x","f":"True"}` + "\n" + `{"text":"a","v":"x","f":false}`,
			[]string{`{"text":"a","labels":{"t":"x"}}`, `{"text":"a","labels":{"t":"x"}}`, "filtered"}},
		{"a filter by an element of a list", filtered("gold", "silver"), `{"text":"a","v":"x","f":["tin",{"a":"gold"},"silver"]}` + "\n" + `{"text":"a","v":"x","f":["tin",null]}`,
			[]string{`{"text":"a","labels":{"t":"x"}}`, "filtered"}},
		{"null and objects are no value", filtered("null", ""), `{"text":"a","v":"x","f":null}` + "\n" + `{"text":"a","v":"x","f":{"a":""}}` + "\n" + `{"text":"a","v":"x","f":""}`,
			[]string{"filtered", "filtered", `{"text":"a","labels":{"t":"x"}}`}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := readMapped(Options{Mapping: test.mapping}, DefaultLimits(), namedPart{"p", test.records}); !slices.Equal(got, test.want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(test.want, "\n     "))
			}
		})
	}
}

// TestMappedCSV maps records of CSV.
func TestMappedCSV(t *testing.T) {
	mapping := labelled(LabelMapping{Field: "v"})
	const x = `{"text":"a","labels":{"t":"x"}}`
	for _, test := range []struct {
		reason  string
		options Options
		parts   []string
		want    []string
	}{
		{"an index, and columns that say nothing", Options{Mapping: mapping}, []string{",text,v,note\n0,a,x,\n"}, []string{x}},
		{"with another delimiter", Options{Mapping: mapping, CSV: &CSVOptions{Delimiter: ';'}}, []string{"v;text\nx;a\n"}, []string{x}},
		{"with tabs", Options{Mapping: mapping, CSV: &CSVOptions{Delimiter: '\t'}}, []string{"v\ttext\nx\ta\n"}, []string{x}},
		{"of the format CSV", Options{Mapping: mapping, Format: FormatCSV}, []string{"{,text,v\n0,a,x\n"}, []string{x}},
		{"columns in another order", Options{Mapping: mapping}, []string{"v,text\nx,a\n", "text,v\na,x\n"}, []string{x, x}},
		{"beside JSON Lines", Options{Mapping: mapping}, []string{"v,text\nx,a\n", `{"v":"x","text":"a"}`}, []string{x, x}},
		{"a column with a dot", Options{Mapping: labelled(LabelMapping{Field: "v.w"})}, []string{"v,v.w,text\ny,x,a\n"}, []string{x}},
		{"a header that is repeated", Options{Mapping: mapping}, []string{"v,text\nx,a\nv,text\nx,a\n"}, []string{x, x}},
		{"a cell with quotes, delimiters and lines", Options{Mapping: mapping}, []string{"v,text\n\"x,\"\"y\n\",a\n"}, []string{`{"text":"a","labels":{"t":"x,\"y\n"}}`}},
		{"a missing column", Options{Mapping: mapping}, []string{"value,text\nx,a\n"},
			[]string{`part a, line 1: MissingColumn: the first record, which has to be the header and has 2 fields between commas, has no column "v"`}},
		{"a column twice", Options{Mapping: mapping}, []string{"v,text,v\nx,a,y\n"}, []string{`part a, line 1: DuplicateColumn: the header has the column "v" twice`}},
		{"an empty cell", Options{Mapping: mapping}, []string{"v,text\n,a\nx,a\nx,\n"},
			[]string{`part a, line 2: MissingLabels: the record has no label in the field "v"`, x, `part a, line 4: EmptyText: the field "text", in which the text would be, is empty`}},
		{"a field less", Options{Mapping: mapping}, []string{"v,text\nx\n"}, []string{"part a, line 2: RaggedRow: the record has 1 fields, the header has 2"}},
		{"Latin-1", Options{Mapping: mapping}, []string{"v,text\nx,caf\xE9\n"}, []string{"part a, line 2: InvalidUTF8: a string is not UTF-8"}},
		{"filters", Options{Mapping: &Mapping{Text: "text", Labels: mapping.Labels, Filters: []RecordFilter{{Field: "ok", Values: []string{"1"}}}}},
			[]string{"v,text,ok\nx,a,1\nx,a,0\n"}, []string{x, "filtered"}},
		{"a list of labels", Options{Mapping: labelled(LabelMapping{Field: "v", Type: MultiLabel})}, []string{"v,text\n\"[\"\"x\"\",\"\"y\"\"]\",a\n"},
			[]string{`{"text":"a","labels":{"t":["x","y"]}}`}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var parts []namedPart
			for i, text := range test.parts {
				parts = append(parts, namedPart{string(rune('a' + i)), text})
			}
			if got := readMapped(test.options, DefaultLimits(), parts...); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestFoldersAreFields holds that what Hive and Spark say by folders is read.
func TestFoldersAreFields(t *testing.T) {
	mapping := labelled(LabelMapping{Field: "intent"})
	record := `{"text":"a"}`
	for _, test := range []struct {
		reason  string
		mapping *Mapping
		part    namedPart
		want    []string
	}{
		{"a folder", mapping, namedPart{"intent=refund/part-0.jsonl", record}, []string{`{"text":"a","labels":{"t":"refund"}}`}},
		{"of several", mapping, namedPart{"day=2026-01-01/intent=refund/hour=7/part-0.jsonl", record}, []string{`{"text":"a","labels":{"t":"refund"}}`}},
		{"escaped", mapping, namedPart{"int%65nt=caf%C3%A9%2F100%25/p.jsonl", record}, []string{`{"text":"a","labels":{"t":"café/100%"}}`}},
		{"with = in the value", mapping, namedPart{"intent=a=b/p.jsonl", record}, []string{`{"text":"a","labels":{"t":"a=b"}}`}},
		{"not escaped", mapping, namedPart{"intent=100%/p.jsonl", record}, []string{`{"text":"a","labels":{"t":"100%"}}`}},
		{"null", mapping, namedPart{"intent=__HIVE_DEFAULT_PARTITION__/p.jsonl", record}, []string{`part intent=__HIVE_DEFAULT_PARTITION__/p.jsonl, line 1: MissingLabels: the record has no label in the field "intent"`}},
		{"a record's own goes before", mapping, namedPart{"intent=refund/p.jsonl", `{"text":"a","intent":"track"}`}, []string{`{"text":"a","labels":{"t":"track"}}`}},
		{"a number, by its name", labelled(LabelMapping{Field: "intent", Names: map[string]string{"0": "refund"}}), namedPart{"intent=0/p.jsonl", record}, []string{`{"text":"a","labels":{"t":"refund"}}`}},
		{"CSV", mapping, namedPart{"intent=refund/p.csv", "id,text\n1,a\n"}, []string{`{"text":"a","labels":{"t":"refund"}}`}},
		{"CSV whose column goes before", mapping, namedPart{"intent=refund/p.csv", "text,intent\na,track\n"}, []string{`{"text":"a","labels":{"t":"track"}}`}},
		{"the name of a file is no folder", mapping, namedPart{"intent=refund", record},
			[]string{`part intent=refund, line 1: MissingLabels: the record has no label in the field "intent"`, `MissingField: no record has the field "intent", which mapping names; the first has "text"`}},
		{"without a mapping it is said", nil, namedPart{"day=1/intent=refund/p.jsonl", record},
			[]string{`part day=1/intent=refund/p.jsonl, line 1: MissingLabels: the row has no labels; its folder has the field "intent", which mapping can read as labels`}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := readMapped(Options{Mapping: test.mapping}, DefaultLimits(), test.part); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	two := []namedPart{{"intent=refund/p", record}, {"intent=track/p", record}, {"p", record}}
	want := []string{`{"text":"a","labels":{"t":"refund"}}`, `{"text":"a","labels":{"t":"track"}}`, `part p, line 1: MissingLabels: the record has no label in the field "intent"`}
	if got := readMapped(Options{Mapping: mapping}, DefaultLimits(), two...); !slices.Equal(got, want) {
		t.Errorf("a folder is of its own part: got %q, want %q", got, want)
	}
}

// TestFoldersAreTold holds that rows without labels are told of those in their folders.
func TestFoldersAreTold(t *testing.T) {
	for _, row := range []string{`{"text":"a"}`, `{"text":"a","id":1}`} {
		got := readMapped(Options{}, DefaultLimits(), namedPart{"topic=x/part-0.json", row})
		if want := `; its folder has the field "topic", which mapping can read as labels`; len(got) != 1 || !strings.HasSuffix(got[0], want) {
			t.Errorf("%s: got %q", row, got)
		}
	}
}

// TestFilteredRecordsAreCounted holds that every record is valid, invalid or filtered.
func TestFilteredRecordsAreCounted(t *testing.T) {
	mapping := labelled(LabelMapping{Field: "v"})
	mapping.Filters = []RecordFilter{{Field: "ok", Values: []string{"1"}}}
	const rejected = `{"ok":0}` + "\n"
	valid := `{"text":"a","v":"x","ok":1}` + "\n" + `{"text":"b","v":"y","ok":1}` + "\n"
	for _, test := range []struct {
		reason, records                      string
		wantValid, wantInvalid, wantFiltered int
		wantProblem                          string
	}{
		{"valid ones and others", valid + rejected + valid + rejected, 4, 0, 2, ""},
		{"an invalid one", valid + rejected + `{"text":"a","ok":1}` + "\n", 2, 1, 1, "TooManyInvalid: 1 of 3 samples are invalid; at most 0 may be"},
		{"nothing else", rejected + `{"text":"a","v":"x","ok":2}`, 0, 0, 2, "NoSamples: there is no valid sample; the filters leave out 2 records"},
	} {
		reader := NewPartsReader(&namedParts{[]namedPart{{"p", test.records}}}, Options{Mapping: mapping}, &memoryScratch{}, DefaultLimits())
		prepared, err := Prepare(context.Background(), reader, Preparation{}, &memoryScratch{}, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		report, problem := &prepared.Report, ""
		if report.Problem != nil {
			problem = report.Problem.Error()
		}
		if report.Samples != test.wantValid || report.Invalid != test.wantInvalid || report.Filtered != test.wantFiltered || problem != test.wantProblem {
			t.Errorf("%s: %d are valid, %d invalid, %d filtered, %q", test.reason, report.Samples, report.Invalid, report.Filtered, problem)
		}
	}
}

// TestMappingHasLimits holds that a mapped record is bounded as a row is.
func TestMappingHasLimits(t *testing.T) {
	limits := tightLimits()
	many := make([]string, 21)
	for i := range many {
		many[i] = fmt.Sprintf(`"%d"`, i)
	}
	long := &Mapping{Text: "text", Labels: []LabelMapping{{Target: "a target with a long name", Field: "v"}}}
	want := "part p, line 1: NameTooLong: the name of a target or a label has more than 16 bytes"
	if got := readMapped(Options{Mapping: long}, limits, namedPart{"p", `{"text":"a","v":"x"}`}); !slices.Equal(got, []string{want}) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, test := range []struct {
		reason, record, want string
	}{
		{"nesting", `{"v":"x","text":"a","deep":[[[[[[1]]]]]]}`, `part p, line 1, byte 33: NestingTooDeep: objects and arrays are nested more than 6 deep`},
		{"labels", `{"text":"a","v":[` + strings.Join(many, ",") + `]}`, `part p, line 1: TooManyLabels: there are more than 20 labels in the field "v"`},
		{"names", `{"text":"a","v":"` + strings.Repeat("x", 17) + `"}`, `part p, line 1: NameTooLong: a label in the field "v" has more than 16 bytes`},
		{"a line", `{"text":"` + strings.Repeat("x", 600) + `","v":"x"}`, `part p, line 1: LineTooLong: the row has more than 512 bytes`},
		{"the row that it makes", `{"v":"x","text":"` + strings.Repeat("x", 490) + `"}`, `part p, line 1: LineTooLong: as a row of the protocol the record has more than 512 bytes`},
	} {
		if got := readMapped(Options{Mapping: labelled(LabelMapping{Field: "v"})}, limits, namedPart{"p", test.record}); len(got) == 0 || got[0] != test.want {
			t.Errorf("%s: got %q, want %q", test.reason, got, test.want)
		}
	}
}

// TestMappingNamesColumns holds which columns of a table have to be read.
func TestMappingNamesColumns(t *testing.T) {
	mapping := &Mapping{Text: "data.text", Labels: []LabelMapping{{Field: "label"}, {Fields: []string{"x", "a.b.c"}}}, Filters: []RecordFilter{{Field: "label"}}}
	if got, want := mapping.columns(), []string{"a", "a.b", "a.b.c", "data", "data.text", "label", "x"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestMappingFindsTheLabelsThatWerePutIn maps any flat record.
func TestMappingFindsTheLabelsThatWerePutIn(t *testing.T) {
	text := rapid.StringMatching(`[a-zA-Zé€😀][a-zA-Z "\\\n\té€😀]{0,19}`)
	name := rapid.StringMatching(`[a-z."é]{1,6}`)
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.SliceOfNDistinct(name, 3, 8, rapid.ID[string]).Draw(t, "fields")
		mapping := &Mapping{Text: fields[0]}
		for i, field := range fields[1:rapid.IntRange(2, len(fields)).Draw(t, "mapped")] {
			mapping.Labels = append(mapping.Labels, LabelMapping{Target: fmt.Sprint("target ", i), Field: field})
		}
		asCSV := rapid.Bool().Draw(t, "as CSV")
		var records bytes.Buffer
		if asCSV {
			records.WriteString(csvLine(fields))
		}
		var want []string
		for range rapid.IntRange(1, 5).Draw(t, "records") {
			values := make([]string, len(fields))
			for i := range values {
				values[i] = text.Draw(t, "value")
			}
			labels := ""
			for i, label := range mapping.Labels {
				labels += fmt.Sprintf(" %q: %q", label.Target, values[i+1])
			}
			want = append(want, fmt.Sprintf("%q%s", values[0], labels))
			if asCSV {
				records.WriteString(csvLine(values))
				continue
			}
			for i, value := range rapid.Permutation(fields).Draw(t, "order") {
				records.WriteString(map[bool]string{true: "{", false: ", "}[i == 0])
				records.Write(appendQuoted(nil, []byte(value)))
				records.WriteByte(':')
				records.Write(appendQuoted(nil, []byte(values[slices.Index(fields, value)])))
			}
			records.WriteString("}\n")
		}
		var got []string
		reader := NewPartsReader(&namedParts{[]namedPart{{"p", records.String()}}}, Options{Mapping: mapping, Format: map[bool]Format{true: FormatCSV}[asCSV]}, &memoryScratch{}, DefaultLimits())
		for sample := (Sample{}); ; {
			err := reader.Read(&sample)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			labels := ""
			for _, target := range sample.Labels {
				labels += fmt.Sprintf(" %q: %q", target.Target, target.Labels[0])
			}
			got = append(got, fmt.Sprintf("%q%s", sample.Text, labels))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("of %q got %q, want %q", records.String(), got, want)
		}
	})
}

// FuzzMapping holds that whatever records have, what is made of them are rows of the
// protocol, and that no record is lost.
func FuzzMapping(f *testing.F) {
	f.Add([]byte(`{"text":"a","label":"x","id":1}`+"\n"+`{"text":"b","label":["x",1.0,true],"a.b":0,"a":{"b":"1"}}`), uint8(0))
	f.Add([]byte("text,label,a.b\na,x|y,1\n\"b\",\"{\"\"choices\"\":[\"\"x\"\"]}\",0\n"), uint8(1))
	f.Add([]byte(`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"x"}]}`), uint8(2))
	f.Add([]byte(`{"messages":"[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":[]}]","a":{"b":true},"label":null}`), uint8(2))
	f.Add([]byte(`{"text":"a","label":"[\"x\",\"y\"]","answer":"accept"}`+"\n"+`{"text":"a","label":"[x","answer":["no","accept"]}`), uint8(3))
	f.Add([]byte(`{"text":"a","label":1e5,"answer":1}`+"\n"+`{"text":"a","label":-0.00,"answer":null}`), uint8(4))
	f.Add([]byte("{\xCF\n\x8B"), uint8(0)) // is refused as a whole
	f.Add([]byte("{\n\"\"E00}"), uint8(1)) // is one object over two lines
	mappings := []*Mapping{
		{Text: "text", Labels: []LabelMapping{{Target: "t", Field: "label"}, {Target: "u", Fields: []string{"a.b", "id"}, None: "none"}}},
		{Text: "text", Labels: []LabelMapping{{Target: "t", Field: "label", Separator: "|", Names: map[string]string{"1": "one", "x": "\"\n"}}, {Target: "u\"", Field: "a.b"}}},
		{Messages: "messages", Labels: []LabelMapping{{Target: "t", LastMessage: true}, {Target: "u", Field: "label", Type: SingleLabel}, {Target: "v", Fields: []string{"a.b", "a"}}}},
		{Text: "text", Labels: []LabelMapping{{Target: "t", Field: "label", Type: MultiLabel}}, Filters: []RecordFilter{{Field: "answer", Values: []string{"accept", "1"}}}},
		{Text: "text", Labels: []LabelMapping{{Target: "t", Field: "label", Type: SingleLabel}, {Target: "u", Field: "answer"}}},
	}
	f.Fuzz(func(t *testing.T, data []byte, which uint8) {
		limits := tightLimits()
		options := Options{Mapping: mappings[int(which)%len(mappings)]}
		said := readMapped(options, limits, namedPart{"p", string(data)})
		for _, row := range said {
			if row[0] != '{' {
				continue // which is said of a record
			}
			var sample Sample
			decoder := newDecoder(limits)
			if !decoder.decode([]byte(row), &sample) {
				t.Errorf("%q is no row: %v", row, decoder.problem)
			}
			if reference, ok := decodeReference([]byte(row), limits); !ok || len(reference.Labels) != len(sample.Labels) {
				t.Errorf("%q is no row", row)
			}
		}
		if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n\xEF\xBB\xBF"), []byte("{")) {
			return
		}
		options.Format = FormatJSONL // as the reference
		said, refusal := readUntilRefused(options, limits, namedPart{"p", string(data)})
		if problem, refused := errors.AsType[*InvalidDatasetError](refusal); refused && problem.Reason != MissingField {
			return // the data is not what the reference takes it for
		}
		valid, invalid, _ := readRows(bytes.NewReader(data), limits)
		if want := len(valid) + len(invalid); len(said) != want {
			t.Errorf("%d records were read of %d: %q", len(said), want, said)
		}
	})
}
