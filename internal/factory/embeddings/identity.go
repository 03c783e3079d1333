package embeddings

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
)

// probes are texts whose vectors tell encoders apart.
var probes = []string{
	"Where is my parcel?",
	"The quick brown fox jumps over the lazy dog.",
	"La facture m'a été envoyée deux fois.",
	"2026-01-31 17:45",
}

// sameCosine is the least of vectors which the same encoder made of the same text. They need
// not be equal: other batches, processors and builds of a server add up in another order,
// which changes last digits. Those of different encoders have nothing to do with each other.
const sameCosine = 0.999

// identity is what tells an encoder from others.
type identity struct {
	dimension   int
	probes      [][]float32
	fingerprint []byte // the probes' vectors, rounded
	digest      string // of the fingerprint
}

// identify asks for the vectors of the probes. An encoder that was seen before gets the
// fingerprint that it had then, so that the same data still gives the same model.
func (e *Encoder) identify(ctx context.Context, patience Patience) (*identity, error) {
	ctx, cancel := patience.limit(ctx)
	defer cancel()
	vectors, err := e.ask(ctx, probes, patience)
	if err != nil {
		return nil, err
	}
	for _, vector := range vectors {
		if square(vector) == 0 {
			return nil, e.unusable("it knows nothing of plain sentences: their vectors are zero")
		}
	}
	known := e.cache.recognise(ctx, newIdentity(vectors))
	e.known.Store(known)
	return known, nil
}

// forget makes the encoder be asked again what it is, unless it was already.
func (e *Encoder) forget(known *identity) { e.known.CompareAndSwap(known, nil) }

func newIdentity(vectors [][]float32) *identity {
	i := &identity{dimension: len(vectors[0]), probes: vectors}
	for _, vector := range vectors {
		for _, value := range vector {
			// The upper half of a number tells it to three digits.
			i.fingerprint = append(i.fingerprint, binary.LittleEndian.AppendUint32(nil, math.Float32bits(value))[2:]...)
		}
	}
	sum := sha256.Sum256(i.fingerprint)
	i.digest = hex.EncodeToString(sum[:])
	return i
}

// readIdentity returns nil if that is no fingerprint.
func readIdentity(fingerprint []byte) *identity {
	dimension := len(fingerprint) / 2 / len(probes)
	if dimension == 0 || dimension > maxDimension || len(fingerprint) != dimension*2*len(probes) {
		return nil
	}
	vectors := make([][]float32, len(probes))
	for i := range vectors {
		for range dimension {
			vectors[i] = append(vectors[i], math.Float32frombits(uint32(binary.LittleEndian.Uint16(fingerprint))<<16))
			fingerprint = fingerprint[2:]
		}
	}
	return newIdentity(vectors)
}

// same reports whether both are of one encoder.
func (i *identity) same(other *identity) bool {
	for p := range i.probes {
		if !similar(i.probes[p], other.probes[p]) {
			return false
		}
	}
	return true
}

func similar(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	product := 0.0
	for i := range a {
		product += float64(a[i]) * float64(b[i])
	}
	return product >= sameCosine*math.Sqrt(square(a)*square(b)) // as well as not NaN
}

func square(vector []float32) (sum float64) {
	for _, value := range vector {
		sum += float64(value) * float64(value)
	}
	return sum
}
