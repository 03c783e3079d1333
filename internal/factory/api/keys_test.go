package api

import (
	"strings"
	"testing"
)

func TestReadAPIKeys(t *testing.T) {
	const hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" // of "secret"
	keys, err := ReadKeys(strings.NewReader("# team keys\n\nalice:" + hash + "\r\nalice: " + strings.ToUpper(hash) + "\n"))
	if err != nil || len(keys) != 2 || keys[0] != NewKey("alice", "secret") || keys[1] != keys[0] {
		t.Errorf("ReadAPIKeys() = %v, %v", keys, err)
	}
	for _, test := range []struct{ reason, line string }{
		{"no tenant", ":" + hash},
		{"no hash", "alice"},
		{"the key itself", "alice:secret"},
		{"hash cut off", "alice:" + hash[:60]},
	} {
		_, err := ReadKeys(strings.NewReader("\n" + test.line))
		if err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v; want the line's number and nothing of the key", test.reason, err)
		}
	}
}
