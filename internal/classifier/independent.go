package classifier

import (
	"cmp"
	"slices"
)

// labelMargins are the margins of a multi_class target's labels for examples that are
// labelled for it, and which of them apply. An example is a row.
type labelMargins struct {
	labels  int
	margins []float32
	applies []bool
}

func (h head) labelMargins(target int, examples *calibrationExamples) labelMargins {
	m := labelMargins{labels: h.end - h.first}
	for margins, example := range examples.all() {
		labels := example.Labels
		if labels[target] == nil {
			continue
		}
		start := len(m.margins)
		m.margins = append(m.margins, margins[h.first:h.end]...)
		m.applies = append(m.applies, make([]bool, m.labels)...)
		for _, label := range labels[target] {
			m.applies[start+label] = true
		}
	}
	return m
}

func fitIndependent(m labelMargins, always bool) *independent {
	c := &independent{Always: always, LogOdds: fitLogOdds(m)}
	probabilities := make([]float64, len(m.margins))
	for start := 0; start < len(m.margins); start += m.labels {
		end := start + m.labels
		c.LogOdds.probabilities(m.margins[start:end], probabilities[start:end])
	}
	c.Thresholds = c.bestThresholds(m, probabilities)
	return c
}

// decide appends the labels that apply.
func (c *independent) decide(probabilities []float64, labels []int) []int {
	for label, p := range probabilities {
		if p > c.Thresholds[label] {
			labels = append(labels, label)
		}
	}
	if c.Always && len(labels) == 0 {
		labels = append(labels, highest(probabilities))
	}
	return labels
}

const (
	// ownShare is the label's share of its threshold; the rest is the same for all.
	ownShare = 0.1
	// usualThreshold is what is believed of the common part before looking at examples,
	// with the weight of thresholdPrior labels that apply.
	usualThreshold = 0.4
	thresholdPrior = 20
	thresholdStep  = 0.01
	mostThreshold  = 0.6
)

// bestThresholds are those that are best by micro- and macro-F1 on the examples. The threshold that gives a label its highest F1 is half of
// that F1 when probabilities are right (Lipton et al. 2014): how much labels differ is
// taken from that, as the best thresholds of rare labels are mostly chance.
func (c *independent) bestThresholds(m labelMargins, probabilities []float64) []float64 {
	own := make([]float64, m.labels)
	for label := range own {
		own[label] = highestF1(column(probabilities, label, m.labels)) / 2
	}
	best, bestF1 := usualThreshold, 0.0
	for common := thresholdStep; common <= mostThreshold; common += thresholdStep {
		c.Thresholds = mixThresholds(common, own)
		if f1 := c.f1(m, probabilities); f1 > bestF1 {
			best, bestF1 = common, f1
		}
	}
	applying := 0.0
	for _, applies := range m.applies {
		if applies {
			applying++
		}
	}
	best = (best*applying + usualThreshold*thresholdPrior) / (applying + thresholdPrior)
	return mixThresholds(best, own)
}

func mixThresholds(common float64, own []float64) []float64 {
	thresholds := make([]float64, len(own))
	for label := range own {
		thresholds[label] = (1-ownShare)*common + ownShare*own[label]
	}
	return thresholds
}

func column(matrix []float64, column, columns int) []float64 {
	var values []float64
	for i := column; i < len(matrix); i += columns {
		values = append(values, matrix[i])
	}
	return values
}

// highestF1 is the expected F1 of a label with the best threshold for its
// probabilities, which it sorts.
func highestF1(probabilities []float64) float64 {
	slices.SortFunc(probabilities, func(a, b float64) int { return cmp.Compare(b, a) })
	applying := 0.0
	for _, p := range probabilities {
		applying += p
	}
	right, best := 0.0, 0.0
	for i, p := range probabilities {
		right += p
		best = max(best, 2*right/(float64(i+1)+applying))
	}
	return best
}

// f1 is the micro-F1 of what is decided and half of the macro-F1, which is the noisier
// one, as rare labels count as much in it as frequent ones.
func (c *independent) f1(m labelMargins, probabilities []float64) float64 {
	var all labelTally
	byLabel := make([]labelTally, m.labels)
	var decided []int
	for start := 0; start < len(probabilities); start += m.labels {
		decided = c.decide(probabilities[start:start+m.labels], decided[:0])
		for _, label := range decided {
			byLabel[label].decided++
			if m.applies[start+label] {
				byLabel[label].right++
			}
		}
		for label := range byLabel {
			if m.applies[start+label] {
				byLabel[label].applying++
			}
		}
	}
	macro := 0.0
	for _, tally := range byLabel {
		macro += tally.f1() / float64(m.labels)
		all.add(tally)
	}
	return all.f1() + macro/2
}

// labelTally counts examples.
type labelTally struct {
	decided, applying, right float64
}

func (t *labelTally) add(other labelTally) {
	t.decided += other.decided
	t.applying += other.applying
	t.right += other.right
}

func (t labelTally) f1() float64 {
	if t.right == 0 {
		return 0
	}
	return 2 * t.right / (t.decided + t.applying)
}
