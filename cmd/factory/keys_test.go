package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeySourceNoticesWhatIsMissing: a file that once said how many keys it has, is whole
// only as long as it does.
func TestKeySourceNoticesWhatIsMissing(t *testing.T) {
	line := func(tenant string) string { return fmt.Sprintf("%s:%064x\n", tenant, 1) }
	path := filepath.Join(t.TempDir(), "keys")
	source := &keySource{path: path}
	for _, step := range []struct {
		reason, content string
		keys            int
		problem         string
	}{
		{"not counted", line("alice"), 1, ""},
		{"not counted, and changed", line("alice") + line("bob"), 2, ""},
		{"counted", line("alice") + line("bob") + "# keys: 2\n", 2, ""},
		{"cut off within the last line", line("alice") + line("bob") + "# ke", 0, "missing"},
		{"cut off before the last line", line("alice") + line("bob"), 0, "missing"},
		{"cut off between keys", line("alice"), 0, "missing"},
		{"cut off within a key", line("alice")[:50], 0, "line 1"},
		{"cut off at once", "", 0, "no keys"},
		{"counted, and changed", line("bob") + "# keys: 1\n", 1, ""},
		{"meant to have none", "# keys: 0\n", 0, ""},
	} {
		if err := os.WriteFile(path, []byte(step.content), 0o600); err != nil {
			t.Fatal(err)
		}
		keys, err := source.read()
		if len(keys) != step.keys || (err == nil) != (step.problem == "") || err != nil && !strings.Contains(err.Error(), step.problem) {
			t.Errorf("%s: %d keys, %v; want %d and %q", step.reason, len(keys), err, step.keys, step.problem)
		}
	}
}
