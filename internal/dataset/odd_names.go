package dataset

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// oddNames are what names of labels look like that a program wrote without being asked
// for, and how they are told.
var oddNames = []struct {
	what string
	is   func(name string) bool
}{
	{"a missing value", func(name string) bool { return slices.Contains(missingValues, name) }},
	{"an error of a spreadsheet", regexp.MustCompile(`^#[A-ZÄÖÜ/0-9]+[!?]$`).MatchString},
	{"a list or an object", func(name string) bool {
		return enclosed(name, '[', ']') || enclosed(name, '{', '}') || enclosed(name, '(', ')')
	}},
	{"a piece of a list or an object", regexp.MustCompile(`^[\[({]['"]|['"][\])}]$`).MatchString},
	{"an interval of numbers", regexp.MustCompile(`^[\[(][^,]+, ?[^,]+[\])]$`).MatchString},
	{"a number with a fraction or an exponent", regexp.MustCompile(`^[-+]?[0-9]+([.,][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$`).MatchString},
	{"a date", regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[/.][0-9]{1,2}[/.]([0-9]{2}){1,2})([T ,].*)?$`).MatchString},
	{"text in quotes", func(name string) bool { return enclosed(name, '"', '"') || enclosed(name, '\'', '\'') }},
	{"nothing at all", func(name string) bool { return name != "" && isInvisible(name) }},
	{"names with white space around", func(name string) bool { return strings.TrimSpace(name) != name }},
	{"names with control characters", func(name string) bool { return strings.ContainsFunc(name, unicode.IsControl) }},
	{"what labelling functions abstain by, as Snorkel's", func(name string) bool { return name == "-1" }},
	{"a number too long for a name", regexp.MustCompile(`^[-+]?[0-9]{7,}$`).MatchString},
}

// missingValues are how pandas, Python, JSON, SQL, R and spreadsheets write that there is none.
var missingValues = []string{"nan", "NaN", "NAN", "NaT", "NA", "<NA>", "N/A", "n/a", "#N/A", "null", "Null", "NULL", "None", "nil", "undefined", `\N`}

func enclosed(name string, first, last byte) bool {
	name = strings.TrimSpace(name)
	return len(name) > 1 && name[0] == first && name[len(name)-1] == last
}

// odd returns for each kind of odd names which labels have one.
func odd(labels []LabelCount) []names {
	found := make([]names, len(oddNames))
	for _, label := range labels {
		for kind := range oddNames {
			if oddNames[kind].is(label.Name) {
				found[kind].add(label.Name)
				break
			}
		}
	}
	return found
}

// separators are what stands between labels in one field.
const separators = ",;|#/+&"

// joined are the labels that are several others with a separator between them.
func joined(labels []LabelCount) (found names) {
	for _, label := range labels {
		if slices.ContainsFunc([]byte(separators), func(separator byte) bool { return isJoined(label.Name, string(separator), labels) }) {
			found.add(label.Name)
		}
	}
	return found
}

func isJoined(name, separator string, labels []LabelCount) bool {
	if !strings.Contains(name, separator) {
		return false
	}
	for part := range strings.SplitSeq(name, separator) {
		if !hasLabel(labels, strings.TrimSpace(part)) {
			return false
		}
	}
	return true
}
