package classifier

import (
	"context"
	"fmt"
	"math"
	"slices"
)

const (
	// mostRelevance is the exponent where labels are few; where they are many, a feature
	// that says little of most can still be what tells two of them apart.
	mostRelevance = 0.6
	// pseudoShare times the square root of the number of examples are those in which,
	// beside its own, every feature occurs, labelled as all examples are together. What
	// a rare feature says is mostly chance.
	pseudoShare = 0.07
	// leastDivergence keeps what says nothing from weighing nothing.
	leastDivergence = 0.03
)

// weighFeatures sets the weight of each feature: for each target a product of powers
// of its inverse document frequency and of what it says of the labels, and of these the
// geometric mean.
func (t *trainer) weighFeatures(ctx context.Context, counts *labelCounts) error {
	sum, known := 0.0, 0
	for feature := range t.vocabulary.weights {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("weighing features: %w", err)
		}
		t.vocabulary.weights[feature] = 0
		if counts.has(feature) {
			t.vocabulary.weights[feature] = counts.weight(t.heads, feature)
			sum += float64(t.vocabulary.weights[feature])
			known++
		}
	}
	t.vocabulary.unknown = float32(sum / float64(max(known, 1)))
	for feature, weight := range t.vocabulary.weights {
		if weight == 0 {
			t.vocabulary.weights[feature] = t.vocabulary.unknown
		}
	}
	return nil
}

// has tells whether an example has the feature.
func (c *labelCounts) has(feature int) bool {
	return slices.ContainsFunc(c.features, func(counts []float32) bool { return counts[feature] > 0 })
}

func (c *labelCounts) weight(heads []head, feature int) float32 {
	sum := 0.0
	for i, h := range heads {
		idf, divergence := c.inverseFrequency(i, feature), c.divergence(i, h, feature)
		sum += (mostRelevance-h.relevance)*math.Log(idf) + h.relevance*math.Log(divergence+leastDivergence)
	}
	return float32(math.Exp(sum / float64(len(heads))))
}

// labelCounts are numbers of examples.
type labelCounts struct {
	byFeature *linear     // with a feature and a label
	features  [][]float32 // labelled for a target, with a feature
	labels    []float64   // with a label
	examples  []float64   // labelled for a target
}

// countLabels learns nothing from examples that are held out.
func (t *trainer) countLabels(ctx context.Context) (*labelCounts, error) {
	c := &labelCounts{
		byFeature: newLinear(len(t.vocabulary.slots), columns(t.heads)),
		features:  make([][]float32, len(t.heads)),
		labels:    make([]float64, columns(t.heads)),
		examples:  make([]float64, len(t.heads)),
	}
	for i := range c.features {
		c.features[i] = make([]float32, len(t.vocabulary.slots))
	}
	i, heldOut := int32(0), t.heldOut
	for example, err := range t.examples.all() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("weighing features: %w", err)
		}
		if len(heldOut) > 0 && heldOut[0] == i {
			heldOut = heldOut[1:]
		} else {
			x := t.vectorizer.vectorize(example.Text)
			c.add(t.heads, x, t.vectorizer.present, example.Labels)
		}
		i++
	}
	return c, nil
}

// add counts an example with the features of x, those of a conversation as far as they
// are present.
func (c *labelCounts) add(heads []head, x vector, present []float32, labels [][]int) {
	count := func(i int) float32 {
		if len(present) == 0 {
			return 1
		}
		return present[i]
	}
	for i, h := range heads {
		if labels[i] == nil {
			continue
		}
		c.examples[i]++
		for k, feature := range x.features {
			c.features[i][feature] += count(k)
		}
		for _, label := range labels[i] {
			c.labels[h.first+label]++
			for k, feature := range x.features {
				c.byFeature.row(feature)[h.first+label] += count(k)
			}
		}
	}
}

// inverseFrequency is the smoothed inverse document frequency ln((1+n)/(1+df))+1.
// A feature may occur twice in an example, so that it is more frequent than examples are.
func (c *labelCounts) inverseFrequency(target, feature int) float64 {
	occurrences := min(float64(c.features[target][feature]), c.examples[target])
	return math.Log((1+c.examples[target])/(1+occurrences)) + 1
}

// divergence is by how much the labels of examples with a feature differ from those of
// all: the Kullback-Leibler divergence of their distribution, of a multi_class target
// the sum of those of whether each label applies.
func (c *labelCounts) divergence(target int, h head, feature int) float64 {
	sum := 0.0
	pseudoExamples := pseudoShare * math.Sqrt(c.examples[target])
	examples := float64(c.features[target][feature]) + pseudoExamples
	logAbsent := math.Log(pseudoExamples / examples)
	row := c.byFeature.row(uint32(feature))[h.first:h.end]
	for label, count := range row {
		labelled := c.labels[h.first+label]
		if labelled == 0 || labelled == c.examples[target] {
			continue
		}
		usual := labelled / c.examples[target]
		share, logRatio := usual*pseudoExamples/examples, logAbsent
		if count > 0 {
			share += float64(count) / examples
			logRatio = math.Log(share / usual)
		}
		sum += share * logRatio
		if h.loss == MultiClass {
			sum += (1 - share) * math.Log((1-share)/(1-usual))
		}
	}
	return max(sum, 0)
}
