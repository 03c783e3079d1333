package dataset

import (
	"cmp"
	"slices"
)

// stratification decides how many inputs of each combination go to each split. It works
// as the iterative one of Sechidis, Tsoumakas and Vlahavas (On the Stratification of
// Multi-Label Data, 2011): from the rarest label to the commonest, inputs go to the split
// that lacks their labels most. But it starts with the split that inputs have by chance
// and moves what it has to, so that most of them stay where they are when others come or
// go. And a label with too few inputs for a share of each split still gets one into each.
type stratification struct {
	*combinations
	percents [len(splits)]int
	size     shares        // of samples
	shares   []labelShares // by the label's number
	rarest   []uint32      // labels' numbers, the rarest first
	moves    []inputMove   // that fill gaps

	wholeShares bool // are all that the other splits than Train are owed, for now
	visits      int  // of labels, by moves that were tried
}

// shares is what splits should have of something beyond what they have.
type shares struct {
	samples int              // that all splits have together
	need    [len(splits)]int // hundredths of samples; below 0: they have too many
}

// labelShares are those of a label.
type labelShares struct {
	shares
	combinations []uint32         // that have the label
	inputs       int              // that have it
	given        [len(splits)]int // inputs that the splits have
}

// inputMove is an input with the combination that has changed splits.
type inputMove struct {
	combination *combination
	from, to    int
}

// The search for samples that splits lack is bounded: in the combinations of a label that
// it looks at, in the moves that it makes for one sample, and in all.
const (
	maxCandidates = 32
	maxChain      = 3
	maxVisits     = 1 << 24
)

// maxPasses is more than it takes until hardly anything can be mended.
const maxPasses = 10

// stratify fills in which parts of the combinations go to which split.
func stratify(c *combinations, preparation *Preparation) {
	s := &stratification{combinations: c, percents: preparation.percents()}
	s.count()
	s.dealAsHashed()
	for _, s.wholeShares = range []bool{true, false} {
		s.fillGaps()
	}
	for range maxPasses {
		if !s.mend() {
			return
		}
	}
}

// percents are those of the inputs that the splits get.
func (p *Preparation) percents() (percents [len(splits)]int) {
	percents[validation] = min(p.ValidationPercent, 100)
	percents[test] = min(p.TestPercent, 100-percents[validation])
	percents[train] = 100 - percents[validation] - percents[test]
	return percents
}

// count finds out what there is, and what the splits need of it.
func (s *stratification) count() {
	s.shares = make([]labelShares, len(s.labels))
	for i := range s.all {
		c := &s.all[i]
		s.size.samples += c.inputs * int(c.samples)
		for _, pair := range s.pairsOf(c) {
			label := &s.shares[pair.label]
			label.combinations = append(label.combinations, uint32(i))
			label.inputs += c.inputs
			label.samples += c.inputs * int(pair.samples)
		}
	}
	for split, percent := range s.percents {
		s.size.need[split] = percent * s.size.samples
	}
	for i := range s.shares {
		label := &s.shares[i]
		if label.samples == 0 {
			continue // the preparation has dropped it
		}
		label.need = s.needOf(label)
		s.rarest = append(s.rarest, uint32(i))
	}
	slices.SortFunc(s.rarest, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(s.shares[a].samples, s.shares[b].samples), s.byName(a, b))
	})
}

// needOf is the share of each split or, where that is less than a sample and there is
// one to be had, a sample, for which the largest split gives.
func (s *stratification) needOf(label *labelShares) (need [len(splits)]int) {
	largest := train
	for split, percent := range s.percents {
		need[split] = percent * label.samples
		if percent > s.percents[largest] {
			largest = split
		}
	}
	for split := range splits {
		if missing := 100 - need[split]; missing > 0 && s.owes(split, label) {
			need[split] += missing
			need[largest] -= missing
		}
	}
	return need
}

// owes reports whether a split should have an input with the label: there is one for
// each split, or for those before it. What cannot be learned need not be measured.
func (s *stratification) owes(split int, label *labelShares) bool {
	if s.wholeShares && split != train && label.inputs*s.percents[split] < 100 {
		return false
	}
	before := 0
	for earlier := range split {
		if s.percents[earlier] > 0 {
			before++
		}
	}
	return s.percents[split] > 0 && label.inputs > before
}

// lacks reports whether a split has none of the inputs with the label that it should have.
func (s *stratification) lacks(split int, label *labelShares) bool {
	return label.given[split] == 0 && s.owes(split, label)
}

func (s *stratification) pairsOf(c *combination) []labelSamples { return s.pairs[c.start:c.end] }

