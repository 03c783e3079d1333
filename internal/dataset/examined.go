package dataset

import "math"

const (
	// maxExamined bounds what is looked at one by one: with maxWords each it is some 5 MB.
	maxExamined = 1 << 14
	// maxAlike is how many samples are looked at of which the inputs are the same.
	maxAlike = 16
	unplaced = len(splits) // it is in no file
)

// examined is the samples that are compared with each other: all of them, or, of
// more than maxExamined, those with the smallest hashes of their inputs. Samples with
// the same input are thus looked at together, whatever their order.
type examined struct {
	limit  int    // maxExamined, less in tests
	most   uint64 // hashes above it are left out
	rows   []examinedRow
	values []uint32         // words and labels of the rows
	last   map[uint64]int32 // row with a hash of an input
}

// examinedRow is a sample without its text.
type examinedRow struct {
	input  uint64 // its hash
	from   origin
	split  int
	before int32 // an earlier row with the same input; -1: there is none
	alike  int32 // how many rows it and those before it are
	start  int   // in values, of its words, which its labels follow
	words  int
	labels int
	count  int // of all words
	bits   uint64
}

func newExamined(limit int) examined {
	return examined{limit: limit, most: math.MaxUint64, last: map[uint64]int32{}}
}

// takes reports whether a sample with the hash is examined.
func (x *examined) takes(input uint64) bool { return input <= x.most }

// add puts in a sample that takes.
func (x *examined) add(input uint64, from origin, words wordSet, labels []*labelCensus) {
	row := examinedRow{input: input, from: from, split: unplaced, before: -1, alike: 1, start: len(x.values), words: len(words.hashes), count: words.count, bits: words.bits}
	if before, ok := x.last[input]; ok {
		row.before, row.alike = before, x.rows[before].alike+1
		if row.alike > maxAlike {
			return
		}
	}
	x.values = append(x.values, words.hashes...)
	for _, label := range labels {
		if !label.target.multi {
			x.values = append(x.values, label.number)
			row.labels++
		}
	}
	x.last[input] = int32(len(x.rows)) //nolint:gosec // it is below the limit
	if x.rows = append(x.rows, row); len(x.rows) > x.limit {
		x.thin()
	}
}

// thin leaves out half of the inputs.
func (x *examined) thin() {
	x.most /= 2
	rows, values := x.rows, x.values
	x.rows, x.values = rows[:0], values[:0]
	clear(x.last)
	for _, row := range rows {
		if row.input > x.most {
			continue
		}
		start := row.start
		row.start, row.before = len(x.values), -1
		if before, ok := x.last[row.input]; ok {
			row.before = before
		}
		x.values = append(x.values, values[start:start+row.words+row.labels]...)
		x.last[row.input] = int32(len(x.rows)) //nolint:gosec // it is below the limit
		x.rows = append(x.rows, row)
	}
}

// place notes which file a sample is in.
func (x *examined) place(input uint64, from origin, split int) {
	if !x.takes(input) {
		return
	}
	i, ok := x.last[input]
	for ; ok && i >= 0; i = x.rows[i].before {
		if x.rows[i].from == from {
			x.rows[i].split = split
			return
		}
	}
}

// same returns a row of Train with the same input, of those of Train an earlier one; or -1.
func (x *examined) same(row int) int {
	own := &x.rows[row]
	other := own.before
	if own.split != train {
		other = x.last[own.input]
	}
	for ; other >= 0; other = x.rows[other].before {
		if x.rows[other].split == train {
			return int(other)
		}
	}
	return -1
}

func (x *examined) wordsOf(row *examinedRow) wordSet {
	return wordSet{hashes: x.values[row.start : row.start+row.words], count: row.count, bits: row.bits}
}

// labelsOf are those of the targets that take one label.
func (x *examined) labelsOf(row *examinedRow) []uint32 {
	return x.values[row.start+row.words:][:row.labels]
}
