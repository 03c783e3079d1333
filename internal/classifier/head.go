package classifier

import "math"

// head is a target's part of the label columns: from first up to end.
type head struct {
	loss       LossFunction
	first, end int
}

func newHeads(targets []Target) []head {
	heads := make([]head, len(targets))
	first := 0
	for t, target := range targets {
		heads[t] = head{loss: target.Loss, first: first, end: first + len(target.Labels)}
		first = heads[t].end
	}
	return heads
}

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
		loss -= logarithm(1 - p)
	}
	return loss
}

// presenceLoss is what a label that applies adds to the loss.
func (h head) presenceLoss(probability float32) float64 {
	loss := -logarithm(probability)
	if h.loss == MultiClass {
		loss += logarithm(1 - probability)
	}
	return loss
}

// logarithm keeps the loss of a probability that was rounded to zero finite.
func logarithm(probability float32) float64 {
	return math.Log(max(float64(probability), 1e-7))
}
