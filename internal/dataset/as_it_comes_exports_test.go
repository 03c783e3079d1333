package dataset

import (
	"encoding/binary"
	"strings"
	"testing"
)

// byField is a mapping of a text and one target.
func byField(text, label string) Options {
	return Options{Mapping: &Mapping{Text: text, Labels: []LabelMapping{{Target: "topic", Field: label}}}}
}

// exportsAsTheyCome are of label tools, spreadsheets and databases.
func exportsAsTheyCome() []comes {
	flat := byField("text", "label")
	tabs := flat
	tabs.CSV = &CSVOptions{Delimiter: '\t'}
	semicolons := flat
	semicolons.CSV = &CSVOptions{Delimiter: ';'}
	scores := Options{Mapping: &Mapping{Text: "text", Labels: []LabelMapping{{Target: "topic", Fields: []string{"cats.x", "cats.y"}}}}}
	chat := Options{Mapping: &Mapping{Messages: "messages", Labels: []LabelMapping{{Target: "topic", LastMessage: true}}}}
	labelledChat := Options{Mapping: &Mapping{Messages: "messages", Labels: []LabelMapping{{Target: "topic", Field: "label"}}}}
	lines := func(lines ...string) []string { return []string{strings.Join(lines, "\n") + "\n"} }
	return []comes{
		{reason: "Label Studio's full JSON, whose answers lie too deep", options: byField("data.text", "annotations"), parts: lines(`[{"id":1,"data":{"text":"a"},"annotations":[{"id":7,"result":[{"value":{"choices":["x"]},"type":"choices"}],"was_cancelled":false}]}]`), rows: 1, invalid: []string{"line 1: InvalidLabels"}},
		{reason: "Label Studio's full JSON, with a path through its lists", options: byField("data.text", "annotations.result.value.choices"), parts: lines(`[{"id":1,"data":{"text":"a"},"annotations":[{"result":[{"value":{"choices":["x"]}}]}]}]`),
			invalid: []string{"line 1: MissingLabels"}, fault: `MissingField: no record has the field "annotations.result.value.choices"`},
		{reason: "Label Studio's CSV, with several choices in a cell", options: flat, parts: lines("id,text,label,annotator", `1,a,"{""choices"":[""x"",""y""]}",7`), rows: 1, want: []string{"a > topic=[x|y]"}},
		{reason: "Label Studio's TSV, with a tab in a text", options: tabs, parts: lines("text\tlabel", "a\tx", "\"b\tc\"\ty"), rows: 2, want: []string{"a > topic=x", "b\tc > topic=y"}},
		{reason: "Prodigy's spans, which are no labels", options: flat, parts: lines(`{"text":"a b","tokens":[],"spans":[{"start":0,"end":1,"label":"PER"}],"answer":"accept"}`),
			invalid: []string{"line 1: MissingLabels"}, fault: `MissingField: no record has the field "label"`},
		{reason: "Prodigy, where nothing was chosen", options: byField("text", "accept"), parts: lines(`{"text":"a","options":[{"id":"x","text":"X"}],"accept":null}`), rows: 1, invalid: []string{"line 1: MissingLabels"}},
		{reason: "doccano's sequence labelling", options: flat, parts: lines(`{"id":1,"text":"a","label":[[0,1,"PER"]]}`), rows: 1, invalid: []string{"line 1: InvalidLabels"}},
		{reason: "doccano's CSV, with a row that nobody has labelled", options: flat, parts: lines("id,text,label", "1,a,x", "2,b,"), rows: 2, want: []string{"a > topic=x"}, invalid: []string{"line 3: MissingLabels"}},
		{reason: "doccano's joint project", options: byField("text", "cats"), parts: lines(`{"id":1,"text":"a","cats":["x"],"entities":[]}`), rows: 1, want: []string{"a > topic=[x]"}},
		{reason: "Argilla's first version", options: byField("inputs.text", "annotation"), parts: lines(`{"inputs":{"text":"a"},"prediction":[["x",0.9]],"annotation":"x","status":"Validated"}`, `{"inputs":{"text":"b"},"annotation":null,"status":"Default"}`), rows: 2, want: []string{"a > topic=x"}, invalid: []string{"line 2: MissingLabels"}},
		{reason: "Argilla's second version, with responses as objects", options: byField("fields.text", "responses"), parts: lines(`{"fields":{"text":"a"},"responses":{"label":[{"value":"x","user_id":"u"}]}}`), rows: 1, invalid: []string{"line 1: InvalidLabels"}},
		{reason: "CVAT's XML", parts: lines(`<?xml version="1.0" encoding="utf-8"?>`, "<annotations><version>1.1</version></annotations>"), fault: "UnsupportedFormat: XML"},
		{reason: "COCO, as of CVAT", parts: lines(`{"images":[{"id":1}],"annotations":[{"id":1,"category_id":3}],"categories":[{"id":3,"name":"x"}]}`), fault: "UnsupportedLayout: rows in its field"},
		{reason: "Snorkel's numbers, with one that abstains, which is warned of", options: flat, parts: lines("text,label", "a,-1", "b,0"), rows: 2, want: []string{"a > topic=-1", "b > topic=0"}},
		{reason: "Rasa's JSON, a row a line", options: byField("text", "intent"), parts: lines(`{"text":"Hi","intent":"greet","entities":[]}`), rows: 1, want: []string{"Hi > topic=greet"}},
		{reason: "Rasa's Markdown of old", parts: lines("## intent:greet", "- hi", "- hello"), fault: "UnsupportedFormat: text of which nothing tells the labels"},
		{reason: "Rasa's YAML without a version", parts: lines("nlu:", "- intent: greet", "  examples: |", "    - hi"), fault: "UnsupportedFormat: training data of Rasa"},
		{reason: "LUIS", parts: lines(`{"luis_schema_version":"7.0.0","intents":[{"name":"greet"}],"entities":[],"utterances":[{"text":"Hi","intent":"greet","entities":[]}]}`), fault: "UnsupportedLayout: jq -c '.utterances[]' FILE"},
		{reason: "LUIS in its own language", parts: lines("# greet", "- hi", "- hello"), fault: "UnsupportedFormat: text of which nothing tells the labels"},
		{reason: "Dialogflow ES, with texts in pieces", options: byField("data.text", "intent"), parts: lines(`[{"id":"1","data":[{"text":"Hi "},{"text":"you"}],"isTemplate":false}]`), invalid: []string{"line 1: MissingInput"}, fault: `MissingField: no record has the field "data.text"`},
		{reason: "Dialogflow CX's CSV", options: byField("Training Phrase", "Intent Display Name"), parts: lines("Intent Display Name,Language,Training Phrase", `greet,en,"Hi, you"`), rows: 1, want: []string{"Hi, you > topic=greet"}},
		{reason: "spaCy's categories, of which one row has scores", options: scores, parts: lines(`{"text":"a","cats":{"x":1.0,"y":0.0}}`, `{"text":"b","cats":{"x":0.3,"y":0.7}}`), rows: 2, want: []string{"a > topic=[cats.x]"}, invalid: []string{"line 2: InvalidLabels"}},
		{reason: "spaCy's tuples", parts: lines(`[["a",{"cats":{"x":1.0}}],["b",{"cats":{"x":0.0}}]]`), fault: "UnsupportedLayout: an array of arrays"},
		{reason: "spaCy's categories as the field of the labels", options: byField("text", "cats"), parts: lines(`{"text":"a","cats":{"x":1.0,"y":0.0}}`), rows: 1, invalid: []string{"line 1: InvalidLabels"}},
		{reason: "pandas, with names in two rows", options: flat, parts: lines("text,label", ",", "a,x"), rows: 1, want: []string{"a > topic=x"}},
		{reason: "pandas, of columns of the same name", options: flat, parts: lines("text,label,label.1", "a,x,y"), rows: 1, want: []string{"a > topic=x"}},
		{reason: "two columns of the label's name", options: flat, parts: lines("text,label,label", "a,x,y"), fault: `DuplicateColumn: has the column "label" twice`},
		{reason: "two columns of a name that nobody reads", options: flat, parts: lines("text,label,note,note", "a,x,1,2"), rows: 1, want: []string{"a > topic=x"}},
		{reason: "pandas with an escapechar", options: flat, parts: lines("text,label", `a\, b,x`), rows: 1, invalid: []string{"line 2: RaggedRow"}},
		{reason: "Excel's formulas that keep zeros", options: flat, parts: lines("text,label", `"=""007""",="x"`), rows: 1, invalid: []string{"line 2: InvalidQuoting"}},
		{reason: "Excel's CSV UTF-8 with semicolons", options: semicolons, parts: []string{"\xEF\xBB\xBFtext;label\r\na;x\r\n"}, rows: 1, want: []string{"a > topic=x"}},
		{reason: "a line break within a cell of Excel", options: flat, parts: []string{"text,label\r\n\"a\nb\",x\r\n"}, rows: 1, want: []string{"a\nb > topic=x"}},
		{reason: "the end of a file of DOS, behind CSV", options: flat, parts: []string{"text,label\r\na,x\r\n\x1A"}, rows: 2, want: []string{"a > topic=x"}, invalid: []string{"line 3: RaggedRow"}},
		{reason: "Spark's CSV, with quotes escaped by a backslash", options: flat, parts: lines("text,label", `"say \"hi\", please",x`), rows: 1, invalid: []string{"line 2: InvalidQuoting"}},
		{reason: "Spark's CSV, with nothing in quotes", options: flat, parts: lines("text,label", `"",x`, `a,""`), rows: 2, invalid: []string{"line 2: EmptyText", "line 3: MissingLabels"}},
		{reason: "Spark's rows that it could not read itself", options: flat, parts: lines(`{"_corrupt_record":"{\"text\""}`, `{"text":"a","label":"x"}`), rows: 2, want: []string{"a > topic=x"}, invalid: []string{"line 1: MissingInput"}},
		{reason: "Spark's rows, which leave out what is null", options: flat, parts: lines(`{"text":"a"}`, `{"text":"b","label":"x"}`), rows: 2, want: []string{"b > topic=x"}, invalid: []string{"line 1: MissingLabels"}},
		{reason: "BigQuery's integers, as strings", options: flat, parts: lines(`{"text":"a","label":"3"}`), rows: 1, want: []string{"a > topic=3"}},
		{reason: "BigQuery's answers, of cells without names", options: flat, parts: lines(`{"f":[{"v":"a"},{"v":"x"}]}`), fault: "UnsupportedLayout: rows in its field"},
		{reason: "Snowflake's names in capitals", options: flat, parts: lines(`{"TEXT":"a","LABEL":"x"}`), invalid: []string{"line 1: MissingInput"}, fault: `MissingField: the first has "TEXT", "LABEL"`},
		{reason: "Snowflake's names in capitals, in CSV", options: flat, parts: lines("TEXT,LABEL", "a,x"), fault: `MissingColumn: it has "LABEL"`},
		{reason: "Redshift's UNLOAD, without a header", options: flat, parts: lines("a|x", "b|y"), fault: "MissingColumn: which has to be the header"},
		{reason: "Hive's text, with its own delimiter", options: flat, parts: []string{"a\x01x\nb\x01y\n"}, fault: "MissingColumn: which has to be the header"},
		{reason: "MongoDB's export", options: flat, parts: lines(`{"_id":{"$oid":"65"},"text":"a","label":"x","n":{"$numberLong":"1"}}`), rows: 1, want: []string{"a > topic=x"}},
		{reason: "MongoDB's numbers as labels", options: flat, parts: lines(`{"text":"a","label":{"$numberInt":"3"}}`), rows: 1, invalid: []string{"line 1: InvalidLabels"}},
		{reason: "the end of PostgreSQL's COPY", options: tabs, parts: lines("text\tlabel", "a\tx", `\.`), rows: 2, want: []string{"a > topic=x"}, invalid: []string{"line 3: RaggedRow"}},
		{reason: "line ends of Windows and of Unix", options: flat, parts: []string{"text,label\r\na,x\nb,y\r\n"}, rows: 2, want: []string{"a > topic=x", "b > topic=y"}},
		{reason: "line ends of Unicode, which end nothing", parts: []string{lateRow + "\u2028" + twiceRow + "\n"}, rows: 1, invalid: []string{"line 1: InvalidJSON"}},
		{reason: "UTF-16 with a part of UTF-8 behind it", options: flat, parts: []string{inUTF16(binary.LittleEndian, "\uFEFFtext,label\na,x\n") + "b,y\n"}, rows: 2, want: []string{"a > topic=x"}, invalid: []string{"line 3: RaggedRow"}},
		{reason: "EBCDIC", parts: []string{"\xC0\x7F\xA3\x85\xA7\xA3\x7F\x7A\x7F\x81\x7F\xD0\x25"}, fault: "UnsupportedFormat: no text, and of a kind that is not known"},
		{reason: "KOI8-R", parts: lines("{\"text\":\"\xD0\xCF\xD3\xD9\xCC\xCB\xC1\",\"labels\":{\"topic\":\"x\"}}", "{\"text\":\"\xD0\xCF\",\"labels\":{\"topic\":\"y\"}}"), fault: "UnsupportedEncoding: not in UTF-8"},
		{reason: "a row of more than 1 MiB", parts: lines(lateRow, `{"text":"`+strings.Repeat("a", 1<<20)+`","labels":{"topic":"x"}}`, twiceRow), rows: 3, want: both(), invalid: []string{"line 2: LineTooLong"}},
		{reason: "a cell of more than 1 MiB", options: flat, parts: lines("text,label", strings.Repeat("a", 1<<20)+",x", "b,y"), rows: 2, want: []string{"b > topic=y"}, invalid: []string{"line 2: LineTooLong"}},
		{reason: "a byte of 0 within a string", parts: lines("{\"text\":\"a\x00b\",\"labels\":{\"topic\":\"x\"}}", twiceRow), rows: 2, want: []string{twice}, invalid: []string{"line 1: InvalidJSON"}},
		{reason: "a text of a byte of 0", parts: lines(`{"text":"\u0000","labels":{"topic":"x"}}`, twiceRow), rows: 2, want: []string{twice}, invalid: []string{"line 1: EmptyText"}},
		{reason: "bytes of 0 between rows, as of a crash", parts: []string{lateRow + "\n\x00" + twiceRow + "\n"}, rows: 2, want: []string{late}, invalid: []string{"line 2: InvalidJSON"}},
		{reason: "a target twice", parts: lines(lateRow, `{"text":"a","labels":{"topic":"x","topic":"y"}}`), rows: 2, want: []string{late}, invalid: []string{"line 2: DuplicateKey"}},
		{reason: "a field twice, escaped", options: flat, parts: lines(`{"text":"a","label":"x","l\u0061bel":"y"}`), rows: 1, invalid: []string{"line 1: DuplicateKey"}},
		{reason: "a label in all ways to write a number", options: flat, parts: lines(`{"text":"a","label":1}`, `{"text":"b","label":1.0}`, `{"text":"c","label":"1"}`, `{"text":"d","label":1e0}`), rows: 4, want: []string{"a > topic=1", "b > topic=1", "c > topic=1", "d > topic=1"}},
		{reason: "a list of labels with a null", options: flat, parts: lines(`{"text":"a","label":["x",null]}`), rows: 1, invalid: []string{"line 1: InvalidLabels"}},
		{reason: "a number as text", options: flat, parts: lines(`{"text":12,"label":"x"}`), rows: 1, invalid: []string{"line 1: InvalidText"}},
		{reason: "a part whose fields have other names", options: flat, parts: []string{`{"text":"a","label":"x"}`, `{"sentence":"b","label":"y"}`}, rows: 2, want: []string{"a > topic=x"}, invalid: []string{"part b, line 1: MissingInput"}},
		{reason: "a part whose header is in another case", options: flat, parts: []string{"text,label\na,x\n", "Text,Label\nb,y\n"}, want: []string{"a > topic=x"}, fault: "DifferentHeader: Each part needs a header"},
		{reason: "a part with another delimiter", options: flat, parts: []string{"text,label\na,x\n", "text;label\nb;y\n"}, want: []string{"a > topic=x"}, fault: `WrongDelimiter: Set csv.delimiter to ";"`},
		{reason: "the role developer, escaped and twice", options: labelledChat, parts: lines(`{"messages":[{"content":"Say","role" : "d\u0065veloper"},{"role":"user","content":"Hi"},{"role":"developer","content":"x"}],"label":"x"}`), rows: 1, want: []string{"system: Say / user: Hi / system: x > topic=x"}},
		{reason: "the role developer, of the answer", options: chat, parts: lines(`{"messages":[{"role":"user","content":"Hi"},{"role":"developer","content":"x"}]}`), rows: 1, invalid: []string{"line 1: InvalidRole"}},
		{reason: "the role developer in rows of the protocol, which it does not know", parts: lines(`{"messages":[{"role":"developer","content":"Say"}],"labels":{"topic":"x"}}`), rows: 1, invalid: []string{"line 1: InvalidRole"}},
		{reason: "the role function", options: chat, parts: lines(`{"messages":[{"role":"function","name":"f","content":"1"},{"role":"assistant","content":"greeting"}]}`), rows: 1, invalid: []string{"line 1: InvalidRole"}},
		{reason: "weights of messages", options: chat, parts: lines(`{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"greeting","weight":1}]}`), rows: 1, want: []string{"user: Hi > topic=greeting"}},
		{reason: "a batch of requests", options: chat, parts: lines(`{"custom_id":"1","body":{"messages":[{"role":"user","content":"Hi"}]}}`), invalid: []string{"line 1: MissingInput"}, fault: `MissingField: no record has the field "messages"`},
		{reason: "conversations as ShareGPT has them", options: byField("conversations", "label"), parts: lines(`{"conversations":[{"from":"human","value":"Hi"}],"label":"x"}`), rows: 1, invalid: []string{"line 1: InvalidText"}},
	}
}

