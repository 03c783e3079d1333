package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// recogniseObjects tells rows of JSON Lines from objects that are laid out otherwise, by how the
// first one ends, or its first line.
func recogniseObjects(text []byte) (Format, *foreign) {
	if bytes.HasPrefix(text, []byte("{'")) {
		return "", pythonNotation()
	}
	depth, quoted, escaped := 0, false, false
	for i, c := range text {
		switch {
		case quoted:
			quoted = c != '"' || escaped
			escaped = c == '\\' && !escaped
			if c == '\n' {
				return FormatJSONL, nil // with a row that is broken
			}
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return afterObject(bytes.TrimLeft(text[i+1:], " \t\r"))
			}
		case c == '\n':
			if goesOn(bytes.TrimRight(text[:i], " \t\r"), bytes.TrimLeft(text[i:], " \t\r\n")) {
				return FormatJSON, nil
			}
			return FormatJSONL, nil
		}
	}
	return FormatJSONL, nil
}

// afterObject looks at what follows an object on its line.
func afterObject(rest []byte) (Format, *foreign) {
	switch {
	case bytes.HasPrefix(rest, []byte("{")):
		return FormatJSON, nil
	case bytes.HasPrefix(rest, []byte(",")):
		return "", commasBetween()
	}
	return FormatJSONL, nil
}

func commasBetween() *foreign {
	return new(inFormat("objects of JSON with commas between them, but not in an array", "put [ before the first and ] after the last, or make JSON Lines of them with sed 's/^,//; s/,$//' FILE"))
}

// goesOn reports whether an object goes on after the end of its first line. A row that is
// broken is followed by another one.
func goesOn(line, rest []byte) bool {
	if len(rest) == 0 {
		return false
	}
	switch line[len(line)-1] {
	case '[':
		return true
	case ':':
		return rest[0] != '{'
	}
	return bytes.IndexByte([]byte(`"}],:`), rest[0]) >= 0
}

// isObject reports whether the text starts as an object of JSON, not as some header of CSV.
func isObject(text []byte) bool {
	rest := bytes.TrimLeft(text[1:], " \t\r\n")
	return len(rest) == 0 || rest[0] == '"' || rest[0] == '}'
}

// isArray reports whether the text starts as an array of JSON, not as one in brackets.
func isArray(text []byte) bool {
	rest := bytes.TrimLeft(text[1:], " \t\r\n")
	return len(rest) == 0 || bytes.IndexByte([]byte(`{[]"-0123456789`), rest[0]) >= 0
}

// recogniseArray looks at the first element.
func recogniseArray(text []byte) (Format, *foreign) {
	rest := bytes.TrimLeft(text[1:], " \t\r\n")
	switch {
	case len(rest) == 0 || rest[0] == '{' || rest[0] == ']':
		if bytes.HasPrefix(rest, []byte("{'")) {
			return "", pythonNotation()
		}
		return FormatJSON, nil
	case rest[0] == '[':
		return "", unusualLayout("an array of arrays", asRecords)
	}
	return "", unusualLayout("an array, but not of objects", "make an object of each element, such as {\"text\": \"…\", \"labels\": {\"topic\": \"…\"}}")
}

// asRecords is the way out of what pandas writes by default.
const asRecords = `write it with to_json(…, orient="records", lines=True)`

func unusualLayout(what, way string) *foreign {
	return &foreign{UnsupportedLayout, "JSON in " + what, way}
}

// jsonLayout looks at the records in the head.
func (r *recognition) jsonLayout(format Format) *foreign {
	records := r.records(format)
	if len(records) == 0 {
		return nil
	}
	first := &records[0]
	if found := first.table(); found != nil {
		return found
	}
	if len(records) == 1 && r.whole == first.complete && bytes.HasPrefix(bytes.TrimLeft(r.head, " \t\r\n"), []byte("{")) && !r.hasInput(first) {
		if found := first.wrapper(); found != nil {
			return found
		}
	}
	if r.options.Mapping != nil {
		return nil // which says in which fields to look
	}
	return r.unmapped(records)
}

// hasInput reports whether a record has something of what rows are made of.
func (r *recognition) hasInput(record *headObject) bool {
	fields := canonicalFields
	if mapping := r.options.Mapping; mapping != nil {
		fields = mapping.columns()
	}
	return slices.ContainsFunc(fields, func(field string) bool { return record.find(field) != nil })
}

// unmapped is for records of which none is a row, but that have fields to make rows of.
func (r *recognition) unmapped(records []headObject) *foreign {
	first := -1
	for i := range records {
		switch {
		case records[i].isRow():
			return nil
		case records[i].complete && first < 0 && len(records[i].fields) > 1:
			first = i
		}
	}
	if first < 0 {
		return nil
	}
	what := fmt.Sprintf("rows with the fields %s, without text or messages and labels by target", listNames(records[first].names()))
	if r.options.forFactory {
		return &foreign{UnmappedFields, what, `write them as {"text": "…", "labels": {"TARGET": "LABEL"}}`}
	}
	return &foreign{UnmappedFields, what, "say in spec.mapping which fields hold the text and the labels"}
}

// headObject is an object in the head.
type headObject struct {
	fields   []headField
	complete bool // and valid
}

type headField struct {
	name  string
	value []byte // as far as the head reaches
}

func (r *headObject) names() (names []string) {
	for _, field := range r.fields {
		names = append(names, field.name)
	}
	return names
}

func (r *headObject) find(name string) []byte {
	for _, field := range r.fields {
		if field.name == name {
			return field.value
		}
	}
	return nil
}

