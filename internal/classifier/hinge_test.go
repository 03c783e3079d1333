package classifier

import (
	"math"
	"testing"
)

// At the optimum (Karush-Kuhn-Tucker) an example is either beyond its label's margin
// and has no part in the weights, or its part makes up for what it lacks.
func TestHingeFindsTheOptimum(t *testing.T) {
	examples := append(colourExamples(30), Example{Text: "it is red", Labels: [][]int{{1}}, Weight: 3})
	data := newColourData(t, examples, []Target{colours})
	e, err := newEnsemble(data, scratchFilesOf(t), nil, newSchedule(len(examples), 3, 0, Hyperparameters{}), 1)
	if err != nil {
		t.Fatal(err)
	}
	h := e.hinge
	for range 300 * len(examples) {
		if err := h.update(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	supporting := 0
	for i, example := range examples {
		sample, err := h.reader.read(int32(i))
		if err == nil {
			err = h.readDuals(int32(i))
		}
		if err != nil {
			t.Fatal(err)
		}
		h.weights.margins(sample.vector, h.margins)
		diagonal := 1 / (2 * h.schedule.cost * data.gradientWeight(sample, 0))
		for label, margin := range h.margins {
			if label != example.Labels[0][0] {
				margin = -margin
			}
			dual := h.own[label]
			if dual > 0 {
				supporting++
			}
			lacking := float64(1 - margin - diagonal*dual)
			if dual == 0 && lacking > 1e-3 || dual > 0 && math.Abs(lacking) > 1e-3 {
				t.Errorf("example %d, label %d: margin %v, dual %v", i, label, margin, dual)
			}
		}
	}
	if supporting == 0 {
		t.Error("no example supports the weights")
	}
}

func TestHingeLeavesMultiClassAlone(t *testing.T) {
	targets := []Target{topics, colours}
	examples := topicExamples(60)
	for i, colour := range colourExamples(60) {
		examples[i].Labels = append(examples[i].Labels, colour.Labels[0])
	}
	data := newColourData(t, examples, targets)
	e, err := newEnsemble(data, scratchFilesOf(t), nil, newSchedule(len(examples), 3, 0, Hyperparameters{}), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := advanceAll(t.Context(), e.fits(), e.descents[0].schedule.updates); err != nil {
		t.Fatal(err)
	}
	spreads, err := data.spreads(e.hinge.weights)
	if err != nil {
		t.Fatal(err)
	}
	if spreads[0] != 0 {
		t.Errorf("margins of a multi_class target spread by %v", spreads[0])
	}
	if spreads[1] == 0 {
		t.Error("nothing was learned of the single_class target")
	}
}
