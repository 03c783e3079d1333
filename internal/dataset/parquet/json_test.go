package parquet

import "testing"

// TestAppendQuoted holds that texts stay as they are.
func TestAppendQuoted(t *testing.T) {
	for _, test := range []struct{ reason, text, want string }{
		{"nothing", "", `""`},
		{"beyond ASCII", "Grüße 🙂", `"Grüße 🙂"`},
		{"a quote and a backslash", `say "a\b"`, `"say \"a\\b\""`},
		{"characters with a short form", "a\nb\rc\t", `"a\nb\rc\t"`},
		{"other control characters", "\x00a\x1F", `"\u0000a\u001f"`},
		{"no UTF-8, which is for others to find", "a\xFFb", "\"a\xFFb\""},
	} {
		if got := string(appendQuoted([]byte("{"), []byte(test.text))); got != "{"+test.want {
			t.Errorf("%s: got %s", test.reason, got)
		}
	}
}
