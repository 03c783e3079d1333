package classifier

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestNGrams(t *testing.T) {
	for _, test := range []struct {
		reason, a, b string
		same         bool
	}{
		{"case does not matter", "Wo ist MEINE Größe?", "wo ist meine größe?", true},
		{"nor does white space", "where is\tmy  card", " where is my card\n", true},
		{"punctuation stands alone", "lost,card!", "lost , card !", true},
		{"but it counts", "lost card?", "lost card", false},
		{"so does the order of words", "so card lost so", "so lost card so", false},
		{"and the emoji", "fine 🙂", "fine 🙁", false},
		{"a combining mark does not end a word", "हिन्दी", "ह िन ् दी", false},
		{"no space, no word end", "lostcard", "lost card", false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			same := sameNGrams(test.a, test.b)
			if same != test.same {
				t.Errorf("%q and %q have the same n-grams: %v", test.a, test.b, same)
			}
		})
	}
}

func TestNGramsOfLongTexts(t *testing.T) {
	for _, test := range []struct {
		reason, unit string
		words        int
	}{
		{"many words", "card ", 4001},
		{"one run", "明", 5999},
		{"one word", "e", 3},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var n ngrams
			n.extract(strings.Repeat(test.unit, 2000))
			if len(n.words) != test.words {
				t.Errorf("%d word n-grams", len(n.words))
			}
			c := n.characters
			if c.tooMany() || len(c.slots) > longestNGram*c.takenCharacters {
				t.Errorf("%d n-grams of %d characters of %d", len(c.slots), c.takenCharacters, c.characters)
			}
		})
	}
}

// TestCharactersOfLongTextsAreTakenEvenly counts from which tenths of texts characters are
// taken that occur once.
func TestCharactersOfLongTextsAreTakenEvenly(t *testing.T) {
	var tenths [10]int
	taken := 0
	for length := 200; length < 1000; length += 10 {
		var n ngrams
		n.extract(strings.Repeat("card ", length))
		for _, run := range n.characters.taken {
			tenths[10*(run.number-1)/n.characters.count]++
			taken++
		}
	}
	for i, count := range tenths {
		if share := 10 * float64(count) / float64(taken); share < 0.8 || share > 1.2 {
			t.Errorf("tenth %d has %.2f of its share", i, share)
		}
	}
}

func TestVectorGroupsHaveLengthOne(t *testing.T) {
	counter := newFrequencyCounter()
	texts := []string{"where is my card", "my card is lost", "is it?"}
	for _, text := range texts {
		counter.add(text)
	}
	vectorizer := newVectorizer(newVocabulary(len(texts), counter.frequencies, slots))
	for range 2 {
		square := 0.0
		for _, value := range vectorizer.vectorize("My card is, my card was!").values {
			square += float64(value) * float64(value)
		}
		if math.Abs(square-2) > 1e-6 {
			t.Errorf("squared length %v instead of 2", square)
		}
	}
}

func TestVocabularyDropsTheRarestFeatures(t *testing.T) {
	frequencies := make([]uint32, slots)
	frequencies[1], frequencies[2], frequencies[3] = 1, 8, 90
	for _, test := range []struct {
		reason                 string
		documents, maxFeatures int
		want                   []uint32
	}{
		{"of few documents everything counts", 100, 3, []uint32{1, 2, 3}},
		{"of many, what is in one only does not", 1000, 3, []uint32{2, 3}},
		{"the bound holds", 100, 2, []uint32{2, 3}},
		{"the most frequent stay", 100, 1, []uint32{3}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := newVocabulary(test.documents, frequencies, test.maxFeatures).slots; !slices.Equal(got, test.want) {
				t.Errorf("features %v instead of %v", got, test.want)
			}
		})
	}
}

// TestWordsOfLongTextsAreCountedAsTheyCome holds that a long text is the same whether its
// words are listed or not.
func TestWordsOfLongTextsAreCountedAsTheyCome(t *testing.T) {
	var text strings.Builder
	for i := range 3 * heldWords {
		fmt.Fprintf(&text, "word%d says %d ", i%1000, i%7)
	}
	frequencies := make([]uint32, slots)
	for slot := range frequencies {
		frequencies[slot] = 5
	}
	vocabulary := newVocabulary(1, frequencies, slots)
	counted, listed := newVectorizer(vocabulary), newVectorizer(vocabulary)
	listed.ngrams.full = nil
	got, want := counted.vectorize(text.String()), listed.vectorize(text.String())
	if !slices.Equal(got.features, want.features) || !slices.Equal(got.values, want.values) {
		t.Errorf("%d features, listed %d, or others", len(got.features), len(want.features))
	}
	if len(counted.ngrams.words) > heldWords+2 || len(listed.ngrams.words) < 3*heldWords {
		t.Errorf("%d words are listed, and %d where all are", len(counted.ngrams.words), len(listed.ngrams.words))
	}
}
