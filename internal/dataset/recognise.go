package dataset

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// recognition is what is known of a part before it is read: its start, which is all of
// it if it is whole, and what is declared of it.
type recognition struct {
	head    []byte // without byte order marks
	whole   bool
	options *Options
}

// foreign is something that is not read, and the way to what is.
type foreign struct {
	reason Reason
	what   string // that the data is
	way    string // a sentence without its full stop
}

// recognise says how a part is written. What is not read, or is something else than
// what is declared, is an *InvalidDatasetError that names it and the way: no row of it
// would be valid, and each would say something else.
func recognise(head []byte, whole bool, options *Options) (Format, error) {
	r := recognition{head: withoutMarks(head), whole: whole, options: options}
	format, found := r.format()
	if found == nil {
		format, found = r.declared(format)
	}
	if found == nil {
		found = r.layout(format)
	}
	if found != nil {
		return "", r.refuse(found)
	}
	return format, nil
}

func (r *recognition) refuse(found *foreign) error {
	detail := fmt.Sprintf("the data is %s: %s", found.what, found.way)
	if declared := r.options.Format; declared != FormatAuto && declared != "" && !r.options.forFactory {
		detail = fmt.Sprintf("format is %s, and %s", declared, detail)
	}
	return &InvalidDatasetError{Reason: found.reason, Detail: detail}
}

// format tells what is there.
func (r *recognition) format() (Format, *foreign) {
	if startsAsParquet(r.head) {
		return FormatParquet, nil
	}
	if found := signedBy(r.head); found != nil {
		return "", found
	}
	if found := encoded(r.head); found != nil {
		return "", found
	}
	text := bytes.TrimLeft(r.head, " \t\r\n")
	if found := stored(text); found != nil {
		return "", found
	}
	switch {
	case len(text) == 0:
		return r.expected(), nil
	case text[0] == '{' && (isObject(text) || r.options.Format != FormatCSV):
		return recogniseObjects(text)
	case text[0] == '[' && isArray(text):
		return recogniseArray(text)
	case r.expectsCSV():
		return r.expectedCSV(text)
	}
	return written(text, r.whole)
}

// expectedCSV is CSV, unless it has not the column that the text is in and is known for
// something else.
func (r *recognition) expectedCSV(text []byte) (Format, *foreign) {
	if found := cmp.Or(printed(text), oldLineEnds(text)); found != nil {
		return "", found
	}
	if delimiter, rest := r.delimiter(text); r.hasTextColumn(rest, delimiter) {
		return FormatCSV, nil
	}
	if found := otherText(text); found != nil {
		return "", found
	}
	if hasObjectLine(text) && r.options.Format != FormatCSV {
		return FormatJSONL, nil
	}
	return FormatCSV, nil
}

// textColumn is the column of CSV that has what is classified; empty: nobody said.
func (r *recognition) textColumn() string {
	if mapping := r.options.Mapping; mapping != nil {
		return cmp.Or(mapping.Text, mapping.Messages)
	}
	if r.options.CSV != nil {
		return strings.TrimSpace(r.options.CSV.TextColumn)
	}
	return ""
}

func (r *recognition) hasTextColumn(text []byte, delimiter byte) bool {
	return slices.Contains(firstRecord(text, delimiter), r.textColumn())
}

// delimiter is that which is declared, or which a first line names, and what follows that.
func (r *recognition) delimiter(text []byte) (delimiter byte, rest []byte) {
	if given, line := separatorLine(text); line > 0 {
		return given, text[line:]
	}
	if r.options.CSV != nil {
		return r.options.CSV.delimiter(), text
	}
	return ',', text
}

// startsAsParquet recognises a file by its first bytes, which differ if all of it is
// encrypted.
func startsAsParquet(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PAR1")) || bytes.HasPrefix(head, []byte("PARE"))
}

// expected is the format of a part that says nothing.
func (r *recognition) expected() Format {
	if r.expectsCSV() {
		return FormatCSV
	}
	return FormatJSONL
}

func (r *recognition) expectsCSV() bool {
	o := r.options
	return o.Format == FormatCSV || o.CSV != nil || o.Mapping != nil && (o.Format == FormatAuto || o.Format == "")
}

// declared holds what is there against what is said to be there. Objects that stand on
// a line each are JSON, too.
func (r *recognition) declared(there Format) (Format, *foreign) {
	declared := r.options.Format
	switch {
	case r.options.forFactory && there != FormatJSONL:
		return "", &foreign{DifferentFormat, formatNames[there], linesOf[there]}
	case there == FormatParquet && r.options.Parquet == nil:
		return "", new(inFormat(formatNames[there], linesOf[there]))
	case declared == FormatAuto, declared == "", declared == there:
	case declared == FormatJSON && there == FormatJSONL:
		return FormatJSON, nil
	default:
		return "", &foreign{DifferentFormat, formatNames[there], fmt.Sprintf("set format to %s or %s", there, FormatAuto)}
	}
	return there, nil
}

// formatNames are what the formats are called where another is declared.
var formatNames = map[Format]string{
	FormatJSONL:   "JSON Lines",
	FormatJSON:    "JSON in an array or over several lines",
	FormatCSV:     "CSV",
	FormatParquet: "Parquet",
}

// linesOf are the ways to JSON Lines.
var linesOf = map[Format]string{
	FormatJSON:    `make JSON Lines of it with jq -c 'if type == "array" then .[] else . end' FILE`,
	FormatCSV:     toJSONLines(`pd.read_csv("FILE", sep=None, engine="python")`),
	FormatParquet: toJSONLines(`pd.read_parquet("FILE")`),
}

// layout looks at how records are laid out in a format that is read.
func (r *recognition) layout(format Format) *foreign {
	switch format {
	case FormatJSONL, FormatJSON:
		return r.jsonLayout(format)
	case FormatCSV:
		return r.csvLayout()
	}
	return nil
}

// csvLayout holds the columns against those that are named.
func (r *recognition) csvLayout() *foreign {
	if r.textColumn() == "" {
		return unnamedColumns(columnsOf(r.head, r.whole))
	}
	delimiter, rest := r.delimiter(r.head)
	if csv := r.options.CSV; csv != nil && csv.Delimiter != 0 && csv.Delimiter != delimiter {
		return wrongDelimiter(delimiter, csv.Delimiter, "its first line says so")
	}
	if r.hasTextColumn(rest, delimiter) {
		return nil
	}
	for _, other := range delimiters {
		if other != delimiter && r.hasTextColumn(rest, other) {
			return wrongDelimiter(other, delimiter, "its header says so")
		}
	}
	return nil
}

// unnamedColumns is a table of which nobody said what is in it. Its first record may be
// a sample, and is not repeated.
func unnamedColumns(columns int, delimiter byte) *foreign {
	way := "say in spec.mapping or spec.csv which columns hold the text and the labels"
	if delimiter != ',' {
		way += fmt.Sprintf(", and set csv.delimiter to %q", string(rune(delimiter)))
	}
	return &foreign{UnmappedFields, fmt.Sprintf("CSV with %d columns between %s", columns, delimiterName(delimiter)), way}
}

func wrongDelimiter(there, declared byte, witness string) *foreign {
	return &foreign{WrongDelimiter, fmt.Sprintf("CSV with %s between fields, not %s", delimiterName(there), delimiterName(declared)),
		fmt.Sprintf("%s. Set csv.delimiter to %q", witness, string(rune(there)))}
}
