package classifier

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// everything is a vocabulary of all features.
func everything() *vocabulary {
	frequencies := make([]uint32, slots)
	for slot := range frequencies {
		frequencies[slot] = 1
	}
	return newVocabulary(1, frequencies, slots)
}

var normalForms = map[string]norm.Form{"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD}

// composedTexts have characters that can be written in several ways.
var composedTexts = []struct{ reason, text string }{
	{"accents", "Où est la carte que j’ai commandée à Orléans ?"},
	{"letters with two marks", "Tôi muốn hủy đơn hàng của tôi. Đường Nguyễn Huệ ở đâu?"},
	{"syllables of Korean", "지난주에 주문한 소포는 어디에 있나요?"},
	{"voiced kana", "ガイドブックをください。ぱぴぷぺぽ"},
	{"Greek with accents, and a last sigma", "Πού είναι ο λογαριασμός μου; ᾄδω"},
	{"Cyrillic with a breve", "Мой заказ ещё в пути"},
	{"a nukta", "मुझे क़र्ज़ चाहिए"},
	{"marks of vowels", "أين طلبي؟ شُكْرًا، إلى آخره"},
	{"Hebrew with points", "שָׁלוֹם, אֵיפֹה הַחֲבִילָה?"},
	{"vowels and tones of Thai", "ขอเปลี่ยนที่อยู่จัดส่ง น้ำ"},
	{"Burmese", "ဥပဒေ ဦး ကျေးဇူးတင်ပါတယ်"},
	{"a Turkish capital", "İstanbul'a iptal"},
	{"a sharp s", "Straße"},
	{"a long text", strings.Repeat("Où est la carte commandée ? 소포는 어디에 있나요 ", 200)},
}

func TestNormalisation(t *testing.T) {
	examples, decomposed := colourExamples(60), colourExamples(60)
	for i := range examples {
		text := examples[i].Text + " " + composedTexts[i%(len(composedTexts)-1)].text
		examples[i].Text, decomposed[i].Text = norm.NFC.String(text), norm.NFD.String(text)
	}
	options := Options{Targets: []Target{colours}, Seed: 1}
	model := train(t, examples, nil, options)
	if !bytes.Equal(encode(t, model), encode(t, train(t, decomposed, nil, options))) {
		t.Error("the same texts in another form train another model")
	}
	vectorizer := newVectorizer(everything())
	for _, test := range composedTexts {
		t.Run(test.reason, func(t *testing.T) {
			want, scores := vectorizer.vectorize(test.text).clone(), model.Classify(test.text, nil)
			for form, normal := range normalForms {
				got := vectorizer.vectorize(normal.String(test.text))
				if !slices.Equal(got.features, want.features) || !slices.Equal(got.values, want.values) {
					t.Errorf("%s has another vector", form)
				}
				if got := model.Classify(normal.String(test.text), nil); !slices.Equal(got[0], scores[0]) {
					t.Errorf("%s has scores %v instead of %v", form, got, scores)
				}
			}
		})
	}
}

func TestFolding(t *testing.T) {
	for _, test := range []struct {
		reason, a, b string
		same         bool
	}{
		{"case", "Turn on the LIGHT", "turn on the light", true},
		{"case beyond ASCII", "GRÖSSE ΠΟΎ ЁЖ ԲԱՐԵՎ", "grösse πού ёж բարեվ", true},
		{"white space of other scripts", "top\u00A0up\u2003fails\u3000", "top up fails", true},
		{"marks in another order", "e\u0323\u0302", "\u00EA\u0323", true},
		{"marks with a zero width space between them", "e\u0302\u200B\u0323", "\u00EA\u0323", true},
		{"a mark after a soft hyphen", "cafe\u00AD\u0301", "café", true},
		{"full width", "ＴＯＰ　ｕｐ１", "top up1", true},
		{"half width", "ｶﾞｲﾄﾞ", "ガイド", true},
		{"ligatures", "ﬁne oﬀer", "fine offer", true},
		{"signs that stand for words", "№ 5 ⑸ ℡", "No 5 (5) TEL", true},
		{"three dots in one", "wait…", "wait...", true},
		{"a sharp s", "Straße", "STRASSE", true},
		{"a capital sharp s", "STRAẞE", "straße", true},
		{"sigma at a word's end", "ΟΔΟΣ", "οδος", true},
		{"a dotted capital I", "İPTAL", "iptal", true},
		{"small letters that others make of it", "i\u0307ptal", "iptal", true},
		{"a capital I that has no dot in Turkish", "ISI", "ısı", true},
		{"zero width characters", "top\u200Bup\u200D\u2060 \u200Cfails", "topup fails", true},
		{"a byte order mark", "\uFEFFtop", "top", true},
		{"a soft hyphen", "trans\u00ADfer", "transfer", true},
		{"marks of direction", "\u200Etop\u202E\u2066", "top", true},
		{"how an emoji is shown", "❤\uFE0F", "❤", true},
		{"a filler", "top\u3164up\uFFA0", "topup", true},
		{"what a mark is on where a piece ends", strings.Repeat("e", longestPiece) + "\u0301", strings.Repeat("e", longestPiece-1) + "é", true},
		{"punctuation says something", "top up?", "top up!", false},
		{"full width, too", "top up？", "top up?", true},
		{"symbols", "5 €", "5 £", false},
		{"other accents", "pêche", "péché", false},
		{"other scripts", "a", "а", false},
		{"where a word ends", "top up", "topup", false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if same := sameNGrams(test.a, test.b); same != test.same {
				t.Errorf("%q and %q have the same n-grams: %v", test.a, test.b, same)
			}
		})
	}
}

// sameNGrams reports whether two texts have the same n-grams, in whatever order.
func sameNGrams(a, b string) bool {
	var m, n ngrams
	m.extract(a)
	n.extract(b)
	for _, group := range [][]uint32{m.words, n.words, m.characters.slots, n.characters.slots} {
		slices.Sort(group)
	}
	return slices.Equal(m.words, n.words) && slices.Equal(m.characters.slots, n.characters.slots)
}

// However a text is encoded, its n-grams are the same.
func TestFoldingIsOfWhatIsSaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.Rune()).Draw(t, "text")
		for form, normal := range normalForms {
			if !sameNGrams(text, normal.String(text)) {
				t.Errorf("%q: %s has other n-grams", text, form)
			}
		}
	})
}

func TestReadingTextsDoesNotAllocate(t *testing.T) {
	var n ngrams
	for _, test := range composedTexts {
		for _, text := range []string{test.text, norm.NFD.String(test.text)} {
			n.extract(text)
			if allocations := testing.AllocsPerRun(100, func() { n.extract(text) }); allocations > 0 {
				t.Errorf("%s: %v allocations", test.reason, allocations)
			}
		}
	}
}
