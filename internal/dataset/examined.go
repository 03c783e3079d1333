package dataset

import (
	"math"
	"math/bits"
	"slices"
)

const (
	// maxExamined bounds what is looked at one by one: with maxWords each it is some 5 MB.
	maxExamined = 1 << 14
	// maxAlike is how many samples are looked at of which the inputs are the same.
	maxAlike = 16
	unplaced = test + 1 // it is in no file
)

// examined is the samples that are compared with each other: all of them, or, of
// more than maxExamined, those with the smallest hashes of their inputs. Samples with
// the same input are thus looked at together, whatever their order.
type examined struct {
	limit  int    // maxExamined, less in tests
	most   uint64 // hashes above it are left out
	rows   []examinedRow
	values []uint32 // labels and words of the rows
	last   []int32  // rows from 1, with open addressing: the last with a hash of an input; 0: none
	spread spread
}

// examinedRow is a sample without its text.
type examinedRow struct {
	input  uint64 // its hash
	from   origin
	before int32  // an earlier row with the same input; -1: there is none
	start  uint32 // in values, of its labels, which its words follow
	count  uint32 // of all words, however often each occurs
	labels uint16
	words  uint16
	unique uint16 // words that no other row has, which are not in values any more
	alike  uint8  // how many rows it and those before it are
	split  uint8
	set    wordSet // of its words, once they are numbered
}

func newExamined(limit int) examined {
	const slots = 1024
	return examined{limit: limit, most: math.MaxUint64, last: make([]int32, slots), spread: newSpread(slots)}
}

// takes reports whether a sample with the hash is examined.
func (x *examined) takes(input uint64) bool { return input <= x.most }

// add puts in a sample that takes, with the hashes of its words.
func (x *examined) add(input uint64, from origin, words []uint32, count int, labels []*labelCensus) {
	slot := x.slot(input)
	row := examinedRow{input: input, from: from, before: *slot - 1, start: uint32(len(x.values)), words: uint16(len(words)), count: uint32(count), split: unplaced} //nolint:gosec // all are bounded
	if row.before >= 0 {
		if row.alike = x.rows[row.before].alike + 1; row.alike == maxAlike {
			return
		}
	}
	x.values = doubled(x.values, len(labels)+len(words))
	for _, label := range labels {
		if !label.target.multi {
			x.values = append(x.values, label.number)
			row.labels++
		}
	}
	x.values = append(x.values, words...)
	if x.append(row, slot); len(x.rows) > x.limit {
		x.thin()
	}
}

// doubled makes room for more values. To append them one by one would copy them more often.
func doubled[T any](values []T, more int) []T {
	if len(values)+more > cap(values) {
		return slices.Grow(values, len(values)+more)
	}
	return values
}

// append puts in a row. Of those with the same input, whose slot it is, it is the last.
func (x *examined) append(row examinedRow, slot *int32) {
	x.rows = append(doubled(x.rows, 1), row)
	*slot = int32(len(x.rows)) //nolint:gosec // it is below the limit
	if 4*len(x.rows) > 3*len(x.last) {
		x.grow()
	}
}

// find returns the last row with the input, or -1.
func (x *examined) find(input uint64) int32 { return *x.slot(input) - 1 }

// slot is where the number of the last row with the input is, or belongs.
func (x *examined) slot(input uint64) *int32 {
	mask := len(x.last) - 1
	for i := x.spread.place(input); ; i = (i + 1) & mask {
		if row := x.last[i]; row == 0 || x.rows[row-1].input == input {
			return &x.last[i]
		}
	}
}

func (x *examined) grow() {
	x.spread, x.last = newSpread(2*len(x.last)), make([]int32, 2*len(x.last))
	for i := range x.rows {
		*x.slot(x.rows[i].input) = int32(i + 1)
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
		held := values[row.start:][:row.labels+row.words]
		slot := x.slot(row.input)
		row.start, row.before = uint32(len(x.values)), *slot-1 //nolint:gosec // it was as large before
		x.values = append(x.values, held...)
		x.append(row, slot)
	}
}

// place notes which file a sample is in.
func (x *examined) place(input uint64, from origin, split int) {
	if !x.takes(input) {
		return
	}
	if row := x.rowFrom(input, from); row != nil {
		row.split = uint8(split) //nolint:gosec // there are three
	}
}

// rowFrom returns the row of a sample; nil: too many with its input came before.
func (x *examined) rowFrom(input uint64, from origin) *examinedRow {
	if last := len(x.rows) - 1; last >= 0 && x.rows[last].from == from { // it was read just now
		return &x.rows[last]
	}
	for i := x.find(input); i >= 0; i = x.rows[i].before {
		if x.rows[i].from == from {
			return &x.rows[i]
		}
	}
	return nil
}

// same returns a row of Train with the same input, of those of Train an earlier one; or -1.
func (x *examined) same(row int) int {
	own := &x.rows[row]
	other := own.before
	if own.split != train {
		other = x.find(own.input)
	}
	for ; other >= 0; other = x.rows[other].before {
		if x.rows[other].split == train {
			return int(other)
		}
	}
	return -1
}

// labelsOf are those of the targets that take one label.
func (x *examined) labelsOf(row *examinedRow) []uint32 {
	return x.values[row.start:][:row.labels]
}

// wordsOf are the hashes of the row's words, and their numbers once these are known.
func (x *examined) wordsOf(row *examinedRow) []uint32 {
	return x.values[row.start:][row.labels:][:row.words]
}

// distinct is how many different words the row has, once they are numbered.
func (r *examinedRow) distinct() int { return int(r.words) + int(r.unique) }

// lacking is how many of the row's words, at least, the other does not have.
func (r *examinedRow) lacking(other *examinedRow) int {
	return int(r.unique) + bits.OnesCount64(uint64(r.set&^other.set))
}

// wordSet has one bit for many words: what one set has and another lacks is in the one only.
type wordSet uint64

func (s *wordSet) add(word uint32) { *s |= 1 << (word % 64) }
