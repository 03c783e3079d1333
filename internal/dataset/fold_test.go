package dataset

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func fold(text string) string { return foldText(text) }

func TestFolding(t *testing.T) {
	tests := []struct {
		reason string
		a, b   string
		same   bool
	}{
		{"case", "Turn on the LIGHT", "turn on the light", true},
		{"white space", " top  up\tfails\r\n", "topupfails", true},
		{"white space of other scripts", "top\u00A0up\u2003fails\u3000", "top up fails", true},
		{"punctuation", "top-up, fails!", "top up fails", true},
		{"punctuation of other scripts", "¿«top up»… 。", "top up", true},
		{"composed and decomposed letters", "caf\u00E9", "cafe\u0301", true},
		{"marks in another order", "e\u0323\u0302", "\u00EA\u0323", true},
		{"marks with a zero width space between them", "e\u0302\u200B\u0323", "\u00EA\u0323", true},
		{"full width", "ＴＯＰ　ｕｐ１", "top up 1", true},
		{"half width", "ｶﾞｲﾄﾞ", "ガイド", true},
		{"ligatures", "ﬁne oﬀer", "fine offer", true},
		{"composed syllables of Korean", "한국어", norm.NFD.String("한국어"), true},
		{"signs that stand for words", "№ 5 ⑸ ℡", "No 5 (5) TEL", true},
		{"a sharp s", "Straße", "STRASSE", true},
		{"a capital sharp s", "STRAẞE", "strasse", true},
		{"sigma at a word's end", "ΟΔΟΣ", "οδος", true},
		{"a dotted capital I", "İ", "i\u0307", true},
		{"an I without dot is another letter", "ılık", "ilik", false},
		{"a zero width space", "top\u200Bup", "topup", true},
		{"a zero width joiner", "a\u200Db", "ab", true},
		{"a byte order mark", "\uFEFFtop", "top", true},
		{"a soft hyphen", "trans\u00ADfer", "transfer", true},
		{"marks of direction", "\u200Etop\u202E\u2066", "top", true},
		{"how an emoji is shown", "❤\uFE0F", "❤", true},
		{"a filler", "top\u3164up\uFFA0", "topup", true},
		{"control characters", "top\x00\x1B\u0085", "top", true},
		{"symbols are no punctuation", "C++", "C", false},
		{"symbols beyond ASCII", "5 €", "5 £", false},
		{"which side is greater", "a > b", "a < b", false},
		{"other letters", "top up", "top down", false},
		{"other accents", "pêche", "péché", false},
		{"other scripts", "a", "а", false},
		{"nothing but punctuation", "?", "!", false},
		{"nothing but punctuation, with white space", "? !\u200B", "?!", true},
		{"nothing but punctuation and a letter", "?!", "a", false},
		{"nothing but punctuation, full width", "？", "?", true},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			if got := fold(test.a) == fold(test.b); got != test.same {
				t.Errorf("%q and %q: %q and %q", test.a, test.b, fold(test.a), fold(test.b))
			}
		})
	}
}

// Characters have the same folding when Unicode's tables make them the same.
func TestCharactersFoldAsUnicodeFoldsThem(t *testing.T) {
	unicodes := cases.Fold()
	seen := map[string]string{}
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if isLeftOut(r) || unicode.Is(unicode.Cs, r) {
			continue
		}
		want := norm.NFKD.String(unicodes.String(norm.NFKD.String(string(r))))
		if got := fold(string(r)); got != fold(want) {
			t.Errorf("%U folds to %q, but %q to %q", r, got, want, fold(want))
		}
		if strings.ContainsFunc(want, isLeftOut) || unicode.Is(unicode.Cherokee, r) {
			continue // nothing is left of it, or the library gives capitals small letters and the reverse
		}
		if other, ok := seen[fold(want)]; ok && other != want {
			t.Errorf("%q and %q have the same folding", want, other)
		}
		seen[fold(want)] = want
	}
}

// However a text is written, its folding is the same, and is its own folding.
func TestFoldingIsOfWhatIsSaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom(nil, unicode.Letter, unicode.Digit, unicode.Punct, unicode.Space, unicode.Symbol, unicode.Cf)).Draw(t, "text")
		folding := fold(text)
		if again := fold(folding); again != folding {
			t.Errorf("%q folds to %q, and that to %q", text, folding, again)
		}
		for form, other := range map[string]string{
			"NFC": norm.NFC.String(text), "NFD": norm.NFD.String(text), "NFKC": norm.NFKC.String(text), "NFKD": norm.NFKD.String(text),
			"with spaces": strings.Join(strings.Split(text, ""), " "),
		} {
			if got := fold(other); got != folding {
				t.Errorf("%s: %q folds to %q, want %q", form, other, got, folding)
			}
		}
		if (folding == "") != isInvisible(text) {
			t.Errorf("%q folds to %q", text, folding)
		}
	})
}

func TestFoldingDoesNotAllocate(t *testing.T) {
	f := folder{data: make([]byte, 0, 1000), ends: make([]uint32, 0, 1000)}
	for reason, text := range map[string]string{
		"ASCII": "Where is my parcel, which I ordered last week?", "accents": "Où est la carte que j’ai commandée ?",
		"Chinese": "我的包裹在哪里？", "Korean": "소포는 어디에 있나요?", "Russian": "Где моя посылка?",
	} {
		if allocations := testing.AllocsPerRun(100, func() { f.data, f.ends = f.data[:0], f.ends[:0]; f.fold(text) }); allocations > 0 {
			t.Errorf("%s: %v allocations", reason, allocations)
		}
	}
}

func BenchmarkFold(b *testing.B) {
	for _, text := range []struct{ name, text string }{
		{"ASCII", "Where is my parcel, which I ordered last week?"}, {"accents", "Où est la carte que j’ai commandée ?"}, {"Chinese", "我的包裹在哪里？我上周订的。"},
		{"Korean", "지난주에 주문한 소포는 어디에 있나요?"}, {"Russian", "Где моя посылка, которую я заказал"},
	} {
		b.Run(text.name, func(b *testing.B) {
			b.SetBytes(int64(len(text.text)))
			var f folder
			for b.Loop() {
				f.data, f.ends = f.data[:0], f.ends[:0]
				f.fold(text.text)
			}
		})
	}
}
