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

	// characterRunes is how far into a text character n-grams are taken, about 150
	// words. They are ten times as many as the words, and say little more about long texts.
	characterRunes = 1000
)

// ngrams holds the slots of one text's n-grams, with repetitions, in two groups.
type ngrams struct {
	words, characters []uint32
	word              []rune
}

// extract replaces the n-grams by those of text. A word is a run of letters,
// marks and digits; every other character that is not white space is a word of
// its own.
func (n *ngrams) extract(text string) {
	n.words, n.characters = n.words[:0], n.characters[:0]
	n.word = append(n.word[:0], ' ')
	previous := uint64(0)
	position := 0
	for i := 0; i < len(text); position++ {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		i += size
		kind := kindOf(r)
		if kind != inWord {
			previous = n.endWord(previous, position)
		}
		switch kind {
		case inWord:
			n.word = append(n.word, lower(r))
		case symbol:
			n.word = append(n.word, r)
			previous = n.endWord(previous, position)
		}
	}
	n.endWord(previous, position)
}

// endWord adds the n-grams of the word that ends here, if there is one, and
// returns its hash.
func (n *ngrams) endWord(previous uint64, position int) uint64 {
	if len(n.word) == 1 {
		return previous
	}
	hash := uint64(wordSeed)
	for _, r := range n.word[1:] {
		hash = mix(hash, uint64(r))
	}
	n.words = append(n.words, slot(hash), slot(mix(previous, hash)))
	if position <= characterRunes {
		n.word = append(n.word, ' ')
		n.addCharacters()
	}
	n.word = n.word[:1]
	return hash
}

func (n *ngrams) addCharacters() {
	for start := range n.word {
		hash := uint64(characterSeed)
		for i, r := range n.word[start:min(start+longestNGram, len(n.word))] {
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
	wordSeed      = 0x9e3779b97f4a7c15
	characterSeed = 0xc2b2ae3d27d4eb4f
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
