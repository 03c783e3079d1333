package marks

import (
	"regexp"
	"strings"
)

// A mark tells whose a thing is to who knows the owner, and of an unknown owner no more
// than that there was one: it is a hash. So these say that something is marked, not by whom.

var (
	hash     = regexp.MustCompile(`^[a-z2-7]{8}$`)
	fileName = regexp.MustCompile(`^(` + FileNames + `(?:[a-z2-7]{8}|[0-9a-f]{8})-)[0-9a-f]{16}\.jsonl$`)
)

// MarkerIn is the marker that a job's suffix ends with; empty if it has none.
func MarkerIn(suffix string) string {
	marker := suffix[strings.LastIndex(suffix, "-")+1:]
	if !hash.MatchString(marker) {
		return ""
	}
	return marker
}

// PrefixIn is the prefix of a dataset that a file's name starts with; empty if the name is
// not one that a dataset gives.
func PrefixIn(name string) string {
	if parts := fileName.FindStringSubmatch(name); parts != nil {
		return parts[1]
	}
	return ""
}

// IsKeyName reports whether a key's name is one that an operator gives.
func IsKeyName(name string) bool {
	owner, found := strings.CutPrefix(name, KeyNames)
	return found && hash.MatchString(owner)
}
