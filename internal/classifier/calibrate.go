package classifier

import (
	"context"
	"fmt"
	"math"
)

// maxCalibrationMargins bounds the margins kept for calibration to 16 MiB.
const maxCalibrationMargins = 1 << 22

// calibrate returns a temperature for each target, fitted on examples that the
// calibrating weights have not seen.
func (t *trainer) calibrate(ctx context.Context) ([]float64, error) {
	temperatures := make([]float64, len(t.heads))
	width := columns(t.heads)
	stride := 1 + len(t.unseen)*width/maxCalibrationMargins
	var examples []Example
	var margins []float32
	for i := 0; i < len(t.unseen); i += stride {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("calibrating: %w", err)
		}
		t.calibrating.margins(t.vectorizer.vectorize(t.unseen[i].Text), t.margins)
		examples = append(examples, t.unseen[i])
		margins = append(margins, t.margins...)
	}
	for i, h := range t.heads {
		temperatures[i] = bestTemperature(func(temperature float64) float64 {
			loss := 0.0
			for row, example := range examples {
				if labels := example.Labels[i]; labels != nil {
					part := t.margins[h.first:h.end]
					copy(part, margins[row*width+h.first:row*width+h.end])
					h.probabilities(part, temperature)
					loss += h.gradient(part, labels)
				}
			}
			return loss + prior(temperature)
		})
	}
	return temperatures, ctx.Err()
}

// prior is the loss by which a temperature other than one must be worth it, so that a
// handful of examples does not make the model certain of everything.
func prior(temperature float64) float64 {
	return math.Pow(math.Log(temperature), 2)
}

const (
	lowestTemperature  = 0.05
	highestTemperature = 20
)

// bestTemperature returns the temperature at which loss is lowest, by golden-section search
// over its logarithm.
func bestTemperature(loss func(temperature float64) float64) float64 {
	const golden = 0.6180339887498949
	low, high := math.Log(lowestTemperature), math.Log(highestTemperature)
	a, b := high-golden*(high-low), low+golden*(high-low)
	lossA, lossB := loss(math.Exp(a)), loss(math.Exp(b))
	for high-low > 0.01 {
		if lossA < lossB {
			high, b, lossB = b, a, lossA
			a = high - golden*(high-low)
			lossA = loss(math.Exp(a))
		} else {
			low, a, lossA = a, b, lossB
			b = low + golden*(high-low)
			lossB = loss(math.Exp(b))
		}
	}
	return math.Exp((low + high) / 2)
}
