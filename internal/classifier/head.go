package classifier

import "math"

// head is a target's part of the label columns: from first up to end.
type head struct {
	loss       LossFunction
	first, end int
	// rate is the head's own factor of the learning rate. The more labels there are, the
	// fewer steps each one's weights get, and the larger these have to be. With few
	// labels, large steps only follow the noise; so they do where each label is learned on
	// its own.
	rate float32
	// lead is what the right label's margin has to be above that of the others to be
	// taken for equal in training. Telling many labels apart by more than what would do
	// for the training examples does for more of the others.
	lead float32
	// relevance is the exponent of what a feature says of the labels in its weight.
	relevance float64
}

// mostLead is the lead of a hundred labels.
const mostLead = 2

func newHeads(targets []Target) []head {
	heads := make([]head, len(targets))
	first := 0
	for t, target := range targets {
		labels := len(target.Labels)
		share := min(max(math.Sqrt(float64(labels)/100), 0.25), 1)
		heads[t] = head{
			loss:      target.Loss,
			first:     first,
			end:       first + labels,
			rate:      float32(share),
			lead:      float32(share * mostLead),
			relevance: min(0.25/share, mostRelevance),
		}
		if target.Loss == MultiClass {
			heads[t].rate *= math.Sqrt2 / 2
			heads[t].lead, heads[t].relevance = 0, mostRelevance
		}
		first = heads[t].end
	}
	return heads
}

func (h head) isSingleClass() bool { return h.loss == SingleClass }

func columns(heads []head) int {
	return heads[len(heads)-1].end
}

// probabilities turns margins into probabilities in place. Those of a multi_class
// head are each label's own.
func (h head) probabilities(margins []float32, temperature float64) {
	if h.loss == MultiClass {
		for i, margin := range margins {
			margins[i] = float32(1 / (1 + math.Exp(-float64(margin)/temperature)))
		}
		return
	}
	highest := margins[0]
	for _, margin := range margins {
		highest = max(highest, margin)
	}
	sum := 0.0
	for i, margin := range margins {
		exp := math.Exp(float64(margin-highest) / temperature)
		margins[i] = float32(exp)
		sum += exp
	}
	scale := float32(1 / sum)
	for i := range margins {
		margins[i] *= scale
	}
}

// scores sets scores to the probabilities of margins, which it overwrites, divided by
// their sum.
func (h head) scores(margins []float32, temperature float64, scores []float64) {
	h.probabilities(margins, temperature)
	sum := 0.0
	for i, p := range margins {
		scores[i] = float64(p)
		sum += scores[i]
	}
	for i := range scores {
		if sum == 0 {
			scores[i] = 1 / float64(len(scores))
		} else {
			scores[i] /= sum
		}
	}
}

// gradient turns probabilities into the gradient of the loss by the margins, in
// place, and returns the loss.
func (h head) gradient(probabilities []float32, labels []int) float64 {
	loss := 0.0
	if h.loss == MultiClass {
		loss = h.absenceLoss(probabilities)
	}
	for _, label := range labels {
		loss += h.presenceLoss(probabilities[label])
		probabilities[label]--
	}
	if h.loss == MultiClass {
		loss /= float64(len(probabilities))
	}
	return loss
}

// absenceLoss is the loss if no label applied.
func (h head) absenceLoss(probabilities []float32) float64 {
	loss := 0.0
	for _, p := range probabilities {
		loss += crossEntropy(float64(1 - p))
	}
	return loss
}

// presenceLoss is what a label that applies adds to the loss.
func (h head) presenceLoss(probability float32) float64 {
	loss := crossEntropy(float64(probability))
	if h.loss == MultiClass {
		loss -= crossEntropy(float64(1 - probability))
	}
	return loss
}

// crossEntropy keeps the loss of a probability that was rounded to zero finite.
func crossEntropy(probability float64) float64 {
	return -math.Log(max(probability, 1e-7))
}
