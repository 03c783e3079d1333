package dataset

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// csvHeader is a record that names the columns.
type csvHeader struct {
	part  string
	names []string // in the order of the columns, without white space around them
	width int      // up to the last column with a name: spreadsheets leave out the empty cells behind
}

func newCSVHeader(record *csvRecord, part string) csvHeader {
	header := csvHeader{part: part, names: make([]string, len(record.ends))}
	for i := range header.names {
		header.names[i] = string(bytes.TrimSpace(record.field(i)))
		if header.names[i] != "" {
			header.width = i + 1
		}
	}
	return header
}

// columns are the positions of the columns with the name.
func (h *csvHeader) columns(name string) (found []int) {
	name = strings.TrimSpace(name)
	for i := range h.names {
		if h.names[i] == name {
			found = append(found, i)
		}
	}
	return found
}

// hint names a column that differs from the name in nothing that can be seen but case.
func (h *csvHeader) hint(name string) string {
	for _, column := range h.names {
		if column != "" && foldText(column) == foldText(name) {
			return fmt.Sprintf("; it has %+q", column)
		}
	}
	return ""
}

// isRepeated reports whether the record has the header's names, in whatever order.
func (h *csvHeader) isRepeated(record *csvRecord) bool {
	if len(record.ends) != len(h.names) || !h.has(bytes.TrimSpace(record.field(0))) {
		return false // as nearly always
	}
	return sameNames(h.names, newCSVHeader(record, "").names)
}

func (h *csvHeader) has(name []byte) bool {
	for i := range h.names {
		if string(name) == h.names[i] {
			return true
		}
	}
	return false
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// differenceFrom says in what more than its order the header differs from that of the
// first part; empty if in nothing. A record that has none of its names is not repeated:
// it is most likely data.
func (h *csvHeader) differenceFrom(first *csvHeader) string {
	if sameNames(h.names, first.names) {
		return ""
	}
	if !slices.ContainsFunc(h.names, func(name string) bool { return name != "" && slices.Contains(first.names, name) }) {
		return fmt.Sprintf("the first record names none of the columns of %s: %s. Each part needs a header with the same columns", first.place(), first)
	}
	return fmt.Sprintf("the header has the columns %s; that of %s has %s. Parts may differ in the order of columns only", h, first.place(), first)
}

func (h *csvHeader) place() string {
	if h.part == "" {
		return "the first"
	}
	return "part " + h.part
}

// listedColumns bounds what a message says of a header, or of a record's fields.
const listedColumns = 16

func (h *csvHeader) String() string { return listNames(h.names) }

func listNames(names []string) string {
	var quoted []string
	for _, name := range names[:min(len(names), listedColumns)] {
		quoted = append(quoted, quote(name))
	}
	listed := strings.Join(quoted, ", ")
	if more := len(names) - listedColumns; more > 0 {
		return fmt.Sprintf("%s and %d more", listed, more)
	}
	return listed
}

// delimiterName is what a message calls a delimiter.
func delimiterName(delimiter byte) string {
	switch delimiter {
	case ',':
		return "commas"
	case ';':
		return "semicolons"
	case '\t':
		return "tabs"
	case ' ':
		return "spaces"
	}
	return quote(string(rune(delimiter)))
}
