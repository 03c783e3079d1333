package dataset

import (
	"bytes"
	"cmp"
	"regexp"
	"strings"
)

// delimiters are those that tables are written with.
var delimiters = []byte{',', ';', '\t', '|'}

// beginning is as much of a text as it takes to know its kind.
func beginning(text []byte) []byte { return text[:min(len(text), 4<<10)] }

// stored tells what was stored in place of the data, in whatever format that is.
func stored(text []byte) *foreign {
	start := beginning(text)
	lower := bytes.ToLower(start[:min(len(start), 64)])
	switch {
	case bytes.HasPrefix(lower, []byte("<!doctype html")), bytes.HasPrefix(lower, []byte("<html")):
		return new(notTheData("a web page, such as of a login or of an error", "download the file again"))
	case bytes.HasPrefix(lower, []byte("<?xml")), bytes.HasPrefix(lower, []byte("<error>")):
		return markup(start)
	case bytes.HasPrefix(lower, []byte("<table")):
		return new(inFormat("a table of HTML, as some programs write for Excel", toJSONLines(`pd.read_html("FILE")[0]`)))
	case isForm(start):
		return new(notTheData("the body of a form with the file in it", "upload the file by itself, such as with curl --upload-file"))
	case chunkSignature.Match(start):
		return new(notTheData("the file in signed chunks, as a client sends it to object storage", "upload it again with a client that the storage understands"))
	case base64Lines.Match(start):
		return new(notTheData("written in Base64", "decode it with base64 -d; in a ConfigMap that is what binaryData is for"))
	}
	return nil
}

var (
	chunkSignature = regexp.MustCompile(`^[0-9a-fA-F]+;chunk-signature=`)
	base64Lines    = regexp.MustCompile(`^(eyJ|ewog|W3si|H4sI|KLUv)[A-Za-z0-9+/=]{12,}\r?(\n|$)`) // of {", [{", gzip and zstd
	libsvmLine     = regexp.MustCompile(`^[-+]?[0-9.]+(,[0-9]+)*( [0-9]+:[-+0-9.eE]+)+ *\r?(\n|$)`)
	yamlLine       = regexp.MustCompile(`^([A-Za-z_]+: \S.*\s+)*(---|- [A-Za-z_]+:|[A-Za-z_]+:\r?\n[- ])`)
	singleQuotes   = regexp.MustCompile(`^'[^'\n]*'[,;\t|]'`)
	rasaLine       = regexp.MustCompile(`(?m)^nlu:\s*$`)
	fastTextLabel  = regexp.MustCompile(`^([^\n]*\s)?__label__\S`)
	arffLine       = regexp.MustCompile(`^(?i)@relation\s`)
	printedTable   = regexp.MustCompile(`^([^\n]*\n)?[ |+:=]*-{3,}[-+ |:=]*\r?(\n|$)`) // of Markdown, psql, MySQL
	sqlLine        = regexp.MustCompile(`^(?i)(create table|insert into|copy [^ ]+ \(|-- [a-z]+ (sql )?dump|-- postgresql database dump)`)
)

// isTag reports whether a text that starts with < is XML, not CSV with names in such brackets.
func isTag(text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return !bytes.Contains(line, []byte(">,<"))
}

// isForm reports whether the text is multipart/form-data.
func isForm(start []byte) bool {
	return bytes.HasPrefix(start, []byte("--")) && bytes.Contains(start[:min(len(start), 1<<10)], []byte("Content-Disposition: form-data"))
}

// markup tells apart what is written in XML.
func markup(start []byte) *foreign {
	switch {
	case bytes.Contains(start, []byte("<Error>")) && bytes.Contains(start, []byte("<Code>")):
		return new(notTheData("an error that object storage answered with", "download the file again, and look at the answer"))
	case bytes.Contains(start, []byte("urn:schemas-microsoft-com:office:spreadsheet")):
		return new(inFormat("a workbook in XML", "save its sheet as \"CSV UTF-8\""))
	case bytes.Contains(start, []byte("<html")):
		return new(notTheData("a web page, such as of a login or of an error", "download the file again"))
	}
	return new(inFormat("XML", toJSONLines(`pd.read_xml("FILE")`)))
}

// written tells what a text is that starts as no JSON does. JSON Lines may start with a
// row that is broken.
func written(text []byte, whole bool) (Format, *foreign) {
	if found := otherText(text); found != nil {
		return "", found
	}
	if hasObjectLine(text) {
		return FormatJSONL, nil
	}
	if columns, _ := columnsOf(text, whole); columns > 1 {
		return FormatCSV, nil
	}
	if !isText(text) {
		return "", unknownFormat()
	}
	return "", new(inFormat("text of which nothing tells the labels", "write it as JSON Lines, such as {\"text\": \"…\", \"labels\": {\"topic\": \"…\"}}, or as CSV"))
}

