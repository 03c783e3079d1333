package classifier

import (
	"context"
	"fmt"
	"math"
)

// trainingData is what all fits of a training learn from. They only read it.
type trainingData struct {
	examples     []Example
	targets      []Target
	heads        []head
	vocabulary   *vocabulary
	meanWeight   float64
	labelWeights []float32  // of each column
	vectors      []vector   // of each example; nil when they are too large to be kept
	bayes        *linear    // nil unless repeatable
	kinships     []*kinship // of each target's labels
}

// maxKeptFeatures bounds the memory of the vectors, which are made anew for each pass
// when there are more: 128 MiB.
const maxKeptFeatures = 1 << 24

func newTrainingData(ctx context.Context, examples []Example, targets []Target, heads []head, vocabulary *vocabulary) (*trainingData, error) {
	d := &trainingData{
		examples:     examples,
		targets:      targets,
		heads:        heads,
		vocabulary:   vocabulary,
		meanWeight:   meanWeight(examples),
		labelWeights: labelWeights(examples, heads),
	}
	for _, target := range targets {
		d.kinships = append(d.kinships, newKinship(target))
	}
	return d, d.keepVectors(ctx)
}

func (d *trainingData) keepVectors(ctx context.Context) error {
	vectorizer := newVectorizer(d.vocabulary)
	vectors := make([]vector, len(d.examples))
	kept := 0
	for i, example := range d.examples {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("reading features: %w", err)
		}
		x := vectorizer.vectorize(example.Text)
		if kept += len(x.features); kept > maxKeptFeatures {
			return nil
		}
		vectors[i] = x.clone()
	}
	d.vectors = vectors
	return nil
}

// vector returns that of an example, made with the vectorizer if it is not kept.
func (d *trainingData) vector(example int32, v *vectorizer) vector {
	if d.vectors != nil {
		return d.vectors[example]
	}
	return v.vectorize(d.examples[example].Text)
}

// spreadExamples are enough to tell how far margins spread.
const spreadExamples = 2000

// spreads returns, for each head, the root of the mean variance of the labels' margins.
func (d *trainingData) spreads(weights *linear) []float64 {
	vectorizer := newVectorizer(d.vocabulary)
	margins := make([]float32, weights.columns)
	sums, squares := make([]float64, weights.columns), make([]float64, weights.columns)
	examples := 0.0
	for i := 0; i < len(d.examples); i += 1 + len(d.examples)/spreadExamples {
		weights.margins(d.vector(int32(i), vectorizer), margins)
		for column, margin := range margins {
			sums[column] += float64(margin)
			squares[column] += float64(margin) * float64(margin)
		}
		examples++
	}
	spreads := make([]float64, len(d.heads))
	for i, h := range d.heads {
		variances := 0.0
		for column := h.first; column < h.end; column++ {
			variances += max(squares[column]/examples-math.Pow(sums[column]/examples, 2), 0)
		}
		spreads[i] = math.Sqrt(variances / float64(h.end-h.first))
	}
	return spreads
}

const (
	// maxRelativeWeight keeps a step from overshooting so far that no other example can
	// correct it.
	maxRelativeWeight = 10
	// minRelativeWeight is hardly anything, but its inverse is a number.
	minRelativeWeight = 1e-6
)

func (d *trainingData) relativeWeight(example int32) float32 {
	relative := weight(d.examples[example]) / d.meanWeight
	return float32(min(max(relative, minRelativeWeight), maxRelativeWeight))
}

// all returns the examples, by their indices.
func (d *trainingData) all() []int32 {
	return d.without(make([]bool, len(d.examples)))
}

func (d *trainingData) without(leftOut []bool) []int32 {
	var indices []int32
	for i := range d.examples {
		if !leftOut[i] {
			indices = append(indices, int32(i))
		}
	}
	return indices
}

// gradientWeight is what an example counts in a head's gradient.
func (d *trainingData) gradientWeight(example int32, target int) float32 {
	h := d.heads[target]
	if h.loss == MultiClass {
		return d.relativeWeight(example)
	}
	label := d.examples[example].Labels[target][0]
	return min(d.relativeWeight(example)*d.labelWeights[h.first+label], maxRelativeWeight)
}

func weight(example Example) float64 {
	if example.Weight == 0 {
		return 1
	}
	return example.Weight
}

func meanWeight(examples []Example) float64 {
	sum := 0.0
	for _, example := range examples {
		sum += weight(example)
	}
	return sum / float64(len(examples))
}

// labelWeights are, for each label of a single_class target, what its examples weigh:
// the less the more of them there are, by the square root, so that the rare labels
// are not drowned.
func labelWeights(examples []Example, heads []head) []float32 {
	weights := make([]float32, columns(heads))
	for i, h := range heads {
		if h.loss == MultiClass {
			continue
		}
		part := weights[h.first:h.end]
		for _, example := range examples {
			for _, label := range example.Labels[i] {
				part[label]++
			}
		}
		count, roots := 0.0, 0.0
		for _, frequency := range part {
			count += float64(frequency)
			roots += math.Sqrt(float64(frequency))
		}
		for label, frequency := range part {
			part[label] = float32(count / roots / math.Sqrt(float64(frequency)))
		}
	}
	return weights
}
