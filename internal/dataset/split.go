package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"unicode"
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
// that is random in a preparation: what becomes of a sample hangs on itself.
type inputHasher struct {
	data []byte // the seed, followed by a purpose and an input
}

const seedBytes = 8

func newInputHasher(seed int64) inputHasher {
	return inputHasher{data: binary.BigEndian.AppendUint64(nil, uint64(seed))} //nolint:gosec // every seed has its own bits
}

// order hashes the input as it is.
func (h *inputHasher) order(sample *Sample) uint64 {
	data := append(h.data[:seedBytes], 'o')
	data = append(data, sample.Text...)
	for i := range sample.Messages {
		message := &sample.Messages[i]
		data = append(append(data, message.Role...), 0)
		data = binary.BigEndian.AppendUint32(data, uint32(len(message.Content))) //nolint:gosec // a row is far shorter
		data = append(data, message.Content...)
	}
	return h.sum(data)
}

// fold takes the letters, digits and symbols of the input, without their case, to be
// hashed: what is nearly what a model has been trained on says nothing of how good it is.
func (h *inputHasher) fold(sample *Sample) {
	data := append(h.data[:seedBytes], 's') // lest it be the order where nothing is left out
	empty := len(data)
	data = appendFolded(data, sample.Text)
	for i := range sample.Messages {
		message := &sample.Messages[i]
		data = append(append(data, message.Role...), 0)
		data = appendFolded(data, message.Content)
	}
	if len(data) == empty {
		data = append(data, sample.Text...)
	}
	h.data = data
}

// split hashes what was folded.
func (h *inputHasher) split() uint64 { return h.sum(h.data) }

// input hashes what was folded, whatever the seed.
func (h *inputHasher) input() uint64 { return xxhash.Sum64(h.data[seedBytes:]) }

// sum keeps the memory of the data for the next input.
func (h *inputHasher) sum(data []byte) uint64 {
	h.data = data
	sum := sha256.Sum256(data)
	return binary.BigEndian.Uint64(sum[:])
}

// folded are the ASCII letters and digits, without their case. 0 is left out.
var folded = func() (folded [utf8.RuneSelf]byte) {
	for c := range byte(utf8.RuneSelf) {
		if unicode.IsLetter(rune(c)) || unicode.IsDigit(rune(c)) {
			folded[c] = byte(unicode.ToLower(rune(c)))
		}
	}
	return folded
}()

// appendFolded appends the text without its case, white space and punctuation.
func appendFolded(data []byte, text string) []byte {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if folded[c] != 0 {
				data = append(data, folded[c])
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsSpace(r) && !unicode.IsPunct(r) {
			data = utf8.AppendRune(data, unicode.ToLower(r))
		}
		i += size
	}
	return data
}
