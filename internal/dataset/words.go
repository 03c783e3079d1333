package dataset

import (
	"encoding/binary"
	"slices"
	"unicode"
	"unicode/utf8"
)

// maxWords is how many words of an input are compared with those of others. Of a
// longer one it is the first half and the last half of so many.
const maxWords = 64

// wordSpan is where a word is in data.
type wordSpan struct{ start, end uint32 }

func newWordSpan(start, end int) wordSpan {
	return wordSpan{uint32(start), uint32(end)} //nolint:gosec // a row is far shorter
}

// wordReader finds the words of inputs and keeps the memory for the next.
type wordReader struct {
	hashes []uint32
	data   []byte // words that are not ASCII, and others of the input
	words  []wordSpan
}

// read returns hashes of the words of the input that the hasher has folded, valid until the
// next, and how many words it has.
func (r *wordReader) read(sample *Sample, input *inputHasher) (hashes []uint32, count int) {
	if input.ascii {
		input.data = r.hash(input.data, input.words)
		return r.hashes, len(input.words)
	}
	r.data, r.words = r.data[:0], r.words[:0]
	r.add(sample.Text)
	for i := range sample.Messages {
		r.add(sample.Messages[i].Content)
	}
	r.data = r.hash(r.data, r.words)
	return r.hashes, len(r.words)
}

// hash hashes the first and the last words. It returns the data, perhaps in another place.
func (r *wordReader) hash(data []byte, words []wordSpan) []byte {
	data = slices.Grow(data, wordBytes)
	r.hashes = r.hashes[:0]
	for i, word := range words {
		if i < maxWords/2 || i >= len(words)-maxWords/2 {
			r.hashes = append(r.hashes, hashWord(data, word))
		}
	}
	return data
}

const wordBytes = 8

// hashWord hashes so many bytes at a time. The data has room for as many after the word.
func hashWord(data []byte, word wordSpan) uint32 {
	hash := uint64(0)
	for at := word.start; at < word.end; at += wordBytes {
		next := binary.LittleEndian.Uint64(data[at : at+wordBytes])
		if left := word.end - at; left < wordBytes {
			next &= 1<<(8*left) - 1
		}
		hash = (hash ^ next) * 0x9E3779B97F4A7C15
		hash ^= hash >> 32
	}
	return uint32(hash)
}

// add finds the runs of letters, digits and symbols, without their case.
func (r *wordReader) add(text string) {
	start := len(r.data)
	for _, c := range text {
		switch {
		case c < utf8.RuneSelf: // needs no look into tables
			if folded[c] != 0 {
				r.data = append(r.data, folded[c])
			} else if c != '\'' {
				start = r.end(start)
			}
		case unicode.IsSpace(c) || unicode.IsPunct(c):
			start = r.end(start)
		case c >= firstUnspaced && unicode.In(c, unspaced...):
			start = r.end(start)
			r.data = utf8.AppendRune(r.data, c)
			start = r.end(start)
		default:
			r.data = utf8.AppendRune(r.data, unicode.ToLower(c))
		}
	}
	r.end(start)
}

// end notes the word that is not empty.
func (r *wordReader) end(start int) int {
	if start < len(r.data) {
		r.words = append(r.words, newWordSpan(start, len(r.data)))
	}
	return len(r.data)
}

// unspaced are the scripts that put no space between words. Each of their
// characters counts as one.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

const firstUnspaced = '\u0E01' // is Thai
