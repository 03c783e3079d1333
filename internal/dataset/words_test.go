package dataset

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// wordsOf reads the words of a text as a preparation does.
func wordsOf(text string) (hashes []uint32, count int) {
	var folder folder
	var reader wordReader
	folder.fold(text)
	return reader.read(&folder)
}

// TestWords reads ASCII and other texts.
func TestWords(t *testing.T) {
	tests := []struct {
		reason, text, same string
		count              int
	}{
		{"case, white space and punctuation", "Where's  my CARD?", "wheres my card", 3},
		{"symbols and digits belong to words", "a+b $5", "A+B $5", 2},
		{"a long word", "Donaudampfschifffahrt", "donaudampfschifffahrt", 1},
		{"a word of eight letters", "Parcels!", "parcels", 1},
		{"nothing but punctuation", "?!", "...", 0},
		{"a control character parts words", "a\x01b", "a b", 2},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			words, count := wordsOf(test.text)
			same, _ := wordsOf(test.same)
			beyond, beyondCount := wordsOf(test.text + " é")
			if count != test.count || test.reason != "a word of eight letters" && !slices.Equal(words, same) {
				t.Errorf("%d words, %v and %v", count, words, same)
			}
			if beyondCount != count+1 || !slices.Equal(beyond[:count], words) {
				t.Errorf("beside a word that is not ASCII they are %v, want %v", beyond, words)
			}
		})
	}
}

func TestWordsDiffer(t *testing.T) {
	seen := map[uint32]string{}
	for i := range 5000 {
		for _, word := range []string{fmt.Sprint(i), fmt.Sprintf("word%d", i), fmt.Sprintf("%d-and-a-long-one", i)[:len(fmt.Sprint(i))], strings.Repeat("x", i%40) + fmt.Sprint("y", i)} {
			hashes, _ := wordsOf(word)
			if other, ok := seen[hashes[0]]; ok && other != word {
				t.Errorf("%q and %q are the same", word, other)
			}
			seen[hashes[0]] = word
		}
	}
}

// TestWordsOfALongText keeps the first and the last.
func TestWordsOfALongText(t *testing.T) {
	text := manyWords(1, 1000)
	words := strings.Fields(text)
	want, _ := wordsOf(strings.Join(slices.Concat(words[:maxWords/2], words[1000-maxWords/2:]), " "))
	if got, count := wordsOf(text); !slices.Equal(got, want) || count != 1000 || len(got) != maxWords {
		t.Errorf("%d words, of which %d are kept", count, len(got))
	}
}

// TestSpread lets hashes differ in few bits, as those of crafted words may.
func TestSpread(t *testing.T) {
	for _, step := range []uint64{1, 1 << 12, 1 << 31, 1 << 50} {
		spread := newSpread(4000)
		taken := make([]int, spread.places())
		for i := range uint64(2000) {
			taken[spread.place(i*step)]++
		}
		if most := slices.Max(taken); len(taken) != 4096 || most > 40 {
			t.Errorf("of 2000 hashes %d bits apart %d have the same of %d places", step, most, len(taken))
		}
	}
}
