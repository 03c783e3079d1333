package dataset

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// verdict is how a label tool notes of a record that nobody vouches for its labels.
type verdict struct {
	field string // its end, if it begins with a dot
	value string // or one of a list
}

// verdicts are those of tools of which exports hold such records beside others, labels and
// all. What other tools call so is no doubt: a ticket may have the status pending.
var verdicts = []verdict{
	{"answer", "reject"}, {"answer", "ignore"}, // Prodigy
	{"status", "discarded"}, {"status", "draft"}, // Argilla, of a record
	{".responses.status", "discarded"}, {".responses.status", "draft"}, // and of answers to a question
	{"was_cancelled", "true"}, // Label Studio
	unapproved,
	{"is_confirmed", "false"},
	{"skipped", "true"}, {"is_skipped", "true"}, {"rejected", "true"}, {"discarded", "true"},
}

// unapproved is doccano's, where some records are approved: else nobody was asked to.
var unapproved = verdict{"annotation_approver", "null"}

func (v verdict) String() string { return v.field + ": " + v.value }

// isIn reports whether the verdict stands in such a field.
func (v *verdict) isIn(field string) bool {
	return field == v.field || v.field[0] == '.' && strings.HasSuffix(field, v.field)
}

// isVerdict reports whether a label tool may have a verdict in the field.
func isVerdict(field string) bool {
	return slices.ContainsFunc(verdicts, func(v verdict) bool { return v.isIn(field) })
}

// is reports whether the record's field has the verdict in its value, as JSON writes it.
func (v *verdict) is(field string, value []byte) bool {
	if !v.isIn(field) {
		return false
	}
	if len(value) > 0 && value[0] == '[' {
		return bytes.Contains(value, []byte(`"`+v.value+`"`))
	}
	return len(value) <= len(v.value)+2 && strings.EqualFold(string(bytes.Trim(value, `"`)), v.value)
}

// doubtOf is why what a field of a record has makes the record doubtful; empty: it does not.
func doubtOf(field string, value []byte) string {
	for i := range verdicts {
		if verdicts[i].is(field, value) {
			return verdicts[i].String()
		}
	}
	return ""
}

// What is to be doubted about a text.
const (
	doubtMissing = "a text that is how programs write a missing value, such as NULL or nan"
	doubtHeader  = "a text that is the name of its column, as of another file's header"
)

// longestMissing is how many bytes the longest of missingValues has.
var longestMissing = len(slices.MaxFunc(missingValues, func(a, b string) int { return len(a) - len(b) }))

// doubts counts samples that are valid, but look as if something had gone wrong with them
// before they were read.
type doubts struct {
	samples map[string]int // by what is to be doubted
	escaped int            // have escape sequences in place of line breaks and tabs
	broken  bool           // others have line breaks: who wrote those escapes none
}

func (d *doubts) add(sample *Sample) {
	doubt := sample.Doubt
	if doubt == "" && len(sample.Text) <= longestMissing+2 && slices.Contains(missingValues, strings.TrimSpace(sample.Text)) {
		doubt = doubtMissing
	}
	if doubt != "" {
		if d.samples == nil {
			d.samples = map[string]int{}
		}
		d.samples[doubt]++
	}
	switch {
	case hasEscapes(sample.Text):
		d.escaped++
	case strings.IndexByte(sample.Text, '\n') >= 0:
		d.broken = true
	}
}

// hasEscapes reports whether a line break, a tab or a carriage return is written out, or has
// a backslash before it.
func hasEscapes(text string) bool {
	for {
		at := strings.IndexByte(text, '\\')
		if at < 0 || at+1 == len(text) {
			return false
		}
		switch text[at+1] {
		case 'n', 't', 'r', '\n':
			return true
		}
		text = text[at+2:] // behind a backslash that is escaped itself, too
	}
}

// warnings tell of so many samples.
func (d *doubts) warnings(samples int) (found []Warning) {
	if d.samples[unapproved.String()] == samples {
		delete(d.samples, unapproved.String())
	}
	var kinds []string
	for doubt, count := range d.samples {
		kinds = append(kinds, fmt.Sprintf("%d with %s", count, doubt))
	}
	if slices.Sort(kinds); len(kinds) > 0 {
		found = append(found, Warning{Reason: DoubtfulSamples, Detail: fmt.Sprintf(
			"samples that may be none: %s. Have mapping.filters let through what somebody vouches for, or leave them out of the source", strings.Join(kinds, ", "))})
	}
	if d.escaped > 0 && !d.broken {
		found = append(found, Warning{Reason: EscapedTexts, Detail: fmt.Sprintf(
			`texts in which \n, \t or \r is written out, as by mysqldump, COPY and JSON within JSON: %d. Where a line break or a tab is meant, export the table as CSV or JSON`, d.escaped)})
	}
	return found
}