// records are the objects in the head, up to one that is a row: then others may be none.
func (r *recognition) records(format Format) (records []headObject) {
	scan := scanner{maxDepth: DefaultLimits().Depth}
	add := func(object []byte) (enough bool) {
		records = append(records, newHeadObject(&scan, object))
		return records[len(records)-1].isRow()
	}
	if format == FormatJSONL {
		for line := range bytes.Lines(r.head) {
			if line = bytes.TrimSpace(line); bytes.HasPrefix(line, []byte("{")) && add(line) {
				break
			}
		}
		return records
	}
	values := newJSONValues(bytes.NewReader(r.head), DefaultLimits())
	for {
		err := values.next()
		if _, invalid := errors.AsType[*InvalidSampleError](err); invalid {
			continue
		}
		object := bytes.HasPrefix(values.value, []byte("{")) && !isEnd(err)
		if object && add(values.value) || err != nil {
			return records
		}
	}
}

// newHeadObject reads the fields of an object as far as they go.
func newHeadObject(scan *scanner, line []byte) (r headObject) {
	scan.reset(line)
	fields := scan.beginObject(nil)
	for scan.nextKey(&fields) {
		start := scan.position
		name := strings.Clone(fields.key)
		scan.skip()
		end := scan.position
		if scan.failed {
			end = len(line)
		}
		r.fields = append(r.fields, headField{name, bytes.Clone(line[start:min(end, start+64)])})
	}
	r.complete = !scan.failed
	return r
}

// isRow reports whether the record is a row of the protocol, valid or not.
func (r *headObject) isRow() bool {
	labels := r.find("labels")
	return (r.find("text") != nil || r.find("messages") != nil) && len(labels) > 0 && (labels[0] == '{' || labels[0] == 'n')
}

var (
	byNumbers = regexp.MustCompile(`^\{\s*"[0-9]+"\s*:`)
	plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// table recognises what pandas and others write of a table in one object.
func (r *headObject) table() *foreign {
	all := func(is func(*headField) bool) bool {
		for i := range r.fields {
			if !is(&r.fields[i]) {
				return false
			}
		}
		return len(r.fields) > 1 || len(r.fields) == 1 && !r.complete
	}
	switch {
	case all(func(field *headField) bool { return byNumbers.Match(field.value) }):
		return unusualLayout("columns, as pandas writes it by default", asRecords)
	case all(func(field *headField) bool {
		return byNumbers.MatchString(`{"`+field.name+`":`) && bytes.HasPrefix(field.value, []byte("{"))
	}):
		return unusualLayout(`an object by numbers, as of orient="index"`, asRecords)
	case isList(r.find("columns")) && (isList(r.find("index")) || isList(r.find("data"))):
		return unusualLayout(`columns and rows apart, as of orient="split"`, asRecords)
	case bytes.HasPrefix(r.find("schema"), []byte("{")) && isList(r.find("data")):
		return unusualLayout(`a table with its schema, as of orient="table"`, asRecords)
	case all(func(field *headField) bool { return isListOfValues(field.value) }) && r.find("text") != nil:
		return unusualLayout("lists by column", `write a row an object, such as with pandas.DataFrame(…).to_json(…, orient="records", lines=True)`)
	}
	return nil
}

// wrapper recognises rows that are in a single object, which has nothing of a row itself.
func (r *headObject) wrapper() *foreign {
	if field := r.listOfObjects(); field != nil {
		way := "take them out of it, an object a line"
		if plainName.MatchString(field.name) && len(field.name) < 64 {
			way = fmt.Sprintf("take them out of it with jq -c '.%s[]' FILE", field.name)
		}
		return &foreign{UnsupportedLayout, fmt.Sprintf("a single object of JSON with rows in its field %s", quote(field.name)), way}
	}
	all := func(is func(value []byte) bool) bool {
		return !slices.ContainsFunc(r.fields, func(field headField) bool { return !is(field.value) })
	}
	switch {
	case len(r.fields) == 0:
	case len(r.find("error")) > 0 && r.find("error")[0] != 'n':
		return new(notTheData("an error that a web service answered with", "download the file again, and look at the answer"))
	case all(func(value []byte) bool { return rowsWithin.Match(value) }):
		return unusualLayout("an object with rows in a field of its field", "take them out of it, an object a line, such as with jq -c '.[][][]' FILE")
	case all(isListOfValues):
		return unusualLayout("an object of lists", "make rows of it, such as of texts by their labels with jq -c 'to_entries[] | .key as $name | .value[] | {text: ., labels: {label: $name}}' FILE")
	case len(r.fields) > 1 && all(func(value []byte) bool { return value[0] == '{' }):
		return unusualLayout("an object of objects", "take them out of it, an object a line, such as with jq -c '.[]' FILE")
	}
	return nil
}

// rowsWithin is an object that starts with a list of objects.
var rowsWithin = regexp.MustCompile(`^\{\s*"[^"]*"\s*:\s*\[\s*\{`)

// aboutRows are lists of objects that web services and databases write beside that of rows.
var aboutRows = []string{"meta", "features", "fields", "columns", "schema", "intents", "entities"}

// listOfObjects is the field with the rows, which most likely is not about them.
func (r *headObject) listOfObjects() (found *headField) {
	for i := range r.fields {
		field := &r.fields[i]
		if !isList(field.value) || !bytes.HasPrefix(bytes.TrimLeft(field.value[1:], " \t\r\n"), []byte("{")) {
			continue
		}
		if !slices.Contains(aboutRows, field.name) {
			return field
		}
		if found == nil {
			found = field
		}
	}
	return found
}

func isList(value []byte) bool { return len(value) > 0 && value[0] == '[' }

func isListOfValues(value []byte) bool {
	return isList(value) && !bytes.HasPrefix(bytes.TrimLeft(value[1:], " \t\r\n"), []byte("{"))
}
