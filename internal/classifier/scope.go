package classifier

import (
	"math"
	"slices"
)

// scopeSteps is in how many steps a model remembers how sure it was of unseen examples.
const scopeSteps = 100

// sameCertainty is a difference that says nothing: where the unseen examples are all but
// the same, so are texts that are a little different.
const sameCertainty = 0.01

// certainty is how sure the model is of what the probabilities say: of a single_class
// target their entropy, negated, in nats; of a multi_class target the highest. The
// entropy tells texts of labels that were never trained from others somewhat better than
// the highest probability does.
func (h head) certainty(probabilities []float64) float64 {
	if h.loss == MultiClass {
		return slices.Max(probabilities)
	}
	sum := 0.0
	for _, p := range probabilities {
		if p > 0 {
			sum += p * math.Log(p)
		}
	}
	return sum
}

// scope returns quantiles of the certainty of the examples that are labelled for the
// target, ascending; nil if there are none.
func (h head) scope(target int, examples *calibrationExamples, c calibration) []float64 {
	var certainties []float64
	probabilities, margins := make([]float64, h.end-h.first), make([]float32, h.end-h.first)
	for all, example := range examples.all() {
		if example.Labels[target] == nil {
			continue
		}
		copy(margins, all[h.first:h.end])
		h.calibrated(margins, c, probabilities)
		certainties = append(certainties, h.certainty(probabilities))
	}
	if len(certainties) == 0 {
		return nil
	}
	slices.Sort(certainties)
	quantiles := make([]float64, scopeSteps+1)
	for i := range quantiles {
		quantiles[i] = certainties[i*(len(certainties)-1)/scopeSteps]
	}
	return quantiles
}

// InScope returns, for given probabilities of a target's labels, of which share of the
// unseen examples the model was no surer: of those that it was trained for, at most
// about one in twenty is below 0.05, whatever the model, and many of others. It is false if the model
// has seen no such examples.
func (m *Model) InScope(target int, probabilities []float64) (share float64, known bool) {
	quantiles := m.calibrations[target].Scope
	if len(quantiles) == 0 {
		return 0, false
	}
	certainty := m.heads[target].certainty(probabilities)
	surer, _ := slices.BinarySearch(quantiles, certainty+sameCertainty)
	return float64(surer) / float64(len(quantiles)), true
}
