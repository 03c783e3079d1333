package classifier

import (
	"fmt"
	"slices"
)

// Quality is how much time a training may take to be a little better.
type Quality string

const (
	// QualityFast fits the weights by one short descent beside the support vector machines.
	QualityFast Quality = "fast"
	// QualityBalanced is what an empty one means.
	QualityBalanced Quality = "balanced"
	// qualityCurve is that of what learning curves are drawn with.
	qualityCurve Quality = "curve"
	// QualityBest fits by as many descents as anything can still be gained by.
	QualityBest Quality = "best"
)

// Qualities are all that there are.
func Qualities() []Quality { return []Quality{QualityFast, QualityBalanced, QualityBest} }

func (q Quality) check() error {
	if q != "" && !slices.Contains(Qualities(), q) {
		return fmt.Errorf("quality %q is none of %q", string(q), Qualities())
	}
	return nil
}

// descents is how many there are, where there is memory for several fits.
func (q Quality) descents() int {
	switch q {
	case QualityFast, qualityCurve:
		return 1
	case QualityBest:
		return 5
	}
	return 2
}

// hasCurve tells whether a learning curve is worth its time.
func (q Quality) hasCurve() bool { return q != QualityFast }

// passes is by how many times the engine's own choice the data is passed over.
func (q Quality) passes() float64 {
	switch q {
	case QualityFast:
		return 0.5
	case qualityCurve:
		return 0.25
	}
	return 1
}
