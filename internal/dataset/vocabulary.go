package dataset

// vocabulary numbers the words of the examined samples that occur in two or more.
type vocabulary struct {
	numbers []uint32 // of the words of all rows, one after the other
	start   []int    // in numbers, by row; one more than there are rows
	words   int
}

// newVocabulary finds the words of the samples that are in a file.
func newVocabulary(x *examined) *vocabulary {
	table := newWordTable(len(x.values))
	for i := range x.rows {
		if x.rows[i].split != unplaced {
			for _, word := range x.wordsOf(&x.rows[i]).hashes {
				table.slot(word).samples++
			}
		}
	}
	v := &vocabulary{numbers: make([]uint32, 0, len(x.values)), start: make([]int, 0, len(x.rows)+1)}
	for i := range x.rows {
		v.start = append(v.start, len(v.numbers))
		if x.rows[i].split == unplaced {
			continue
		}
		for _, word := range x.wordsOf(&x.rows[i]).hashes {
			slot := table.slot(word)
			if slot.samples < 2 {
				continue
			}
			if slot.number == 0 {
				v.words++
				slot.number = uint32(v.words) //nolint:gosec // at most maxWords of maxExamined samples
			}
			v.numbers = append(v.numbers, slot.number-1)
		}
	}
	v.start = append(v.start, len(v.numbers))
	return v
}

// of are the numbers of a row's words.
func (v *vocabulary) of(row int) []uint32 { return v.numbers[v.start[row]:v.start[row+1]] }

// wordTable finds words by their hashes, with open addressing.
type wordTable []wordSlot

type wordSlot struct {
	word    uint32
	samples uint32 // that have it; 0: the slot is free
	number  uint32 // from 1; 0: none yet
}

func newWordTable(words int) wordTable {
	size := 1024
	for size < 2*words {
		size *= 2
	}
	return make(wordTable, size)
}

func (t wordTable) slot(word uint32) *wordSlot {
	mask := len(t) - 1
	for i := int(word*0x9E3779B1) & mask; ; i = (i + 1) & mask {
		if slot := &t[i]; slot.samples == 0 || slot.word == word {
			slot.word = word
			return slot
		}
	}
}

// wordCounts is how many samples of each label have a word.
type wordCounts struct {
	vocabulary *vocabulary
	start      []int // in counts, by word; end is where its counts end
	end        []int
	counts     []labelCounted
	most       int32
}

type labelCounted struct {
	label, count int32
	score        float32 // what the count adds to the label's
}

func newWordCounts(vocabulary *vocabulary, rows []labelledRow, labels int) wordCounts {
	c := wordCounts{vocabulary: vocabulary, start: make([]int, vocabulary.words), end: make([]int, vocabulary.words)}
	for _, row := range rows {
		for _, word := range vocabulary.of(row.row) {
			c.end[word]++
		}
	}
	total := 0
	for word, samples := range c.end {
		c.start[word], c.end[word] = total, total
		total += samples
	}
	c.counts = make([]labelCounted, total)
	for _, row := range rows {
		for _, word := range vocabulary.of(row.row) {
			c.counts[c.end[word]] = labelCounted{label: row.label}
			c.end[word]++
		}
	}
	c.merge(make([]int32, labels))
	return c
}

// merge makes one count of those of a word and a label. The counts by label are zero
// before and after each word.
func (c *wordCounts) merge(byLabel []int32) {
	for word, start := range c.start {
		all := c.counts[start:c.end[word]]
		merged := all[:0]
		for _, counted := range all {
			if byLabel[counted.label]++; byLabel[counted.label] == 1 {
				merged = append(merged, labelCounted{label: counted.label})
			}
		}
		for i := range merged {
			count := &byLabel[merged[i].label]
			merged[i].count, *count = *count, 0
			c.most = max(c.most, merged[i].count)
		}
		c.end[word] = start + len(merged)
	}
}

// of are the counts of a word.
func (c *wordCounts) of(word uint32) []labelCounted { return c.counts[c.start[word]:c.end[word]] }
