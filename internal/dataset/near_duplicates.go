package dataset

import "slices"

// SamplePair is a sample, and one of the Train file that it repeats.
type SamplePair struct {
	Sample, Other Position
	Split         Split // of the sample
	Same          bool  // but for case, white space and punctuation
}

// NearDuplicates are samples that repeat one of the Train file.
type NearDuplicates struct {
	Splits map[Split]Repeats
	Pairs  []SamplePair // the first of them, those of Validation and Test before the others
}

// Repeats are how many samples of a file repeat one of Train, of Train an earlier one.
type Repeats struct {
	Examined int
	Same     int // but for case, white space and punctuation
	Near     int // but for a word, or one in ten
}

const (
	minHashBands = 6  // of two hashes: finds 97 of 100 inputs of which a word of five is another
	maxCompared  = 16 // inputs with a band in common that one is compared with
	maxPairs     = 1000
	minWords     = 5 // shorter inputs are nearly equal to too many
)

// nearDuplicates compares inputs that MinHash holds for similar. What it is asked
// about later is compared with what was added.
type nearDuplicates struct {
	examined *examined
	heads    [minHashBands][]int32 // row that was added last, by the hash of the band; -1: none
	next     [][minHashBands]int32 // row that was added before, by row
}

func newNearDuplicates(examined *examined) *nearDuplicates {
	size := 1024
	for size < len(examined.rows) {
		size *= 2
	}
	n := &nearDuplicates{examined: examined, next: make([][minHashBands]int32, len(examined.rows))}
	for band := range n.heads {
		n.heads[band] = slices.Repeat([]int32{-1}, size)
	}
	return n
}

// find looks in Train for what each sample repeats.
func (n *nearDuplicates) find(positions *origins) NearDuplicates {
	found := NearDuplicates{Splits: map[Split]Repeats{}}
	var within []SamplePair
	for position, split := range splits {
		repeats := Repeats{}
		for i := range n.examined.rows {
			row := &n.examined.rows[i]
			if row.split != position {
				continue
			}
			repeats.Examined++
			other, same := n.repeated(i)
			switch {
			case other < 0:
				continue
			case same:
				repeats.Same++
			default:
				repeats.Near++
			}
			pair := SamplePair{Sample: positions.position(row.from), Other: positions.position(n.examined.rows[other].from), Split: split, Same: same}
			if position == train {
				within = appendPair(within, pair)
			} else {
				found.Pairs = appendPair(found.Pairs, pair)
			}
		}
		if repeats.Examined > 0 {
			found.Splits[split] = repeats
		}
	}
	found.Pairs = append(found.Pairs, within[:min(len(within), maxPairs-len(found.Pairs))]...)
	return found
}

func appendPair(pairs []SamplePair, pair SamplePair) []SamplePair {
	if len(pairs) == maxPairs {
		return pairs
	}
	return append(pairs, pair)
}

// repeated returns a row of Train that the row repeats, or -1. Of two rows of Train it
// is the later that repeats the other.
func (n *nearDuplicates) repeated(row int) (other int, same bool) {
	own := &n.examined.rows[row]
	if other := n.examined.same(row); other >= 0 {
		return other, true
	}
	if own.words < minWords {
		return -1, false
	}
	bands := minHashes(n.examined.wordsOf(own))
	other = n.like(row, &bands)
	if own.split == train {
		n.add(row, &bands)
	}
	return other, false
}

type bandHashes [minHashBands]uint32

// minHashes has for each band the smallest hashes of the words by two functions.
func minHashes(words wordSet) (bands bandHashes) {
	for band := range bands {
		first, second := ^uint32(0), ^uint32(0)
		a, b := minHashFactors[2*band], minHashFactors[2*band+1]
		for _, word := range words.hashes {
			first, second = min(first, word*a), min(second, word*b)
		}
		bands[band] = (first*0x85EBCA6B ^ second) * 0xC2B2AE35
	}
	return bands
}

// minHashFactors are odd, so that a multiplication is a permutation.
var minHashFactors = func() (factors [2 * minHashBands]uint32) {
	x := uint32(0x9E3779B9)
	for i := range factors {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		factors[i] = x | 1
	}
	return factors
}()

// like returns a row that was added and is nearly equal, or -1.
func (n *nearDuplicates) like(row int, bands *bandHashes) int {
	own := &n.examined.rows[row]
	words := n.examined.wordsOf(own)
	for band, hash := range bands {
		other := n.heads[band][int(hash)&(len(n.heads[band])-1)]
		for range maxCompared {
			if other < 0 {
				break
			}
			if candidate := &n.examined.rows[other]; words.nearlyEqual(n.examined.wordsOf(candidate)) {
				return int(other)
			}
			other = n.next[other][band]
		}
	}
	return -1
}

func (n *nearDuplicates) add(row int, bands *bandHashes) {
	for band, hash := range bands {
		head := &n.heads[band][int(hash)&(len(n.heads[band])-1)]
		n.next[row][band], *head = *head, int32(row) //nolint:gosec // it is below maxExamined
	}
}