// otherText tells what is neither JSON Lines, not even of which the first row is broken,
// nor CSV; nil: it may be one.
func otherText(text []byte) *foreign {
	start := beginning(text)
	switch {
	case bytes.IndexByte(start, 0) >= 0 && !isText(text):
		return unknownFormat()
	case text[0] == '<' && isTag(text):
		return markup(start)
	case fastTextLabel.Match(start):
		return new(inFormat("lines of fastText",
			`make JSON Lines of them with jq -Rc '{text: gsub("__label__\\S+\\s*"; ""), labels: {label: [scan("__label__(\\S+)")[0]]}}' FILE`))
	case text[0] == ',' && bytes.HasPrefix(bytes.TrimLeft(text[1:], " \t\r\n"), []byte("{")):
		return commasBetween()
	case rasaLine.Match(start):
		return new(inFormat("training data of Rasa", "make JSON of it with rasa data convert nlu -f json --data FILE --out FILE.json, and JSON Lines of that with jq -c '.rasa_nlu_data.common_examples[] | {text, labels: {intent}}' FILE.json"))
	case hasObjectLine(text):
		return nil
	case bytes.HasPrefix(text, []byte(`"{\"`)):
		return new(inFormat("JSON within strings of JSON", "write each row once, or take them out with jq -c fromjson FILE"))
	case singleQuotes.Match(start):
		return new(inFormat("CSV with single quotes around fields", "write it with double quotes"))
	case text[0] == '\'' || text[0] == '(':
		return pythonNotation()
	case yamlLine.Match(start):
		return new(inFormat("YAML", "make JSON Lines of it with yq -o=json -I=0 '.[]' FILE"))
	case libsvmLine.Match(start):
		return new(inFormat("lines of libsvm, which have numbers in place of texts", "export the texts and their labels"))
	case sqlLine.Match(start):
		return new(inFormat("statements of SQL", "run them, and export the table as CSV"))
	case arffLine.Match(start):
		return new(inFormat("ARFF of Weka", "save it as CSV in Weka"))
	}
	return cmp.Or(printed(text), oldLineEnds(text))
}

// printed tells a table with a line drawn below its header, of which a row would be made.
func printed(text []byte) *foreign {
	if !printedTable.Match(beginning(text)) {
		return nil
	}
	return new(inFormat("a table as programs print it for people", "export the table as CSV"))
}

// oldLineEnds tells lines of Macs of long ago, and of Excel's "CSV (Macintosh)".
func oldLineEnds(text []byte) *foreign {
	if bytes.IndexByte(text, '\n') >= 0 || bytes.IndexByte(bytes.TrimSpace(text), '\r') < 0 {
		return nil
	}
	return new(inFormat("text of which lines end in carriage returns alone", `convert it with tr '\r' '\n' < FILE`))
}

// columnsOf is how many columns a table has, and what is between them.
func columnsOf(text []byte, whole bool) (columns int, delimiter byte) {
	for _, delimiter := range delimiters {
		if columns := tableWidth(text, whole, delimiter); columns > 1 {
			return columns, delimiter
		}
	}
	return 1, ','
}

func unknownFormat() *foreign {
	return new(inFormat("no text, and of a kind that is not known", "export JSON Lines, CSV or Parquet by the program that wrote it"))
}

func pythonNotation() *foreign {
	return new(inFormat("in the notation of Python", "write rows with json.dumps, not with print or str"))
}

// hasObjectLine reports whether the first line ends, or another one starts, as a row of
// JSON Lines does.
func hasObjectLine(text []byte) bool {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	return bytes.HasSuffix(bytes.TrimRight(first, " \t\r"), []byte("}")) || bytes.HasPrefix(rest, []byte("{")) || bytes.Contains(rest, []byte("\n{\""))
}

// tableWidth is how many fields the first two records have with the delimiter between
// them; 0 if that differs, or one is no record.
func tableWidth(text []byte, whole bool, delimiter byte) int {
	records := csvRecords{lines: newLineReader(bytes.NewReader(text), DefaultLimits()), delimiter: delimiter}
	if records.read() != nil {
		return 0
	}
	width := len(records.ends)
	if records.read() != nil || len(records.ends) != width && whole {
		return 0
	}
	return width
}

// firstRecord is the first record with the delimiter between its fields, without white
// space around them.
func firstRecord(text []byte, delimiter byte) (fields []string) {
	records := csvRecords{lines: newLineReader(bytes.NewReader(text), DefaultLimits()), delimiter: delimiter}
	if records.read() != nil {
		return nil
	}
	return newCSVHeader(&records.csvRecord, "").names
}

// separatorBytes is as much as a line may have that names the delimiter.
const separatorBytes = len("\"sep=;\"\r\n")

// separatorLine is the delimiter that a first line such as sep=; names, as Excel reads
// it, and how many bytes that line takes; 0: there is none.
func separatorLine(text []byte) (delimiter byte, size int) {
	line, _, _ := bytes.Cut(text[:min(len(text), separatorBytes)], []byte("\n"))
	size = len(line) + 1
	written := strings.Trim(strings.TrimSuffix(string(line), "\r"), `"`)
	if name, found := strings.CutPrefix(strings.ToLower(written), "sep="); found && len(name) == 1 && size <= len(text) {
		return name[0], size
	}
	return 0, 0
}
