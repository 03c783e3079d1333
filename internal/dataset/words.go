package dataset

import (
	"math/bits"
	"slices"
	"unicode"
	"unicode/utf8"
)

// maxWords is how many words of an input are compared with those of others. Of a
// longer one it is the first half and the last half of so many.
const maxWords = 64

// wordSet is which words an input has, by their hashes.
type wordSet struct {
	hashes []uint32 // sorted
	count  int      // of all words, however often each occurs
	bits   uint64   // one for each of 64 groups of words, set if there is a word of it
}

// wordReader finds the words of inputs and keeps the memory for the next.
type wordReader struct {
	words []uint32
	hash  uint32 // of the word being read; 0: there is none
}

// read returns the words of the input, valid until the next.
func (r *wordReader) read(sample *Sample) wordSet {
	r.words = r.words[:0]
	r.add(sample.Text)
	for i := range sample.Messages {
		r.add(sample.Messages[i].Content)
	}
	count := len(r.words)
	if count > maxWords {
		r.words = slices.Delete(r.words, maxWords/2, count-maxWords/2)
	}
	slices.Sort(r.words)
	words := wordSet{hashes: slices.Compact(r.words), count: count}
	for _, word := range words.hashes {
		words.bits |= 1 << (word >> 26)
	}
	return words
}

// add finds the runs of letters, digits and symbols, without their case.
func (r *wordReader) add(text string) {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if c = folded[c]; c != 0 {
				r.extend(uint32(c))
			} else if c = text[i]; c != '\'' {
				r.end()
			}
			i++
			continue
		}
		c, size := utf8.DecodeRuneInString(text[i:])
		i += size
		switch {
		case unicode.IsSpace(c) || unicode.IsPunct(c):
			r.end()
		case unicode.In(c, unspaced...):
			r.end()
			r.extend(uint32(c)) //nolint:gosec // a rune is not negative
			r.end()
		default:
			r.extend(uint32(unicode.ToLower(c))) //nolint:gosec // a rune is not negative
		}
	}
	r.end()
}

// unspaced are the scripts that put no space between words. Each of their
// characters counts as one.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

// extend hashes as FNV-1a does, a character at a time.
func (r *wordReader) extend(c uint32) {
	if r.hash == 0 {
		r.hash = 2166136261
	}
	r.hash = (r.hash ^ c) * 16777619
}

func (r *wordReader) end() {
	if r.hash != 0 {
		r.words = append(r.words, mix(r.hash))
		r.hash = 0
	}
}

// mix makes each bit of a hash hang on all of another, as MurmurHash3 does at its end.
func mix(hash uint32) uint32 {
	hash = (hash ^ hash>>16) * 0x85EBCA6B
	hash = (hash ^ hash>>13) * 0xC2B2AE35
	return hash ^ hash>>16
}

// nearlyEqual reports whether all words but one, or one in ten, are in both sets, and
// one input is not much longer than the other.
func (s wordSet) nearlyEqual(other wordSet) bool {
	if 5*min(s.count, other.count) < 4*max(s.count, other.count) {
		return false
	}
	if len(s.hashes) < len(other.hashes) {
		s, other = other, s
	}
	a, b := s.hashes, other.hashes
	allowed := max(1, len(a)/10) // words that the other lacks
	if bits.OnesCount64(s.bits&^other.bits) > allowed {
		return false
	}
	for len(a) > 0 {
		switch {
		case len(b) > 0 && a[0] == b[0]:
			a, b = a[1:], b[1:]
		case len(b) > 0 && b[0] < a[0]:
			b = b[1:]
		default:
			a = a[1:]
			if allowed--; allowed < 0 {
				return false
			}
		}
	}
	return true
}
