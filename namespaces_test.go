package main

import (
	"strings"
	"testing"
)

// TestNamespacesAreNames holds that a slip in --watch-namespaces does not make the operator
// look at every namespace, which "" stands for.
func TestNamespacesAreNames(t *testing.T) {
	for list, accepted := range map[string]bool{
		"team-a":         true,
		"team-a,team-b":  true,
		"":               false,
		"team-a,":        false,
		",team-a":        false,
		"team-a, team-b": false,
		"Team":           false,
		"*":              false,
	} {
		if err := checkNamespaces(strings.Split(list, ",")); (err == nil) != accepted {
			t.Errorf("%q: %v", list, err)
		}
	}
}
