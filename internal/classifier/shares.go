package classifier

import (
	"context"
	"fmt"
	"slices"
)

// nbsvmShares are what the weights of NB-SVM can be of the mean. They are none unless
// examples say otherwise that no weight was fitted to.
var nbsvmShares = []float64{0, 0.1, 0.3, 0.6, 0.9}

const (
	// sharePrior times a share is the loss, in nats, by which it must be worth it, so that a
	// handful of examples does not decide.
	sharePrior = 10
	// mistakeLoss is what a wrong decision adds to the loss: NB-SVM decides better than it
	// tells how sure it is.
	mistakeLoss = 1
)

// choosesShares tells whether there are examples to choose what NB-SVM is of the mean.
func (t *trainer) choosesShares() bool {
	return t.unseen.Len()+len(t.crossFitted) > 0 && slices.ContainsFunc(t.heads, head.hasNBSVM)
}

// mixture is what the margins of examples that no weight was fitted to are made of: those
// of NB-SVM and those of all other fits, as far spread.
type mixture struct {
	others, nbsvm *calibrationExamples
}

func newMixture(heads []head) *mixture {
	return &mixture{newCalibrationExamples(heads), newCalibrationExamples(heads)}
}

// addMixture adds the margins of the unseen examples.
func (t *trainer) addMixture(ctx context.Context, e *ensemble, m *mixture) error {
	others, err := e.weights()
	if err != nil {
		return err
	}
	if err := t.addUnseenMargins(ctx, others, t.vectorizer, m.others); err != nil || e.nbsvm == nil {
		return err
	}
	ratios, err := spreadRatios(e.data, others, e.data, e.nbsvm.weights)
	if err != nil {
		return err
	}
	start := len(m.nbsvm.margins)
	if err := t.addUnseenMargins(ctx, e.nbsvm.weights, t.vectorizer, m.nbsvm); err != nil {
		return err
	}
	for margins := range slices.Chunk(m.nbsvm.margins[start:], m.nbsvm.width) {
		for i, h := range t.heads {
			for column := h.first; column < h.end; column++ {
				margins[column] *= float32(ratios[i])
			}
		}
	}
	return nil
}

// chooseShares has the examples that no weight was fitted to choose what NB-SVM is of the
// mean, for each target.
func (t *trainer) chooseShares(ctx context.Context) error {
	crossFitted := t.crossFittedMargins
	if t.calibrating.nbsvm == nil {
		return nil
	}
	all := crossFitted.clone()
	if err := t.addMixture(ctx, t.calibrating, all); err != nil {
		return err
	}
	shares := make([]float64, len(t.heads))
	for i, h := range t.heads {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("choosing shares: %w", err)
		}
		if h.hasNBSVM() {
			shares[i] = h.bestShare(i, all)
			h.mixMargins(crossFitted.others, crossFitted.others, crossFitted.nbsvm, shares[i], 1)
		}
	}
	t.calibrating.shares, t.final.shares = shares, shares
	return nil
}

// bestShare is that of the lowest loss after calibration, mistakes included. Margins are linear
// in the weights, so that no weights have to be mixed to know those of a mean.
func (h head) bestShare(target int, m *mixture) float64 {
	best, lowest := 0.0, 0.0
	mean := m.others.clone()
	for _, share := range nbsvmShares {
		h.mixMargins(mean, m.others, m.nbsvm, share, 1)
		total := h.calibratedLoss(target, mean) + mistakeLoss*h.mistakes(target, mean) + sharePrior*share
		if share == 0 || total < lowest {
			best, lowest = share, total
		}
	}
	return best
}

// mistakes are examples of which another label has the largest margin.
func (h head) mistakes(target int, examples *calibrationExamples) float64 {
	sum := 0.0
	for margins, example := range examples.all() {
		own := margins[h.first:h.end]
		for _, label := range example.Labels[target] {
			if slices.Max(own) > own[label] {
				sum += weight(example)
			}
		}
	}
	return sum
}

func (m *mixture) clone() *mixture { return &mixture{m.others.clone(), m.nbsvm.clone()} }
