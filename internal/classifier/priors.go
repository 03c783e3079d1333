package classifier

import (
	"context"
	"fmt"
	"math"
)

const (
	// priorUpdates is more than Newton's method takes to converge.
	priorUpdates = 5
	// priorEvidence is what no frequencies at all are worth, in examples: so many decide.
	priorEvidence = 4
	// mostPrior is when a label counts as often as it is there, and a bit more.
	mostPrior = 1.25
)

// addPriors has frequent labels count for more again, as far as the examples say that no weight
// was fitted to, and adds to their margins what it adds to the model's. Fits learn from
// rare labels more than there is of them, and naive Bayes from all labels alike, so that all
// are learned; but a text of which little is known is likelier to have a frequent one.
func (t *trainer) addPriors(ctx context.Context, examples *calibrationExamples) error {
	t.priors = make([]float32, columns(t.heads))
	for i, h := range t.heads {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("weighing labels: %w", err)
		}
		frequencies, unequal := logFrequencies(t.survey.frequencies[i])
		if !h.isSingleClass() || !unequal {
			continue
		}
		temperature := h.bestTemperature(i, examples)
		strength := temperature * h.priorStrength(i, examples, frequencies, temperature)
		for label, frequency := range frequencies {
			t.priors[h.first+label] = float32(strength * frequency)
		}
	}
	for start := 0; start < len(examples.margins); start += examples.width {
		for column, prior := range t.priors {
			examples.margins[start+column] += prior
		}
	}
	return nil
}

// logFrequencies are the logarithms of the labels' numbers of examples, less their mean.
func logFrequencies(frequencies []int) (logarithms []float64, unequal bool) {
	logarithms, mean := make([]float64, len(frequencies)), 0.0
	for label, frequency := range frequencies {
		logarithms[label] = math.Log(float64(max(frequency, 1)))
		mean += logarithms[label] / float64(len(frequencies))
		unequal = unequal || frequency != frequencies[0]
	}
	for label := range logarithms {
		logarithms[label] -= mean
	}
	return logarithms, unequal
}

// priorStrength is the exponent of the labels' frequencies at which the examples are expected
// most when scores, made at the temperature, are multiplied by that power of them. Newton's
// method finds it.
func (h head) priorStrength(
	target int, examples *calibrationExamples, frequencies []float64, temperature float64,
) (strength float64) {
	scores, shifted := make([]float64, h.end-h.first), make([]float32, h.end-h.first)
	for range priorUpdates {
		gradient, curvature := priorEvidence*strength, float64(priorEvidence)
		for margins, example := range examples.all() {
			for label := range shifted {
				shifted[label] = margins[h.first+label] + float32(temperature*strength*frequencies[label])
			}
			h.scores(shifted, temperature, scores)
			mean, square := 0.0, 0.0
			for label, score := range scores {
				mean += score * frequencies[label]
				square += score * frequencies[label] * frequencies[label]
			}
			for _, label := range example.Labels[target] {
				gradient += weight(example) * (mean - frequencies[label])
				curvature += weight(example) * (square - mean*mean)
			}
		}
		strength = min(max(strength-gradient/curvature, 0), mostPrior)
	}
	return strength
}
