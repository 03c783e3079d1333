package source

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"gocloud.dev/blob"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// selection says which objects under a prefix are samples.
type selection struct {
	prefix           string
	include, exclude []string
}

// parseSelection repeats the pattern that it refuses: whoever reads the error wrote it.
func parseSelection(prefix string, spec *classifierv1alpha1.ObjectStorageSource) (selection, error) {
	for _, field := range []struct {
		name     string
		patterns []string
	}{{"include", spec.Include}, {"exclude", spec.Exclude}} {
		for _, pattern := range field.patterns {
			if problem := patternProblem(pattern); problem != "" {
				return selection{}, invalidURL(fmt.Sprintf("%s has the pattern %q, %s", field.name, pattern, problem))
			}
		}
	}
	return selection{prefix, spec.Include, spec.Exclude}, nil
}

// patternProblem is what is wrong with a pattern, as the end of a sentence.
func patternProblem(pattern string) string {
	if strings.Contains(pattern, "{") {
		// Matching them takes a time that doubles with each pair of braces.
		return "which has braces; write a pattern for each of the alternatives"
	}
	for segment := range strings.SplitSeq(pattern, "/") {
		if strings.Contains(segment, "**") && segment != "**" {
			return "in which ** does not stand by itself between slashes; write it as in **/*.jsonl"
		}
	}
	if !doublestar.ValidatePattern(pattern) {
		return `which is no pattern: a [ is not closed, or a \ stands at the end`
	}
	return ""
}

// cause is why an object is left out.
type cause int

const (
	notLeftOut cause = iota
	byName
	byEmptiness
	byInclude
	byExclude
)

// causeTexts follow a number of objects.
var causeTexts = [...]string{
	byName:      "by their names",
	byEmptiness: "without content",
	byInclude:   "that no pattern of include matches",
	byExclude:   "that a pattern of exclude matches",
}

// causeOf holds an object against the rules by which Spark, Hive and Hadoop leave out
// what is no data, and against the patterns.
func (s selection) causeOf(listed *blob.ListObject) cause {
	name := strings.TrimPrefix(listed.Key, s.prefix)
	switch {
	case isHidden(name):
		return byName
	case listed.Size <= 0:
		return byEmptiness
	case len(s.include) > 0 && !matchesAny(s.include, name):
		return byInclude
	case matchesAny(s.exclude, name):
		return byExclude
	}
	return notLeftOut
}

// isHidden reports whether an object is bookkeeping of those who write data, or not
// written to its end. A _ begins data where it begins the name of a column, as in
// the folder _c0=1.
func isHidden(name string) bool {
	for segment := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(segment, ".") || strings.HasPrefix(segment, "_") && !strings.Contains(segment, "=") {
			return true
		}
	}
	return strings.HasSuffix(name, ".crc") || strings.HasSuffix(name, "._COPYING_")
}

// isFolderMarker reports whether an object stands for a folder in consoles and in
// Hadoop.
func isFolderMarker(listed *blob.ListObject) bool {
	return listed.Size <= 0 && (strings.HasSuffix(listed.Key, "/") || strings.HasSuffix(listed.Key, "_$folder$"))
}

func matchesAny(patterns []string, name string) bool {
	for _, pattern := range patterns {
		if doublestar.MatchUnvalidated(pattern, name) {
			return true
		}
	}
	return false
}

// nameOf is an object's name as a person recognises it: below the prefix, or without
// the folders that it is in.
func (l location) nameOf(object string) string {
	if l.isPrefix() {
		return strings.TrimPrefix(object, l.name)
	}
	return path.Base(object)
}

const (
	// namedObjects is how many of the objects that are left out are named.
	namedObjects = 3
	// namedRunes is how much is shown of each name.
	namedRunes = 80
)

// leftOut are the objects under a prefix that are no samples.
type leftOut struct {
	count    int
	byCause  [len(causeTexts)]int
	examples []string
}

func (l *leftOut) add(name string, why cause) {
	l.count++
	l.byCause[why]++
	if len(l.examples) < namedObjects {
		l.examples = append(l.examples, shown(name))
	}
}

// String is empty if nothing is left out.
func (l *leftOut) String() string {
	switch l.count {
	case 0:
		return ""
	case 1:
		return "1 object is left out: " + l.names()
	}
	return fmt.Sprintf("%d objects are left out: %s", l.count, l.names())
}

func (l *leftOut) names() string {
	names := strings.Join(l.examples, ", ")
	if more := l.count - len(l.examples); more > 0 {
		names = fmt.Sprintf("%s and %d more", names, more)
	}
	return names
}

// causes says how many are left out why.
func (l *leftOut) causes() string {
	var all []string
	for why, count := range l.byCause {
		if count > 0 {
			all = append(all, fmt.Sprintf("%d %s", count, causeTexts[why]))
		}
	}
	return strings.Join(all, ", ")
}

// shown is an object's name as messages show it.
func shown(name string) string {
	printable := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, name)
	if runes := []rune(printable); len(runes) > namedRunes {
		return string(runes[:namedRunes]) + "…"
	}
	return printable
}
