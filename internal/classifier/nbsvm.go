package classifier

import (
	"math"
	"math/rand/v2"
)

// NB-SVM (Wang and Manning 2012) is a support vector machine on features of naive Bayes:
// for each label, a feature is scaled by how much likelier it makes the label. Where few
// labels are told apart by single words, as sentiments and topics are, it is often the
// best of all fits; elsewhere it is not.
const (
	// mostNBSVMLabels are those of a target up to which NB-SVM has ever won.
	mostNBSVMLabels = 50
	nbsvmCost       = 0.2
	// nbsvmPasses are fewer than hingePasses: features that tell much are found at once.
	nbsvmPasses = 4
	// nbsvmPrior is the number of examples in which, beside its own, every feature occurs,
	// labelled as all examples are together.
	nbsvmPrior = 1
)

func (h head) hasNBSVM() bool {
	return h.loss == SingleClass && h.end-h.first <= mostNBSVMLabels
}

// newNBSVM needs the data's odds.
func newNBSVM(data *trainingData, files *scratchFiles, leftOut []int32, s schedule, seed uint64) (*hinge, error) {
	h, err := newHinge(data, files, leftOut, s, seed)
	if err != nil {
		return nil, err
	}
	h.turns = newTurns(h.turns.order, rand.NewPCG(seed, nbsvmStream))
	h.learns, h.factors = head.hasNBSVM, data.odds
	h.passes, h.cost = nbsvmPasses, s.cost*nbsvmCost
	return h, nil
}

// nbsvmStream keeps its random numbers apart from those of the other fits.
const nbsvmStream = 1 << 32

// odds returns, for each feature and label, the square of the logarithm of the odds ratio
// of the label with the feature and without looking, divided by that of the feature's
// weight, which it takes the place of.
func (c *labelCounts) odds(heads []head, featureWeights []float32) *linear {
	l := newLinear(len(featureWeights), columns(heads))
	for i, h := range heads {
		if !h.hasNBSVM() {
			continue
		}
		for feature, weight := range featureWeights {
			occurrences := float64(c.features[i][feature])
			odds := l.row(uint32(feature))[h.first:h.end]
			for label, count := range c.byFeature.row(uint32(feature))[h.first:h.end] {
				usual := c.labels[h.first+label] / c.examples[i]
				with := (float64(count) + nbsvmPrior*usual) / (occurrences + nbsvmPrior)
				ratio := (logit(with) - logit(usual)) / float64(weight)
				odds[label] = float32(ratio * ratio)
			}
		}
	}
	return l
}

// logit keeps the odds of what always or never is finite.
func logit(p float64) float64 {
	const least = 1e-6
	p = min(max(p, least), 1-least)
	return math.Log(p / (1 - p))
}
