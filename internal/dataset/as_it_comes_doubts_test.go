package dataset

import "strings"

// doubtfulAsTheyCome are read, but what they say is most likely not meant: which is told.
func doubtfulAsTheyCome() []comes {
	flat := byField("text", "label")
	accepted := byField("text", "accept")
	asked := flat
	asked.Mapping = &Mapping{Text: "text", Labels: flat.Mapping.Labels, Filters: []RecordFilter{{Field: "answer", Values: []string{"accept", "reject"}}}}
	tabs := flat
	tabs.CSV = &CSVOptions{Delimiter: '\t'}
	named := Options{CSV: &CSVOptions{TextColumn: "text", LabelColumns: []CSVLabelColumn{{Column: "status", Target: "topic"}}}}
	lines := func(lines ...string) []string { return []string{strings.Join(lines, "\n") + "\n"} }
	two := []string{"a > topic=x", "b > topic=y"}
	lists := []string{"a > topic=[x]", "b > topic=[y]"}
	return []comes{
		{reason: "Prodigy, with what was rejected", options: flat, parts: lines(`{"text":"a","label":"x","answer":"accept"}`, `{"text":"b","label":"y","answer":"reject"}`), rows: 2, want: two,
			warning: "DoubtfulSamples: 1 with answer: reject. Have mapping.filters let through"},
		{reason: "Prodigy, with what was passed over", options: accepted, parts: lines(`{"text":"a","accept":["x"],"answer":"accept"}`, `{"text":"b","accept":["y"],"answer":"ignore"}`), rows: 2, want: lists,
			warning: "DoubtfulSamples: 1 with answer: ignore"},
		{reason: "Prodigy, where a filter lets through what was rejected", options: asked, parts: lines(`{"text":"a","label":"x","answer":"accept"}`, `{"text":"b","label":"y","answer":"reject"}`), rows: 2, want: two},
		{reason: "Prodigy in an array, written as rows of the protocol", parts: lines(`[{"text":"a","answer":"accept","labels":{"topic":"x"}},{"text":"b","labels":{"topic":"y"},"answer":"reject"}]`), rows: 2, want: two,
			warning: "DoubtfulSamples: 1 with answer: reject"},
		{reason: "Argilla, with records that are discarded or drafts", options: flat, parts: lines(`{"text":"a","label":"x","status":"discarded"}`, `{"text":"b","label":"y","status":"draft"}`), rows: 2, want: two,
			warning: "DoubtfulSamples: 1 with status: discarded, 1 with status: draft"},
		{reason: "Argilla, with answers that are discarded or drafts", options: byField("text", "label.responses"), parts: lines(`{"text":"a","label.responses":["x"],"label.responses.status":["submitted"]}`, `{"text":"b","label.responses":["y"],"label.responses.status":["draft"]}`), rows: 2, want: lists,
			warning: "DoubtfulSamples: 1 with .responses.status: draft"},
		{reason: "Argilla of old, in CSV", options: flat, parts: lines("text,label,status", "a,x,Validated", "b,y,Discarded"), rows: 2, want: two, warning: "DoubtfulSamples: 1 with status: discarded"},
		{reason: "a status that is what is to be learned", options: named, parts: lines("text,status", "a,draft", "b,sent"), rows: 2, want: []string{"a > topic=draft", "b > topic=sent"}},
		{reason: "a status that is what is to be learned, by a mapping", options: byField("text", "status"), parts: lines(`{"text":"a","status":"draft"}`, `{"text":"b","status":"sent"}`), rows: 2, want: []string{"a > topic=draft", "b > topic=sent"}},
		{reason: "the status of a ticket", options: flat, parts: lines("text,label,status", "a,x,pending", "b,y,closed"), rows: 2, want: two},
		{reason: "Label Studio's annotations that were cancelled, one a row", options: flat, parts: lines(`{"text":"a","label":"x","was_cancelled":false}`, `{"text":"b","label":"y","was_cancelled":true}`), rows: 2, want: two,
			warning: "DoubtfulSamples: 1 with was_cancelled: true"},
		{reason: "Label Studio's annotations that were cancelled, as pandas writes them", options: flat, parts: lines("text,label,was_cancelled", "a,x,False", "b,y,True"), rows: 2, want: two, warning: "DoubtfulSamples: 1 with was_cancelled: true"},
		{reason: "doccano of old, where one is not approved", options: flat, parts: lines(`{"text":"a","label":"x","annotation_approver":"ann"}`, `{"text":"b","label":"y","annotation_approver":null}`), rows: 2, want: two,
			warning: "DoubtfulSamples: 1 with annotation_approver: null"},
		{reason: "doccano of old, where nobody was asked to approve", options: flat, parts: lines(`{"text":"a","label":"x","annotation_approver":null}`, `{"text":"b","label":"y","annotation_approver":null}`), rows: 2, want: two},
		{reason: "doccano, where one is not confirmed", options: flat, parts: lines(`{"text":"a","label":"x","is_confirmed":true}`, `{"text":"b","label":"y","is_confirmed":false}`), rows: 2, want: two, warning: "DoubtfulSamples: 1 with is_confirmed: false"},
		{reason: "what was skipped or rejected, by whatever tool", options: flat, parts: lines(`{"text":"a","label":"x","skipped":true}`, `{"text":"b","label":"y","rejected":true}`), rows: 2, want: two,
			warning: "DoubtfulSamples: 1 with rejected: true, 1 with skipped: true"},

		{reason: "texts that are missing, as databases and pandas write it", options: flat, parts: lines("text,label", `\N,x`, "NULL,y", "<NA>,x", "None,y", "nan,x", "all right,y"), rows: 6,
			want:    []string{`\N > topic=x`, "NULL > topic=y", "<NA> > topic=x", "None > topic=y", "nan > topic=x", "all right > topic=y"},
			warning: "DoubtfulSamples: 5 with a text that is how programs write a missing value"},
		{reason: "labels that are missing", options: flat, parts: lines("text,label", `a,\N`, "b,NULL", "c,<NA>", "d,None"), rows: 4,
			want: []string{`a > topic=\N`, "b > topic=NULL", "c > topic=<NA>", "d > topic=None"}, warning: `OddNames: a missing value: "<NA>", "NULL", "None" and 1 more`},
		{reason: "line breaks and tabs as COPY writes them", options: tabs, parts: lines("text\tlabel", `a\nb`+"\tx", `c\td`+"\ty", `e\\n`+"\tx"), rows: 3, want: []string{`a\nb > topic=x`, `c\td > topic=y`, `e\\n > topic=x`},
			warning: "EscapedTexts: JSON within JSON: 2."},
		{reason: "line breaks as MySQL writes them into quotes", options: flat, parts: lines("text,label", "\"a\\\nb\",x", "c,y"), rows: 2, want: []string{"a\\\nb > topic=x", "c > topic=y"}, warning: "EscapedTexts: 1."},
		{reason: "a text that was escaped twice", parts: lines(`{"text": "a\\nb", "labels": {"topic": "x"}}`, twiceRow), rows: 2, want: []string{`a\nb > topic=x`, twice}, warning: "EscapedTexts: 1."},
		{reason: "a backslash in a program, among texts with line breaks", parts: lines(`{"text": "print('\\n')", "labels": {"topic": "x"}}`, `{"text": "a\nb", "labels": {"topic": "y"}}`), rows: 2, want: []string{`print('\n') > topic=x`, "a\nb > topic=y"}},
		{reason: "a path of Windows", parts: lines(`{"text": "in C:\\Users\\ann\\", "labels": {"topic": "x"}}`, twiceRow), rows: 2, want: []string{`in C:\Users\ann\ > topic=x`, twice}},
		{reason: "labels with an escape sequence", options: tabs, parts: lines("text\tlabel", `a`+"\t"+`x\n`, "b\ty"), rows: 2, want: []string{`a > topic=x\n`, "b > topic=y"}, warning: `OddNames: written out: "x\\n"`},
		{reason: "labels with a byte order mark", parts: lines("{\"text\":\"a\",\"labels\":{\"topic\":\"\uFEFFx\"}}", twiceRow), rows: 2, want: []string{"a > topic=\uFEFFx", twice}, warning: "OddNames: a byte order mark"},

		{reason: "a header of other names in the middle, as cat makes", options: flat, parts: lines("text,label", "a,x", "text,intent", "b,y"), rows: 3, want: []string{"a > topic=x", "text > topic=intent", "b > topic=y"},
			warning: "DoubtfulSamples: 1 with a text that is the name of its column"},
		{reason: "a header in another case in the middle", options: topics(0), parts: lines("text,topic", "a,x", "Text,Topic", "b,y"), rows: 3, want: []string{"a > topic=x", "Text > topic=Topic", "b > topic=y"},
			warning: "DoubtfulSamples: 1 with a text that is the name of its column"},
	}
}