// deal gives a split inputs with the combination. Fewer than none are taken from it.
func (s *stratification) deal(c *combination, split, inputs int) {
	c.parts[split] += inputs
	s.size.need[split] -= 100 * inputs * int(c.samples)
	for _, pair := range s.pairsOf(c) {
		label := &s.shares[pair.label]
		label.given[split] += inputs
		label.need[split] -= 100 * inputs * int(pair.samples)
	}
}

// dealAsHashed gives each split what it has by chance.
func (s *stratification) dealAsHashed() {
	for i := range s.all {
		for split, inputs := range s.all[i].hashed {
			s.deal(&s.all[i], split, inputs)
		}
	}
}

// fillGaps gives splits inputs with labels that they lack: first where it takes one move,
// then where it takes several.
func (s *stratification) fillGaps() {
	for chain := 1; chain <= maxChain; chain++ {
		for _, number := range s.rarest {
			for split := range splits {
				s.fillGap(&s.shares[number], split, chain)
			}
		}
	}
}

// fillGap moves an input with the label to the split, if that lacks one. Gaps that this
// leaves elsewhere have to be filled, too, by a chain of so many moves.
func (s *stratification) fillGap(label *labelShares, split, chain int) bool {
	if !s.lacks(split, label) {
		return true
	}
	for _, i := range label.combinations[:min(len(label.combinations), maxCandidates)] {
		c := &s.all[i]
		for from := range splits {
			if from == split || c.parts[from] == 0 || s.visits > maxVisits {
				continue
			}
			made := len(s.moves)
			s.move(c, from, split)
			if s.fillGapsOf(c, from, chain-1) {
				return true
			}
			s.undo(made)
		}
	}
	return false
}

// fillGapsOf fills the gaps that an input with the combination has left in a split.
func (s *stratification) fillGapsOf(c *combination, split, chain int) bool {
	for _, pair := range s.pairsOf(c) {
		label := &s.shares[pair.label]
		if s.lacks(split, label) && (chain == 0 || !s.fillGap(label, split, chain)) {
			return false
		}
	}
	return true
}

// move moves an input with the combination.
func (s *stratification) move(c *combination, from, to int) {
	s.deal(c, from, -1)
	s.deal(c, to, 1)
	s.moves = append(s.moves, inputMove{c, from, to})
	s.visits += len(s.pairsOf(c))
}

// undo takes back all moves but so many.
func (s *stratification) undo(made int) {
	for _, move := range slices.Backward(s.moves[made:]) {
		s.deal(move.combination, move.to, -1)
		s.deal(move.combination, move.from, 1)
	}
	s.moves = s.moves[:made]
}

// mend moves inputs where that brings labels nearer to their shares, the rarest label's
// first. It reports whether it has moved any.
func (s *stratification) mend() (mended bool) {
	for _, number := range s.rarest {
		for _, i := range s.shares[number].combinations {
			for s.mendOne(&s.all[i]) {
				mended = true
			}
		}
	}
	return mended
}

// mendOne makes the best move of an input with the combination, if there is a good one.
func (s *stratification) mendOne(c *combination) bool {
	best, bestFrom, bestTo := 0, 0, 0
	for from := range splits {
		if c.parts[from] == 0 || !s.canSpare(c, from) {
			continue
		}
		for to := range splits {
			if from == to || s.percents[to] == 0 {
				continue
			}
			if nearer := s.nearer(c, from, to); nearer > best {
				best, bestFrom, bestTo = nearer, from, to
			}
		}
	}
	if best == 0 {
		return false
	}
	s.deal(c, bestFrom, -1)
	s.deal(c, bestTo, 1)
	return true
}

// canSpare reports whether a split lacks no label without an input with the combination.
func (s *stratification) canSpare(c *combination, split int) bool {
	return !slices.ContainsFunc(s.pairsOf(c), func(pair labelSamples) bool {
		label := &s.shares[pair.label]
		return label.given[split] == 1 && s.owes(split, label)
	})
}

// nearer is by how much nearer to their shares a move brings all labels, and the samples.
func (s *stratification) nearer(c *combination, from, to int) int {
	nearer := s.size.nearer(from, to, int(c.samples))
	for _, pair := range s.pairsOf(c) {
		nearer += s.shares[pair.label].nearer(from, to, int(pair.samples))
	}
	return nearer
}

// nearer is by how much less the squares of what splits need are together when so many
// samples change splits, in proportion to all samples: a label counts as much as another.
func (s *shares) nearer(from, to, samples int) int {
	const precision = 1 << 26 // with 10 000 000 samples each still counts, and nothing overflows
	return samples * (s.need[to] - s.need[from] - 100*samples) * (precision / s.samples)
}
