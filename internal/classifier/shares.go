package classifier

import (
	"context"
	"fmt"
	"slices"
)

// nbsvmShares are what the weights of NB-SVM can be of the mean. They are none unless
// examples say otherwise that no weight was fitted to.
var nbsvmShares = []float64{0, 0.3, 0.6, 0.9}

// sharePrior times a share is the loss, in nats, by which it must be worth it, so that a
// handful of examples does not decide.
const sharePrior = 4

// choosesShares tells whether unseen examples choose what NB-SVM is of the mean: so few that
// others had to be cross-fitted do not.
func (t *trainer) choosesShares() bool {
	return len(t.crossFitted) == 0 && slices.ContainsFunc(t.heads, head.hasNBSVM)
}

// chooseShares has the unseen examples choose what NB-SVM is of the mean, for each target.
func (t *trainer) chooseShares(ctx context.Context) error {
	e := t.calibrating
	if e.nbsvm == nil || t.unseen.Len() == 0 {
		return nil
	}
	others, err := e.weights()
	if err != nil {
		return err
	}
	mixed, added := newCalibrationExamples(t.heads), newCalibrationExamples(t.heads)
	if err := t.addUnseenMargins(ctx, others, t.vectorizer, mixed); err != nil {
		return err
	}
	if err := t.addUnseenMargins(ctx, e.nbsvm.weights, t.vectorizer, added); err != nil {
		return err
	}
	factors, err := spreadRatios(e.data, others, e.data, e.nbsvm.weights)
	if err != nil {
		return err
	}
	shares := make([]float64, len(t.heads))
	for i, h := range t.heads {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("choosing shares: %w", err)
		}
		if h.hasNBSVM() {
			shares[i] = h.bestShare(i, mixed, added, factors[i])
		}
	}
	t.calibrating.shares, t.final.shares = shares, shares
	return nil
}

// bestShare is that of the lowest loss after calibration. Margins are linear in the
// weights, so that no weights have to be mixed to know those of a mean.
func (h head) bestShare(target int, others, added *calibrationExamples, factor float64) float64 {
	best, lowest := 0.0, 0.0
	mean := &calibrationExamples{margins: make([]float32, len(others.margins)), width: others.width, heads: others.heads}
	for _, share := range nbsvmShares {
		kept, factor := float32(1-share), float32(share*factor)
		for i, margin := range others.margins {
			mean.margins[i] = kept*margin + factor*added.margins[i]
		}
		if total := h.calibratedLoss(target, mean) + sharePrior*share; share == 0 || total < lowest {
			best, lowest = share, total
		}
	}
	return best
}
