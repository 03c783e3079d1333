package dataset

import "math"

// Position is where in the source a sample was read.
type Position struct {
	Part string // empty where the source has but one
	Line int    // from 1
}

// origin is a Position as it is carried along.
type origin struct {
	part uint32 // its number
	line uint32
}

// origins numbers the parts of a source, which are read one after the other.
type origins struct {
	parts []string
}

func (o *origins) of(sample *Sample) origin {
	part := sample.Part
	if last := len(o.parts) - 1; last < 0 || o.parts[last] != part {
		o.parts = append(o.parts, part)
	}
	return origin{part: uint32(len(o.parts) - 1), line: uint32(min(sample.Line, math.MaxUint32))} //nolint:gosec // there are fewer parts than samples
}

func (o *origins) position(of origin) Position {
	return Position{Part: o.parts[of.part], Line: int(of.line)}
}
