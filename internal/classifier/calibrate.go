package classifier

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
)

// maxCalibrationMargins bounds the memory and the time that calibration takes.
const maxCalibrationMargins = 1 << 20

// calibration makes a target's margins into what is published.
type calibration struct {
	// Temperature divides the margins before they become scores that sum to one.
	Temperature float64 `json:"temperature"`
	// Independent is for the labels of a multi_class target; nil for single_class.
	Independent *independent `json:"independent,omitempty"`
	// Scope has quantiles of how sure the model is of examples that it has not seen, from
	// the least to the most.
	Scope []float64 `json:"scope,omitempty"`
}

// independent tells of each label on its own whether it applies.
type independent struct {
	LogOdds logOdds `json:"log_odds"`
	// Thresholds are the probabilities above which labels apply.
	Thresholds []float64 `json:"thresholds"`
	// Always says that every training example had a label.
	Always bool `json:"always"`
}

// calibrated sets probabilities to those of the labels, each its own for a multi_class
// target. It overwrites the margins.
func (h head) calibrated(margins []float32, c calibration, probabilities []float64) {
	if c.Independent == nil {
		h.scores(margins, c.Temperature, probabilities)
		return
	}
	c.Independent.LogOdds.probabilities(margins, probabilities)
}

// calibrate returns a calibration for each target, fitted on examples that the
// weights have not seen.
func (t *trainer) calibrate(ctx context.Context, weights *linear) ([]calibration, error) {
	examples := t.crossFittedMargins.others
	if err := t.addUnseenMargins(ctx, weights, t.vectorizer, examples); err != nil {
		return nil, err
	}
	if t.dense != nil {
		if err := t.dense.choose(ctx, t, weights, examples); err != nil {
			return nil, err
		}
	}
	if err := t.addPriors(ctx, examples); err != nil {
		return nil, err
	}
	calibrations := make([]calibration, len(t.heads))
	for i, h := range t.heads {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("calibrating: %w", err)
		}
		calibrations[i].Temperature = h.bestTemperature(i, examples)
		if h.loss == MultiClass {
			calibrations[i].Independent = fitIndependent(h.labelMargins(i, examples), !t.survey.unlabelled[i])
		}
		calibrations[i].Scope = h.scope(i, examples, calibrations[i])
	}
	return calibrations, nil
}

// addUnseenMargins adds the margins of the unseen examples.
func (t *trainer) addUnseenMargins(ctx context.Context, weights *linear, vectorizer *vectorizer, c *calibrationExamples) error {
	stride := 1 + t.unseen.Len()*c.width/maxCalibrationMargins
	c.margins = slices.Grow(c.margins, (t.unseen.Len()+stride-1)/stride*c.width)
	i := 0
	for example, err := range t.unseen.all() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("calibrating: %w", err)
		}
		if i%stride == 0 {
			c.heads = appendHead(c.heads, *example)
			c.margins = c.margins[:len(c.margins)+c.width]
			weights.margins(vectorizer.vectorizeBoth(example.Text, example.Dense), c.margins[len(c.margins)-c.width:])
		}
		i++
	}
	return nil
}

// calibrationExamples are margins of examples, and their labels in the form that takes
// the least memory.
type calibrationExamples struct {
	margins []float32
	width   int
	heads   []byte
}

func newCalibrationExamples(heads []head) *calibrationExamples {
	return &calibrationExamples{width: columns(heads)}
}

func (c *calibrationExamples) clone() *calibrationExamples {
	return &calibrationExamples{slices.Clone(c.margins), c.width, slices.Clone(c.heads)}
}

// all yields the margins of each example, and the example without its text, which are
// valid until the next.
func (c *calibrationExamples) all() iter.Seq2[[]float32, *Example] {
	return func(yield func([]float32, *Example) bool) {
		var h headReader
		heads := c.heads
		for margins := range slices.Chunk(c.margins, c.width) {
			heads = h.read(heads)
			if !yield(margins, &h.result) {
				return
			}
		}
	}
}

// calibrationLoss is the cross-entropy of the scores as they will be published: those
// of a multi_class target too are taken after they were made to sum to one. Examples
// count by their weights, as in training.
func (h head) calibrationLoss(target int, examples *calibrationExamples, temperature float64) float64 {
	loss, weights, count := 0.0, 0.0, 0.0
	margins := make([]float32, h.end-h.first)
	scores := make([]float64, len(margins))
	for all, example := range examples.all() {
		copy(margins, all[h.first:h.end])
		h.scores(margins, temperature, scores)
		for _, label := range example.Labels[target] {
			loss += weight(example) * crossEntropy(scores[label]) / float64(len(example.Labels[target]))
		}
		weights += weight(example)
		count++
	}
	if weights == 0 {
		return 0
	}
	return loss * count / weights
}

// calibratedLoss is that of the scores at the best temperature.
func (h head) calibratedLoss(target int, examples *calibrationExamples) float64 {
	loss := h.temperatureLoss(target, examples)
	return loss(bestTemperature(loss))
}

func (h head) bestTemperature(target int, examples *calibrationExamples) float64 {
	return bestTemperature(h.temperatureLoss(target, examples))
}

func (h head) temperatureLoss(target int, examples *calibrationExamples) func(temperature float64) float64 {
	return func(temperature float64) float64 {
		return h.calibrationLoss(target, examples, temperature) + prior(temperature)
	}
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

// bestTemperature returns the temperature at which loss is lowest, by golden-section
// search over its logarithm.
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
