package classifier

import (
	"unicode"
	"unicode/utf8"
)

const (
	// slotBits is the size of the hashed feature space. A larger one gains nothing
	// measurable, and a table of this size still fits a processor's cache.
	slotBits = 18
	slots    = 1 << slotBits

	shortestNGram = 2
	longestNGram  = 5

	// characterRunes is how many of a text's word characters character n-grams are taken
	// from, about 150 words. There are ten times as many of them as of words, and they
	// say little more about a long text.
	characterRunes = 800

	// heldWords is how many slots of words are listed before they are counted.
	heldWords = 1 << 14
)

// ngrams holds the slots of one text's n-grams, with repetitions, in two groups.
type ngrams struct {
	words, characters []uint32

	// full takes the words of a long text whenever there are heldWords of them, which
	// are then not in words; nil: all are. A list of millions is copied as it grows, and
	// while Go copies everybody waits who is to be stopped.
	full func(words []uint32)

	seed      uint64 // of the words and characters that are being read
	word      []rune // after a space
	remaining int    // of characterRunes
}

// extract replaces the n-grams by those of text. A word is a run of letters,
// marks and digits; every other character that is not white space is a word of
// its own.
func (n *ngrams) extract(text string) {
	n.words, n.characters, n.remaining = n.words[:0], n.characters[:0], characterRunes
	n.add(text, 0)
}

func (n *ngrams) add(text string, seed uint64) {
	n.word, n.seed = append(n.word[:0], ' '), seed
	previous := uint64(0)
	for _, r := range text {
		kind := kindOf(r)
		if kind != inWord {
			previous = n.endWord(previous)
		}
		switch kind {
		case inWord:
			n.word = append(n.word, lower(r))
		case symbol:
			n.word = append(n.word, r)
			previous = n.endWord(previous)
		}
	}
	if previous = n.endWord(previous); previous != 0 {
		n.words = append(n.words, slot(mix(previous, endSeed)))
	}
}

// endWord adds the n-grams of the word that ends here, if there is one, and returns
// the hash of the last word. previous is that of the word before; the first and the last
// word of a text have a bigram too, with the text's start and end.
func (n *ngrams) endWord(previous uint64) uint64 {
	if len(n.word) == 1 {
		return previous
	}
	hash := wordSeed ^ n.seed
	for _, r := range n.word[1:] {
		hash = mix(hash, uint64(r))
	}
	if len(n.words) >= heldWords && n.full != nil {
		n.full(n.words)
		n.words = n.words[:0]
	}
	n.words = append(n.words, slot(hash), slot(mix(previous, hash)))
	if n.remaining > 0 {
		n.addCharacters()
	}
	n.word = n.word[:1]
	return hash
}

// addCharacters adds the character n-grams of the word between two spaces.
func (n *ngrams) addCharacters() {
	n.word = append(n.word, ' ')
	word := n.word[:min(len(n.word), 1+n.remaining)]
	n.remaining -= len(n.word) - 2
	for start := range word {
		hash := characterSeed ^ n.seed
		for i, r := range word[start:min(start+longestNGram, len(word))] {
			hash = mix(hash, uint64(r))
			if i+1 >= shortestNGram {
				n.characters = append(n.characters, slot(hash))
			}
		}
	}
}

type runeKind uint8

const (
	space runeKind = iota
	inWord
	symbol
)

func kindOf(r rune) runeKind {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return inWord
	case r <= ' ':
		return space
	case r < utf8.RuneSelf:
		return symbol
	case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r):
		return inWord
	case unicode.IsSpace(r):
		return space
	default:
		return symbol
	}
}

func lower(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	return unicode.ToLower(r)
}

// The seeds keep equal words and character n-grams apart.
const (
	wordSeed      = uint64(0x9e3779b97f4a7c15)
	characterSeed = uint64(0xc2b2ae3d27d4eb4f)
	endSeed       = uint64(0x27d4eb2f165667c5)
)

// mix is the step of the FNV-1a hash, taken over whole values instead of bytes.
func mix(hash, value uint64) uint64 {
	return (hash ^ value) * 0x100000001b3
}

// slot spreads a hash's entropy to its upper bits and keeps those.
func slot(hash uint64) uint32 {
	hash ^= hash >> 32
	return uint32(hash * 0x9e3779b97f4a7c15 >> (64 - slotBits))
}
