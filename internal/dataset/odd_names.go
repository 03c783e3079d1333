package dataset

import (
	"regexp"
	"slices"
	"strings"
)

// oddNames are what names of labels look like that a program wrote without being asked
// for, and how they are told.
var oddNames = []struct {
	what string
	is   func(name string) bool
}{
	{"a missing value", func(name string) bool { return slices.Contains(missingValues, name) }},
	{"a list or an object", func(name string) bool {
		return enclosed(name, '[', ']') || enclosed(name, '{', '}') || enclosed(name, '(', ')')
	}},
	{"a number with a fraction", regexp.MustCompile(`^[-+]?[0-9]+[.,][0-9]+([eE][-+]?[0-9]+)?$`).MatchString},
	{"a date", regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[/.][0-9]{1,2}[/.]([0-9]{2}){1,2})([T ,].*)?$`).MatchString},
	{"text in quotes", func(name string) bool { return enclosed(name, '"', '"') || enclosed(name, '\'', '\'') }},
	{"nothing at all", func(name string) bool { return name != "" && isInvisible(name) }},
	{"names with white space around", func(name string) bool { return strings.TrimSpace(name) != name }},
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
