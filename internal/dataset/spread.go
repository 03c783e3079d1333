package dataset

import (
	"math/bits"
	"math/rand/v2"
)

// spread gives hashes places in a table of a power of two. Whoever writes the samples
// cannot know which, and thus not let all meet in one.
type spread struct {
	factor uint64 // odd
	shift  int
}

// newSpread is for so many places or more.
func newSpread(places int) spread {
	return spread{factor: rand.Uint64() | 1, shift: 64 - bits.Len(uint(places-1))}
}

func (s spread) places() int { return 1 << (64 - s.shift) }

func (s spread) place(hash uint64) int {
	return int(hash * s.factor >> s.shift) //nolint:gosec // it is below the number of places
}
