package classifier

// meanLoss is the mean over the targets, by their weights, of the mean loss of
// their labelled examples.
type meanLoss struct {
	weights, sums []float64
	counts        []int
}

func newMeanLoss(heads []head, targets []Target) *meanLoss {
	m := &meanLoss{
		weights: make([]float64, len(heads)),
		sums:    make([]float64, len(heads)),
		counts:  make([]int, len(heads)),
	}
	for i, target := range targets {
		m.weights[i] = target.Weight
	}
	return m
}

func (m *meanLoss) add(target int, loss float64) {
	m.sums[target] += loss
	m.counts[target]++
}

func (m *meanLoss) merge(other *meanLoss) {
	for i := range m.sums {
		m.sums[i] += other.sums[i]
		m.counts[i] += other.counts[i]
	}
}

func (m *meanLoss) mean() float64 {
	loss, weights := 0.0, 0.0
	for i, count := range m.counts {
		if count > 0 {
			loss += m.weights[i] * m.sums[i] / float64(count)
			weights += m.weights[i]
		}
	}
	if weights == 0 {
		return 0
	}
	return loss / weights
}
