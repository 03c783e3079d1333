package api

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

func TestReadAPIKeys(t *testing.T) {
	const hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" // of "secret"
	keys, err := ReadKeys(strings.NewReader("# team keys\n\nalice:" + hash + "\r\nalice: " + strings.ToUpper(hash) + "\n"))
	if err != nil || len(keys) != 2 || keys[0] != NewKey("alice", "secret") || keys[1] != keys[0] {
		t.Errorf("ReadAPIKeys() = %v, %v", keys, err)
	}
	hashOf := func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }
	for _, test := range []struct{ reason, line string }{
		{"no tenant", ":" + hash},
		{"no hash", "alice"},
		{"the key itself", "alice:secret"},
		{"hash cut off", "alice:" + hash[:60]},
		{"hash cut off behind scopes", "alice:classify:" + hash[:60]},
		{"no scope", "alice::" + hash},
		{"an unknown scope", "alice:classify,everything:" + hash},
		{"scopes behind the hash: cut off there, it would have all", "alice:" + hash + ":classify"},
		{"the hash of nothing", "alice:" + hashOf("")},
		{"the hash of nothing, in upper case", "alice:" + strings.ToUpper(hashOf(""))},
		{"the hash of nothing, with scopes", "alice:classify:" + hashOf("")},
		{"the hash of an end of line", "alice:" + hashOf("\n")},
		{"the hash of an end of line of Windows", "alice:" + hashOf("\r\n")},
		{"the hash of a space", "alice:" + hashOf(" ")},
		{"the hash of a space and an end of line", "alice:" + hashOf(" \n")},
		{"the hash of a tab", "alice:" + hashOf("\t")},
		{"a count that is none", "# keys: many"},
		{"a negative count", "# keys: -1"},
	} {
		_, err := ReadKeys(strings.NewReader("\n" + test.line))
		if err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v; want the line's number and nothing of the key", test.reason, err)
		}
	}
}

// TestKeyCount: a file that says how many keys it has, has as many.
func TestKeyCount(t *testing.T) {
	const line = "alice:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\n"
	for _, test := range []struct {
		reason, content string
		want            int // -1: refused
	}{
		{"none is said", line + line, 2},
		{"last", line + line + "# keys: 2\n", 2},
		{"last, without an end", line + "# keys: 1", 1},
		{"first", "# keys: 1\n" + line, 1},
		{"a comment that is no count", "# keys of the team\n" + line, 1},
		{"cut off between lines", "# keys: 2\n" + line, -1},
		{"a line too many", line + line + "# keys: 1\n", -1},
		{"cut off within the count", strings.Repeat(line, 12) + "# keys: 1", -1},
		{"said twice", line + "# keys: 1\n# keys: 1\n", -1},
		{"meant to be empty", "# keys: 0\n", 0},
		{"empty", "", -1},
		{"white space", "\n \n", -1},
		{"comments alone", "# team keys\n", -1},
	} {
		keys, err := ReadKeys(strings.NewReader(test.content))
		if (err != nil) != (test.want < 0) || err == nil && len(keys) != test.want {
			t.Errorf("%s: %d keys, %v; want %d", test.reason, len(keys), err, test.want)
		}
	}
}

func TestScopesOfALine(t *testing.T) {
	const hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
	keys, err := ReadKeys(strings.NewReader("alice:" + hash + "\nalice: classify, train :" + hash + "\n"))
	if err != nil || keys[0].Scopes != store.AllScopes || keys[1].Scopes != store.ScopeClassify|store.ScopeTrain {
		t.Errorf("ReadKeys() = %v, %v; want all scopes without any, as ever", keys, err)
	}
}
