package dataset

import "math"

// perNat is what scores, which are logarithms of probabilities, are counted in: each is off
// by one in 32 at most. 15 bits hold the sum of maxWords words.
const perNat = 16

func scoreOf(logarithm float64) int32 { return int32(math.Round(perNat * logarithm)) }

// packed has a number of 15 bits for each label, those of four together, so that one
// addition is for four.
type packed []uint64

const (
	packedLabels = 4
	packedBits   = 64 / packedLabels
	packedMask   = 1<<packedBits - 1
	packedOnes   = 1<<(0*packedBits) | 1<<packedBits | 1<<(2*packedBits) | 1<<(3*packedBits)
	packedMost   = packedMask >> 1 // no number is larger
)

func newPacked(labels int) packed {
	return make(packed, (labels+packedLabels-1)/packedLabels)
}

func packedShift(label int) int { return label % packedLabels * packedBits }

func (p packed) add(label int, number int32) {
	p[label/packedLabels] += uint64(number) << packedShift(label) //nolint:gosec // it is not negative
}

func (p packed) clear(label int) {
	p[label/packedLabels] &^= packedMask << packedShift(label)
}

// above returns the first label with the largest number, if that is above the limit, or -1.
func (p packed) above(limit int32) (label int, number int32) {
	label, number = -1, min(max(limit, 0), packedMost)
	for i, four := range p {
		// Where a number is above, the sum reaches the highest bit.
		if (four+uint64(packedMost-number)*packedOnes)&(packedOnes<<(packedBits-1)) == 0 {
			continue
		}
		for at := packedLabels * i; four != 0; at++ {
			if other := int32(four & packedMask); other > number {
				label, number = at, other
			}
			four >>= packedBits
		}
	}
	return label, number
}

// wordScores has for each word the labels of which samples have it, and what that adds to
// their scores.
type wordScores struct {
	terms  []int32 // what a word adds to the score of a label, by how many of its samples have it
	words  []wordLabels
	groups []uint32 // of four labels, of one word after the other
	scores packed   // of the groups
}

// wordLabels is the labels of a word.
type wordLabels struct {
	start, end uint32 // of its groups
	group      uint32 // that is being counted, from 1
	most       int32  // the largest score
	counts     uint64 // of the group, packed
}

// newWordScores makes room for all labels that words can have.
func newWordScores(vocabulary *vocabulary, labels int, terms []int32) wordScores {
	s := wordScores{terms: terms, words: make([]wordLabels, len(vocabulary.samples))}
	groups, all := int32(len(newPacked(labels))), uint32(0) //nolint:gosec // labels are few
	for word, samples := range vocabulary.samples {
		s.words[word].start, s.words[word].end = all, all
		all += uint32(min(samples, groups)) //nolint:gosec // it is not negative
	}
	s.groups, s.scores = make([]uint32, all), make(packed, all)
	return s
}

// count adds a sample with the words. The labels come one after the other.
func (s *wordScores) count(words []uint32, label int) {
	group, one := uint32(label/packedLabels+1), uint64(1)<<packedShift(label) //nolint:gosec // labels are few
	for _, number := range words {
		word := &s.words[number]
		if word.group != group {
			s.endGroup(word)
			word.group = group
		}
		word.counts += one
	}
}

// counted scores the label that is being counted for a sample of it, without the sample.
func (s *wordScores) counted(words []uint32, label int) (score int32) {
	shift := packedShift(label)
	for _, number := range words {
		score += s.terms[s.words[number].counts>>shift&packedMask-1]
	}
	return score
}

func (s *wordScores) end() {
	for number := range s.words {
		s.endGroup(&s.words[number])
	}
}

// endGroup scores the labels of the group that was counted.
func (s *wordScores) endGroup(word *wordLabels) {
	if word.counts == 0 {
		return
	}
	scores := uint64(0)
	for shift := 0; shift < 64; shift += packedBits {
		score := s.terms[word.counts>>shift&packedMask]
		scores |= uint64(score) << shift //nolint:gosec // it is not negative
		word.most = max(word.most, score)
	}
	s.groups[word.end], s.scores[word.end] = word.group-1, scores
	word.end++
	word.counts = 0
}

// most is a score that the words give no label more than.
func (s *wordScores) most(words []uint32) (score int32) {
	for _, number := range words {
		score += s.words[number].most
	}
	return score
}

// addTo adds the scores of the words to sums.
func (s *wordScores) addTo(sums packed, words []uint32) {
	for _, number := range words {
		word := &s.words[number]
		scores := s.scores[word.start:word.end]
		if len(scores) == len(sums) { // as common words have
			for group := range sums {
				sums[group] += scores[group]
			}
			continue
		}
		groups := s.groups[word.start:word.end]
		for i := range scores {
			sums[groups[i]] += scores[i]
		}
	}
}
