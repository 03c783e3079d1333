package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
)

// Split is what a part of the samples is for.
type Split string

// The splits.
const (
	Train      Split = "Train"
	Validation Split = "Validation"
	Test       Split = "Test"
)

var splits = [...]Split{train: Train, validation: Validation, test: Test}

// The positions of the splits.
const (
	train = iota
	validation
	test
)

// splitOf returns the position of the split that an input with the hash is in.
// Each input has the same chance to be set aside. Training lies between the other
// two, so that changing the share of one leaves the other as it is.
func (p *Preparation) splitOf(hash uint64) int {
	high, _ := bits.Mul64(hash, 100)
	percent := int(high) //nolint:gosec // it is below 100
	switch {
	case percent < p.ValidationPercent:
		return validation
	case percent >= 100-p.TestPercent:
		return test
	}
	return train
}

// inputHasher hashes what samples classify together with a seed. That is all
// that is random in a preparation.
type inputHasher struct {
	data  []byte     // the seed, a mark and an input
	words []wordSpan // of the input, in data
	ascii bool       // the input is, and words are known
}

const seedBytes = 8

func newInputHasher(seed int64) inputHasher {
	return inputHasher{data: binary.BigEndian.AppendUint64(nil, uint64(seed))} //nolint:gosec // every seed has its own bits
}

// read folds what the sample classifies.
func (h *inputHasher) read(sample *Sample) {
	h.data, h.words, h.ascii = append(h.data[:seedBytes], 's'), h.words[:0], true
	h.fold(sample.Text)
	for i := range sample.Messages {
		message := &sample.Messages[i]
		h.data = append(append(h.data, message.Role...), 0) // which is in no folding
		h.fold(message.Content)
	}
}

// hash returns two numbers that are independent of each other, for the order and for
// the split. Samples that say the same have the same ones: what is nearly what a model
// has been trained on says nothing of how good it is.
func (h *inputHasher) hash() (order, split uint64) {
	sum := sha256.Sum256(h.data)
	return binary.BigEndian.Uint64(sum[8:]), binary.BigEndian.Uint64(sum[:])
}

// fold appends the folding of the text. Of ASCII, as most is, it finds the words on the way.
func (h *inputHasher) fold(text string) {
	start := len(h.data)
	data := slices.Grow(h.data, len(text))
	data = data[:start+len(text)] // it has as many bytes, or fewer
	end, word := start, start
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf {
			h.data, h.ascii = appendFoldedRunes(data[:end], text[i:]), false
			h.showSomething(start, text)
			return
		}
		data[end] = folded[c]
		if folded[c] != 0 {
			end++
		} else if c != '\'' && word < end {
			h.words = append(h.words, newWordSpan(word, end))
			word = end
		}
	}
	if word < end {
		h.words = append(h.words, newWordSpan(word, end))
	}
	h.data = data[:end]
	h.showSomething(start, text)
}

// showSomething appends the punctuation of a text that has nothing else.
func (h *inputHasher) showSomething(start int, text string) {
	if len(h.data) == start {
		h.data = appendVisible(h.data, text)
	}
}

// input hashes what was read last, whatever the seed.
func (h *inputHasher) input() uint64 { return xxhash.Sum64(h.data[seedBytes:]) }
