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
	minWords    = 5  // shorter inputs are nearly equal to too many
	maxCompared = 32 // inputs that one is compared with
	maxPairs    = 1000
)

// nearDuplicates compares inputs that have two of their rarest words in common. All that
// are nearly equal have: of their common words the rarest two are among the rarest of
// either, two more than may differ. (This is prefix filtering.) What it is asked about
// later is compared with what was added.
type nearDuplicates struct {
	examined *examined
	heads    []int32 // entry that was added last, by the hash of its pair; -1: none
	spread   spread
	entries  []pairEntry // of rows that were added
	rarest   []uint32    // words of the row in hand
	pairs    []uint32    // hashes of theirs
	has      []int32     // row that has the word, of those marked the last
	marked   int         // the last row of which all words are
}

// pairEntry is a row with a pair of words.
type pairEntry struct {
	pair uint32 // its hash
	row  int32
	next int32 // entry that was added before
}

func newNearDuplicates(examined *examined, vocabulary *vocabulary) *nearDuplicates {
	spread := newSpread(max(2*len(examined.rows), 1024))
	return &nearDuplicates{
		examined: examined,
		heads:    slices.Repeat([]int32{-1}, spread.places()),
		spread:   spread,
		entries:  make([]pairEntry, 0, 4*len(examined.rows)),
		has:      slices.Repeat([]int32{-1}, len(vocabulary.samples)),
		marked:   -1,
	}
}

// find looks in Train for what each sample repeats.
func (n *nearDuplicates) find(positions *origins) NearDuplicates {
	found := NearDuplicates{Splits: map[Split]Repeats{}}
	var within []SamplePair
	for position, split := range splits {
		repeats := Repeats{}
		for i := range n.examined.rows {
			row := &n.examined.rows[i]
			if int(row.split) != position {
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
	if own.distinct() < minWords {
		return -1, false
	}
	if n.findPairs(own); len(n.pairs) == 0 {
		return -1, false
	}
	other = n.like(row)
	if own.split == train {
		n.add(row)
	}
	return other, false
}

// findPairs finds the pairs of the row's rarest words.
func (n *nearDuplicates) findPairs(row *examinedRow) {
	n.pairs = n.pairs[:0]
	n.findRarest(n.examined.wordsOf(row), maxMissing(row.distinct())-int(row.unique)+2)
	for i, word := range n.rarest {
		for _, rarer := range n.rarest[:i] {
			n.pairs = append(n.pairs, rarer*0x9E3779B1^word)
		}
	}
}

// findRarest finds so many of the words, in their order.
func (n *nearDuplicates) findRarest(words []uint32, count int) {
	n.rarest = n.rarest[:0]
	for _, word := range words {
		at := len(n.rarest)
		if at < count {
			n.rarest = append(n.rarest, word)
		} else if at--; at < 0 || word > n.rarest[at] {
			continue
		}
		for ; at > 0 && n.rarest[at-1] > word; at-- {
			n.rarest[at] = n.rarest[at-1]
		}
		n.rarest[at] = word
	}
}

// like returns a row that was added and is nearly equal, or -1.
func (n *nearDuplicates) like(row int) int {
	compared := 0
	for _, pair := range n.pairs {
		for at := *n.head(pair); at >= 0; at = n.entries[at].next {
			entry := &n.entries[at]
			if entry.pair != pair {
				continue
			}
			if compared == maxCompared {
				return -1
			}
			compared++
			if n.nearlyEqual(row, int(entry.row)) {
				return int(entry.row)
			}
		}
	}
	return -1
}

// mark notes the words of the row that is compared with others.
func (n *nearDuplicates) mark(row int) {
	if n.marked == row {
		return
	}
	n.marked = row
	for _, word := range n.examined.wordsOf(&n.examined.rows[row]) {
		n.has[word] = int32(row) //nolint:gosec // it is below maxExamined
	}
}

// nearlyEqual reports whether all words but one, or one in ten, are in both inputs, and
// one is not much longer than the other.
func (n *nearDuplicates) nearlyEqual(row, other int) bool {
	a, b := &n.examined.rows[row], &n.examined.rows[other]
	if 5*min(a.count, b.count) < 4*max(a.count, b.count) {
		return false
	}
	words := max(a.distinct(), b.distinct())
	most := maxMissing(words)
	if max(a.lacking(b), b.lacking(a)) > most {
		return false
	}
	n.mark(row)
	missing := words
	for _, word := range n.examined.wordsOf(b) {
		if n.has[word] == int32(row) { //nolint:gosec // it is below maxExamined
			missing--
		}
	}
	return missing <= most
}

// maxMissing is how many of the words of an input nearly the same one may lack.
func maxMissing(words int) int { return max(1, words/10) }

func (n *nearDuplicates) add(row int) {
	for _, pair := range n.pairs {
		head := n.head(pair)
		n.entries = append(n.entries, pairEntry{pair: pair, row: int32(row), next: *head}) //nolint:gosec // it is below maxExamined
		*head = int32(len(n.entries) - 1)                                                  //nolint:gosec // there are 28 of a row at most
	}
}

// head is where the entries of pairs with such a hash begin.
func (n *nearDuplicates) head(pair uint32) *int32 {
	return &n.heads[n.spread.place(uint64(pair))]
}
