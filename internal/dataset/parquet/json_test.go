package parquet

import (
	"strings"
	"testing"
)

// TestAppendQuoted holds that texts stay as they are, short or long.
func TestAppendQuoted(t *testing.T) {
	for _, test := range []struct{ reason, text, want string }{
		{"nothing", "", `""`},
		{"beyond ASCII", "Grüße 🙂", `"Grüße 🙂"`},
		{"a quote and a backslash", `say "a\b"`, `"say \"a\\b\""`},
		{"characters with a short form", "a\nb\rc\t", `"a\nb\rc\t"`},
		{"other control characters", "\x00a\x1F", `"\u0000a\u001f"`},
		{"no UTF-8, which is for others to find", "a\xFFb", "\"a\xFFb\""},
	} {
		for _, plain := range []string{"", "a", strings.Repeat("b", 8), strings.Repeat("ß", 20)} {
			want := `{"` + plain + test.want[1:len(test.want)-1] + plain + `"`
			if got := string(appendQuoted([]byte("{"), []byte(plain+test.text+plain))); got != want {
				t.Errorf("%s: got %s, want %s", test.reason, got, want)
			}
		}
	}
}

// TestIsPlain looks for each byte at each place of a word.
func TestIsPlain(t *testing.T) {
	for c := range 256 {
		for place := range 8 {
			word := uint64(0x6161616161616161)&^(0xFF<<(8*place)) | uint64(c)<<(8*place)
			if got, want := isPlain(word), c >= ' ' && c != '"' && c != '\\'; got != want {
				t.Errorf("%#x: got %t", word, got)
			}
		}
	}
}
