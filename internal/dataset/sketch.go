package dataset

import (
	"math"
	"slices"
)

// maxSketched is more hashes than a sketch ever holds.
const maxSketched = 2048

// Sketch is the smallest hashes of a file's distinct inputs, as many as fit into sketchBytes:
// about 900, or all. Inputs that differ in case, white space and punctuation only have the
// same hash. What is in a file without a sketch is not known.
type Sketch []byte

// sketcher makes a Sketch of any number of inputs.
type sketcher struct {
	hashes []sketchHash
	full   bool       // there are maxSketched below or at most
	most   sketchHash // hashes above it are too large
}

func newSketcher() sketcher {
	return sketcher{hashes: make([]sketchHash, 0, 2*maxSketched)}
}

// sketchHash is a hash rounded as a floating-point number is: the number of its bits and
// maxPrecision, or fewer, of those behind the first. In small files and in large ones, of
// which the hashes kept are smaller, different ones are thus as unlikely to become equal.
type sketchHash uint32

const (
	maxPrecision = 26
	minPrecision = 20 // makes few in ten thousand equal
)

func newSketchHash(input uint64) sketchHash {
	const float64Bits, float64Bias = 52, 1023
	return sketchHash(math.Float64bits(float64(input>>1|1))>>(float64Bits-maxPrecision) - float64Bias<<maxPrecision)
}

func (s *sketcher) add(input uint64) {
	hash := newSketchHash(input)
	if s.full && hash >= s.most {
		return
	}
	if s.hashes = append(s.hashes, hash); len(s.hashes) >= 2*maxSketched {
		s.shrink()
	}
}

// shrink leaves the smallest.
func (s *sketcher) shrink() {
	slices.Sort(s.hashes)
	s.hashes = slices.Compact(s.hashes)
	if len(s.hashes) >= maxSketched {
		s.hashes = s.hashes[:maxSketched]
		s.full, s.most = true, s.hashes[maxSketched-1]
	}
}

func (s *sketcher) result() Sketch {
	s.shrink()
	return (&sketched{s.hashes, maxPrecision, !s.full}).encode()
}

// Overlap is how many of a file's inputs are in another, as far as their sketches tell.
type Overlap struct {
	Compared int // inputs of the file: all, or of many about 900, and fewer the larger the other file is
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

// Range is where the share is in 19 of 20 cases: Wilson's interval, which holds for few
// inputs, and for shares near 0 and 1.
func (o Overlap) Range() (least, most float64) {
	share := o.Share()
	if o.All {
		return share, share
	}
	const z2 = 1.96 * 1.96
	compared := float64(o.Compared)
	middle, margin := share+z2/(2*compared), math.Sqrt(z2*(share*(1-share)+z2/(4*compared))/compared)
	if o.Compared == 0 {
		return 0, 1
	}
	return max(0, (middle-margin)/(1+z2/compared)), min(1, (middle+margin)/(1+z2/compared))
}

// OverlapWith tells how much of the file is in the other. Both sketches have all
// hashes up to the largest that the shorter-reaching one has.
func (s Sketch) OverlapWith(other Sketch) Overlap {
	own, others := s.decode(), other.decode()
	precision := min(own.precision, others.precision)
	own.round(precision)
	others.round(precision)
	overlap := Overlap{All: own.all && others.all}
	reach := min(own.reach(), others.reach())
	for _, hash := range own.hashes {
		if hash > reach {
			break
		}
		overlap.Compared++
		if _, found := slices.BinarySearch(others.hashes, hash); found {
			overlap.Found++
		}
	}
	return overlap
}

// sketched are the hashes of a sketch.
type sketched struct {
	hashes    []sketchHash
	precision int
	all       bool // that the file has
}

// round rounds to a precision.
func (s *sketched) round(precision int) {
	for i := range s.hashes {
		s.hashes[i] >>= s.precision - precision
	}
	s.precision = precision
}

// reach is the hash up to which all of the file's are there.
func (s *sketched) reach() sketchHash {
	switch {
	case s.all:
		return math.MaxUint32
	case len(s.hashes) == 0:
		return 0
	}
	return s.hashes[len(s.hashes)-1]
}
