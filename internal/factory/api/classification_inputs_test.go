package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

func TestTexts(t *testing.T) {
	for _, test := range []struct {
		reason, input string
		want          []string // nil: refused
	}{
		{"one", `"a"`, []string{"a"}},
		{"a list", ` [ "a" , "" , "bc" ] `, []string{"a", "", "bc"}},
		{"an empty list", `[]`, []string{}},
		{"escape sequences", `["a\n\u00e9", "\ud83d\ude00\"", "é"]`, []string{"a\né", "😀\"", "é"}},
		{"null for a text", `["a", null]`, nil},
		{"half a surrogate pair", `["\ud83d"]`, nil},
		{"no UTF-8", "[\"\xff\"]", nil},
		{"no text", `["a", {"b": "c"}, "d"]`, nil},
		{"a list in a list", `["a", ["b"]]`, nil},
		{"no comma", `["a" "b"]`, nil},
		{"no end", `["a", "b"`, nil},
		{"a number", `1`, nil},
	} {
		var decoded texts
		err := json.Unmarshal([]byte(test.input), &decoded)
		if (err == nil) != (test.want != nil) {
			t.Errorf("%s: %v", test.reason, err)
		}
		if err != nil {
			continue
		}
		var got []string
		for i := range decoded.len() {
			got = append(got, decoded.at(i))
		}
		if !decoded.given || !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.reason, got, test.want)
		}
	}
	var absent texts
	if err := json.Unmarshal([]byte(`null`), &absent); err != nil || absent.given {
		t.Errorf("null: %+v, %v; want it to be as good as absent", absent, err)
	}
}

// TestLongTextsAreReadInPieces holds that nothing is lost where pieces meet.
func TestLongTextsAreReadInPieces(t *testing.T) {
	for _, unit := range []string{"a", "ä", "語", "😀", `\n`, `\\`, `\"`, `\u00e4`, `\ud83d\ude00`, `a\\\n`, `😀\ud83d\ude00x`} {
		for shift := range 13 {
			quoted := `"` + strings.Repeat("x", shift) + strings.Repeat(unit, 2*pieceBytes/len(unit)+3) + `"`
			var want string
			if err := json.Unmarshal([]byte(quoted), &want); err != nil {
				t.Fatal(err)
			}
			var got texts
			if err := json.Unmarshal([]byte(quoted), &got); err != nil || got.len() != 1 || got.at(0) != want {
				t.Errorf("%d characters before %s: %d texts, %v", shift, unit, got.len(), err)
			}
			for form, body := range map[string]string{
				want:                         quoted,
				want + "\n" + want + "\nend": `[{"type": "text", "text": ` + quoted + `}, {"text": ` + quoted + `}, {"text": ""}, {"text": "end"}]`,
			} {
				var content contentText
				if err := json.Unmarshal([]byte(body), &content); err != nil || content.text != form {
					t.Errorf("%d characters before %s in a message: %d bytes instead of %d, %v", shift, unit, len(content.text), len(form), err)
				}
			}
		}
	}
}
