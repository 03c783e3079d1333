package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"unicode"
	"unicode/utf8"
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
	percent, _ := bits.Mul64(hash, 100)
	switch {
	case int(percent) < p.ValidationPercent:
		return validation
	case int(percent) >= 100-p.TestPercent:
		return test
	}
	return train
}

// inputHasher hashes what samples classify together with a seed. That is all
// that is random in a preparation: what becomes of a sample hangs on itself.
type inputHasher struct {
	data []byte // the seed, followed by an input
}

const seedBytes = 8

func newInputHasher(seed int64) inputHasher {
	return inputHasher{data: binary.BigEndian.AppendUint64(nil, uint64(seed))} //nolint:gosec // every seed has its own bits
}

// order hashes the input as it is.
func (h *inputHasher) order(sample *Sample) uint64 {
	h.data = append(h.data[:seedBytes], sample.Text...)
	for i := range sample.Messages {
		message := &sample.Messages[i]
		h.data = append(append(h.data, message.Role...), 0)
		h.data = binary.BigEndian.AppendUint32(h.data, uint32(len(message.Content))) //nolint:gosec // a row is far shorter
		h.data = append(h.data, message.Content...)
	}
	return h.sum()
}

// split hashes the letters, digits and symbols of the input, without their case:
// what is nearly what a model has been trained on says nothing of how good it is.
func (h *inputHasher) split(sample *Sample) uint64 {
	h.data = appendFolded(h.data[:seedBytes], sample.Text)
	for i := range sample.Messages {
		message := &sample.Messages[i]
		h.data = append(append(h.data, message.Role...), 0)
		h.data = appendFolded(h.data, message.Content)
	}
	if len(h.data) == seedBytes {
		h.data = append(h.data, sample.Text...)
	}
	return h.sum()
}

func (h *inputHasher) sum() uint64 {
	sum := sha256.Sum256(h.data)
	return binary.BigEndian.Uint64(sum[:])
}

// appendFolded appends the text without its case, white space and punctuation.
func appendFolded(data []byte, text string) []byte {
	for _, r := range text {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			data = append(data, byte(r))
		case 'A' <= r && r <= 'Z':
			data = append(data, byte(r)|0x20)
		case r < utf8.RuneSelf, unicode.IsSpace(r), unicode.IsPunct(r):
		default:
			data = utf8.AppendRune(data, unicode.ToLower(r))
		}
	}
	return data
}