// TestBrotliIsToldByItsName has no other sign of it.
func TestBrotliIsToldByItsName(t *testing.T) {
	const brotli = "\x1B\x8E\x00\xF8\x8D\x94\x6E\xDE\x44\x55\x86\xF9"
	_, refusal := readUntilRefused(Options{}, DefaultLimits(), namedPart{"train.jsonl.br", brotli})
	if refusal == nil || !strings.Contains(refusal.Error(), "part train.jsonl.br: UnsupportedCompression: the data is compressed by Brotli, as its name says: decompress it with brotli -d") {
		t.Errorf("it is refused by %v", refusal)
	}
	said, refusal := readUntilRefused(Options{}, DefaultLimits(), namedPart{"train.jsonl.br", lateAndTwice})
	if refusal != nil && !isEnd(refusal) || len(said) != 2 {
		t.Errorf("of what was decompressed on the way there are %q, %v", said, refusal)
	}
}

// TestJoinedLabels tells of labels that nobody took apart.
func TestJoinedLabels(t *testing.T) {
	for _, test := range []struct {
		reason string
		labels []string
		want   string
	}{
		{"doccano's CSV", []string{"x", "x#y", "y"}, `"x#y"`},
		{"with white space", []string{"late", "late, lost", "lost"}, `"late, lost"`},
		{"three", []string{"a", "a|b|c", "b", "c"}, `"a|b|c"`},
		{"of which one is no label", []string{"x", "x/z", "y"}, ""},
		{"two separators", []string{"x", "x,y;x", "y"}, ""},
		{"a separator alone", []string{"#", "x"}, ""},
	} {
		var labels []LabelCount
		for _, name := range test.labels {
			labels = append(labels, LabelCount{Name: name, Samples: 1})
		}
		if got := joined(labels).String(); got != test.want {
			t.Errorf("%s: got %s, want %s", test.reason, got, test.want)
		}
	}
}
