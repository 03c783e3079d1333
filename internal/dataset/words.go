package dataset

import (
	"encoding/binary"
	"slices"
)

// maxWords is how many words of an input are compared with those of others. Of a
// longer one it is the first half and the last half of so many.
const maxWords = 64

// wordSpan is where a word is in data.
type wordSpan struct{ start, end uint32 }

// wordReader hashes the words of inputs and keeps the memory for the next.
type wordReader struct {
	words  []wordSpan
	hashes []uint32
}

// read returns hashes of the first and the last words of what the folder has folded, valid
// until the next, and how many words there are.
func (r *wordReader) read(input *folder) (hashes []uint32, count int) {
	r.find(input.ends)
	input.data = slices.Grow(input.data, wordBytes)
	r.hashes = r.hashes[:0]
	for i, word := range r.words {
		if i < maxWords/2 || i >= len(r.words)-maxWords/2 {
			r.hashes = append(r.hashes, hashWord(input.data, word))
		}
	}
	return r.hashes, len(r.words)
}

// find finds the words that are not empty.
func (r *wordReader) find(ends []uint32) {
	r.words = r.words[:0]
	start := uint32(0)
	for _, end := range ends {
		if start < end && end < startsText {
			r.words = append(r.words, wordSpan{start, end})
		}
		start = end &^ startsText
	}
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
