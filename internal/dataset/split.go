package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// Split is what a part of the samples is for.
type Split string

// The splits. An input, wherever it occurs, is in one.
const (
	Train      Split = "Train"
	Validation Split = "Validation"
	Test       Split = "Test"
)

var splits = [...]Split{Train, Validation, Test}

// inputKey is a hash of a seed and a sample's input. It is all that is random in
// a preparation, so that the fate of a sample hangs on itself and the seed alone.
type inputKey struct {
	order uint64 // in which samples are looked at and written
	split uint64
}

// inputHasher makes keys.
type inputHasher struct {
	data []byte // the seed and an input
}

func newInputHasher(seed int64) inputHasher {
	return inputHasher{data: binary.BigEndian.AppendUint64(nil, uint64(seed))} //nolint:gosec // every seed has its own bits
}

func (h *inputHasher) key(sample *Sample) inputKey {
	data := h.data[:8]
	for i := range sample.Messages {
		message := &sample.Messages[i]
		data = binary.BigEndian.AppendUint32(data, uint32(len(message.Content))) //nolint:gosec // a row is far shorter
		data = append(data, message.Content...)
		data = append(append(data, message.Role...), 0)
	}
	h.data = append(data, sample.Text...)
	sum := sha256.Sum256(h.data)
	return inputKey{order: binary.BigEndian.Uint64(sum[:]), split: binary.BigEndian.Uint64(sum[8:])}
}

// splitOf returns the position in splits. It gives every sample the same chance to be set aside, and with it every
// label of every target about the same share of each split. The ends of the range
// are the splits', so that changing the one's share leaves the other as it is.
func (p *Preparation) splitOf(key uint64) int {
	percent, _ := bits.Mul64(key, 100)
	switch {
	case int(percent) < p.ValidationPercent:
		return 1
	case int(percent) >= 100-p.TestPercent:
		return 2
	}
	return 0
}
