package controller

import (
	"slices"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// maxLossPoints is enough to draw the curve, and is what the API allows.
const maxLossPoints = 32

// lossHistory is the course of the losses. Of too many checkpoints, which must be
// in the order of their steps, it keeps the first, the last, the one with the
// lowest validation loss and others evenly between.
func lossHistory(checkpoints []mistral.Checkpoint) []classifierv1alpha1.LossPoint {
	var history []classifierv1alpha1.LossPoint
	for _, index := range kept(checkpoints) {
		checkpoint := checkpoints[index]
		if checkpoint.StepNumber < 0 {
			continue
		}
		point := classifierv1alpha1.LossPoint{
			Step:       checkpoint.StepNumber,
			Train:      fitLoss(checkpoint.Metrics.TrainLoss),
			Validation: fitLoss(checkpoint.Metrics.ValidLoss),
		}
		// The step is the list's key, and a server may repeat one.
		if last := len(history) - 1; last >= 0 && history[last].Step == point.Step {
			history[last] = point
			continue
		}
		history = append(history, point)
	}
	return history
}

func kept(checkpoints []mistral.Checkpoint) []int {
	indices := make([]int, 0, maxLossPoints)
	if len(checkpoints) <= maxLossPoints {
		for i := range checkpoints {
			indices = append(indices, i)
		}
		return indices
	}
	for i := range maxLossPoints - 1 {
		indices = append(indices, i*(len(checkpoints)-1)/(maxLossPoints-2))
	}
	if best := bestCheckpoint(checkpoints); best >= 0 {
		indices = append(indices, best)
	}
	slices.Sort(indices)
	return slices.Compact(indices)
}

func bestCheckpoint(checkpoints []mistral.Checkpoint) int {
	best := -1
	for i, checkpoint := range checkpoints {
		loss := checkpoint.Metrics.ValidLoss
		if loss != nil && *loss > 0 && (best < 0 || *loss < *checkpoints[best].Metrics.ValidLoss) {
			best = i
		}
	}
	return best
}
