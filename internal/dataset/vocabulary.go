package dataset

// vocabulary numbers the words that two or more of the samples in files have, from the
// rarest on.
type vocabulary struct {
	samples []int32 // that have the word, by number
}

// newVocabulary puts the numbers of words in the place of their hashes, each once in a row.
func newVocabulary(x *examined) *vocabulary {
	var table wordTable
	for i := range x.rows {
		row := &x.rows[i]
		if row.split == unplaced {
			row.words = 0
			continue
		}
		words := x.wordsOf(row)
		kept := words[:0]
		for _, hash := range words {
			if number, isNew := table.add(hash, int32(i)); isNew {
				kept = append(kept, number)
			}
		}
		row.words = uint16(len(kept)) //nolint:gosec // at most maxWords
	}
	v, ranks := table.byRarity()
	for i := range x.rows {
		x.rank(&x.rows[i], ranks)
	}
	return v
}

// rank replaces the numbers of the row's words. Words that no other sample has, have none.
func (x *examined) rank(row *examinedRow, ranks []uint32) {
	words := x.wordsOf(row)
	kept := words[:0]
	for _, number := range words {
		if rank := ranks[number]; rank != unique {
			kept = append(kept, rank)
			row.set.add(rank)
		}
	}
	row.unique = uint16(len(words) - len(kept)) //nolint:gosec // at most maxWords
	row.words = uint16(len(kept))               //nolint:gosec // at most maxWords
}

// wordTable numbers words as they come, by their hashes, with open addressing.
type wordTable struct {
	slots  []wordSlot
	spread spread
	words  []countedWord
}

type wordSlot struct {
	hash   uint32
	number uint32 // from 1; 0: the slot is free
}

type countedWord struct {
	samples int32
	last    int32 // sample that has it
}

// add counts a sample with the word, and reports whether it is new to the sample.
func (t *wordTable) add(hash uint32, sample int32) (number uint32, isNew bool) {
	if 4*len(t.words) >= 3*len(t.slots) {
		t.grow()
	}
	slot := t.find(hash)
	if slot.number == 0 {
		t.words = append(t.words, countedWord{samples: 1, last: sample})
		*slot = wordSlot{hash: hash, number: uint32(len(t.words))} //nolint:gosec // at most maxWords of maxExamined samples
		return slot.number - 1, true
	}
	word := &t.words[slot.number-1]
	if word.last == sample {
		return 0, false
	}
	word.samples, word.last = word.samples+1, sample
	return slot.number - 1, true
}

// find returns the slot of the word, or where it belongs.
func (t *wordTable) find(hash uint32) *wordSlot {
	mask := len(t.slots) - 1
	for i := t.spread.place(uint64(hash)); ; i = (i + 1) & mask {
		if slot := &t.slots[i]; slot.number == 0 || slot.hash == hash {
			return slot
		}
	}
}

func (t *wordTable) grow() {
	slots := t.slots
	t.slots = make([]wordSlot, max(4096, 2*len(slots)))
	t.spread = newSpread(len(t.slots))
	for _, slot := range slots {
		if slot.number != 0 {
			*t.find(slot.hash) = slot
		}
	}
}

// unique is the rank of words of one sample.
const unique = ^uint32(0)

// byRarity ranks the words by how many samples have them, and keeps the order of those of
// which there are equally many.
func (t *wordTable) byRarity() (v *vocabulary, ranks []uint32) {
	most := int32(0)
	for i := range t.words {
		most = max(most, t.words[i].samples)
	}
	next := make([]uint32, most+2) // rank of the next word of so many samples
	for i := range t.words {
		if samples := t.words[i].samples; samples > 1 {
			next[samples+1]++
		}
	}
	for samples := 1; samples < len(next); samples++ {
		next[samples] += next[samples-1]
	}
	v, ranks = &vocabulary{samples: make([]int32, next[most+1])}, make([]uint32, len(t.words))
	for i := range t.words {
		samples := t.words[i].samples
		if samples == 1 {
			ranks[i] = unique
			continue
		}
		ranks[i] = next[samples]
		v.samples[ranks[i]] = samples
		next[samples]++
	}
	return v, ranks
}
