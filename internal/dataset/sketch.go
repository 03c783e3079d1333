package dataset

import (
	"encoding/binary"
	"math"
	"slices"
)

// sketchHashes is how many hashes a sketch has: of 4 bytes each they make 2 KiB of base64.
const sketchHashes = 384

// Sketch is the smallest hashes of a file's distinct inputs, in ascending order. Inputs
// that differ in case, white space and punctuation only have the same hash. What is
// in a file without a sketch is not known.
type Sketch []byte

// sketcher makes a Sketch of any number of inputs.
type sketcher struct {
	hashes []uint32
	full   bool   // there are sketchHashes below or at most
	most   uint32 // hashes above it are too large
}

func (s *sketcher) add(input uint64) {
	hash := uint32(input >> 32)
	if s.full && hash >= s.most {
		return
	}
	if s.hashes = append(s.hashes, hash); len(s.hashes) == 4*sketchHashes {
		s.shrink()
	}
}

// shrink leaves the smallest.
func (s *sketcher) shrink() {
	slices.Sort(s.hashes)
	s.hashes = slices.Compact(s.hashes)
	if len(s.hashes) >= sketchHashes {
		s.hashes = s.hashes[:sketchHashes]
		s.full, s.most = true, s.hashes[sketchHashes-1]
	}
}

func (s *sketcher) result() Sketch {
	s.shrink()
	sketch := make(Sketch, 0, 4*len(s.hashes))
	for _, hash := range s.hashes {
		sketch = binary.BigEndian.AppendUint32(sketch, hash)
	}
	return sketch
}

// Overlap is how many of a file's inputs are in another, as far as their sketches tell.
type Overlap struct {
	Compared int // inputs of the file: all, or of many about 384, and fewer the larger the other file is
	Found    int // of them that the other has, too
	All      bool
}

// Share is the part of the file's inputs that the other has, from 0 to 1.
func (o Overlap) Share() float64 {
	if o.Compared == 0 {
		return 0
	}
	return float64(o.Found) / float64(o.Compared)
}

// Margin is how far off Share may be, in 19 of 20 cases.
func (o Overlap) Margin() float64 {
	if o.All {
		return 0
	}
	compared := float64(o.Compared) + 4
	share := (float64(o.Found) + 2) / compared
	return 2 * math.Sqrt(share*(1-share)/compared)
}

// OverlapWith tells how much of the file is in the other. Both sketches have all
// hashes up to the largest that the shorter-reaching one has.
func (s Sketch) OverlapWith(other Sketch) Overlap {
	reach := min(s.reach(), other.reach())
	overlap := Overlap{All: reach == math.MaxUint32}
	for own, others := s, other; len(own) >= 4 && own.first() <= reach; own = own[4:] {
		for len(others) >= 4 && others.first() < own.first() {
			others = others[4:]
		}
		overlap.Compared++
		if len(others) >= 4 && others.first() == own.first() {
			overlap.Found++
		}
	}
	return overlap
}

func (s Sketch) first() uint32 { return binary.BigEndian.Uint32(s) }

// reach is the hash up to which all of the file's are in the sketch.
func (s Sketch) reach() uint32 {
	if len(s) < 4*sketchHashes {
		return math.MaxUint32
	}
	return s[4*(sketchHashes-1):].first()
}
