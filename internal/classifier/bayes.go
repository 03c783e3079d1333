package classifier

import "math"

const (
	// The smoothing is what every label has, beside its own, of all labels' features, relative
	// to what a label has on average. Where an example has several labels, most of what is
	// counted for one says something of another.
	bayesSingleSmoothing = 0.01
	bayesMultiSmoothing  = 3
)

// bayes returns the weights of multinomial naive Bayes: the logarithms of how much more
// frequent a feature is among the features of a label than among all or, for a
// multi_class target, among those of the examples that do not have the label.
func (c *labelCounts) bayes(heads []head) *linear {
	l := newLinear(len(c.features[0]), columns(heads))
	for i, h := range heads {
		all, byLabel := c.totals(i, h)
		mean := all / float64(len(byLabel))
		for feature, occurrences := range c.features[i] {
			if occurrences == 0 {
				continue
			}
			usual := float64(occurrences) / all
			weights := l.row(uint32(feature))[h.first:h.end]
			for label, count := range c.byFeature.row(uint32(feature))[h.first:h.end] {
				if h.loss == MultiClass {
					smoothing := bayesMultiSmoothing * mean
					weights[label] = float32(math.Log(share(count, byLabel[label], usual, smoothing) /
						share(occurrences-count, all-byLabel[label], usual, smoothing)))
				} else {
					weights[label] = float32(math.Log(share(count, byLabel[label], usual, bayesSingleSmoothing*mean) / usual))
				}
			}
		}
	}
	return l
}

// totals counts the features of all examples and of those with each label.
func (c *labelCounts) totals(target int, h head) (all float64, byLabel []float64) {
	byLabel = make([]float64, h.end-h.first)
	for feature, occurrences := range c.features[target] {
		all += float64(occurrences)
		for label, count := range c.byFeature.row(uint32(feature))[h.first:h.end] {
			byLabel[label] += float64(count)
		}
	}
	return all, byLabel
}

// share is that of a feature, counted so often, in a total, smoothed with its usual share.
func share(count float32, total, usual, smoothing float64) float64 {
	return (float64(count) + smoothing*usual) / (total + smoothing)
}
