package dataset

import (
	"math/bits"
	"slices"
)

// A sketch is written as the differences between its hashes, each in Golomb's way: so many
// low bits as most of them need, after a 1 for each time that they do not suffice, and a 0.
// Hashes of one bit less, among which steps are half as large, need one more.

const (
	sketchBytes  = 1536 // which make 2 KiB of base64
	sketchHeader = 5    // all or not and the precision, the low bits, the last octave, the number of hashes

	allFlag       = 0x80
	maxLowBits    = 30
	maxHighBits   = 1 << 10 // far more than there are
	sketchResidue = 1       // of the length divided by 4; sketches of before have none
)

// encode encodes the hashes as precisely as there is room for, and then as many of them.
func (s *sketched) encode() Sketch {
	w := newSketchWriter(s)
	for ; w.size > sketchBytes && s.precision > minPrecision; w = newSketchWriter(s) {
		s.round(s.precision - 1)
		s.hashes = slices.Compact(s.hashes)
	}
	for ; w.size > sketchBytes; w = newSketchWriter(s) {
		s.hashes, s.all = s.hashes[:min(len(s.hashes)-1, len(s.hashes)*sketchBytes/w.size)], false
	}
	return w.write(s)
}

// decode returns no hashes of what is no sketch.
func (s Sketch) decode() (found sketched) {
	if len(s) < sketchHeader || len(s)%4 != sketchResidue || s[0]&^allFlag > maxPrecision {
		return sketched{}
	}
	found.precision, found.all = int(s[0]&^allFlag), s[0]&allFlag != 0
	r := sketchReader{data: s[sketchHeader:], golomb: golomb{precision: found.precision, low: int(s[1]), last: int(s[2])}}
	previous := sketchHash(0)
	for range int(s[3])<<8 | int(s[4]) {
		difference, ok := r.read(previous)
		if !ok || previous+difference < previous {
			return sketched{}
		}
		previous += difference
		found.hashes = append(found.hashes, previous)
	}
	return found
}

// golomb says how many low bits a difference has.
type golomb struct {
	precision int
	low       int // in the last octave, of hashes with as many bits
	last      int
}

// lowBits is how many the difference to the hash after it has.
func (g golomb) lowBits(previous sketchHash) int {
	return min(g.low+max(0, g.last-int(previous>>g.precision)), maxLowBits)
}

type sketchWriter struct {
	golomb
	size int // of the sketch
	data []byte
	free int // bits of the last byte
}

// newSketchWriter finds out how the hashes are written, and how much room that takes.
func newSketchWriter(s *sketched) sketchWriter {
	w := sketchWriter{golomb: golomb{precision: s.precision}, size: sketchHeader}
	if len(s.hashes) > 0 {
		last := s.hashes[len(s.hashes)-1]
		w.last = int(last >> s.precision)
		// Hashes are spread evenly: in the last octave they are so far apart.
		gap := (1<<s.precision + int(last)&(1<<s.precision-1)) / len(s.hashes)
		w.low = bits.Len(uint(gap*11/16)) - 1
	}
	written, previous := 7, sketchHash(0) // to round up to bytes
	for _, hash := range s.hashes {
		low := w.lowBits(previous)
		written += int((hash-previous)>>low) + 1 + low
		previous = hash
	}
	w.size += written / 8
	w.size += (sketchResidue - w.size) & 3
	return w
}

func (w *sketchWriter) write(s *sketched) Sketch {
	count := len(s.hashes)
	w.data = append(make([]byte, 0, w.size), byte(s.precision), byte(w.low), byte(w.last), byte(count>>8), byte(count)) //nolint:gosec // all are small
	if s.all {
		w.data[0] |= allFlag
	}
	previous := sketchHash(0)
	for _, hash := range s.hashes {
		low := w.lowBits(previous)
		for range (hash - previous) >> low {
			w.add(1)
		}
		w.add(0)
		for bit := low - 1; bit >= 0; bit-- {
			w.add(byte((hash - previous) >> bit & 1))
		}
		previous = hash
	}
	return w.data[:w.size]
}

func (w *sketchWriter) add(bit byte) {
	if w.free == 0 {
		w.data, w.free = append(w.data, 0), 8
	}
	w.free--
	w.data[len(w.data)-1] |= bit << w.free
}

type sketchReader struct {
	golomb
	data []byte
	at   int // bits that were read
}

// read reads the difference to the hash before. It reports false behind the end.
func (r *sketchReader) read(previous sketchHash) (difference sketchHash, ok bool) {
	high := sketchHash(0)
	for r.bit() == 1 && high < maxHighBits {
		high++
	}
	low := r.lowBits(previous)
	for range low {
		difference = difference<<1 | r.bit()
	}
	return high<<low | difference, high < maxHighBits && r.at <= 8*len(r.data)
}

// bit is 0 behind the end.
func (r *sketchReader) bit() (bit sketchHash) {
	if r.at < 8*len(r.data) {
		bit = sketchHash(r.data[r.at/8] >> (7 - r.at%8) & 1)
	}
	r.at++
	return bit
}
