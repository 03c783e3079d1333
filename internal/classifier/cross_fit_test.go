package classifier

import (
	"slices"
	"testing"
)

// Each fold has its part of each label's examples, however these are sorted.
func TestFolds(t *testing.T) {
	for _, test := range []struct {
		reason               string
		examples, valid      int
		heldOut, crossFitted int // examples
	}{
		{"of a handful all are cross-fitted, and none measured on", 30, 0, 0, 30},
		{"a tenth is measured on, and enough others are cross-fitted", 600, 0, 60, 180},
		{"a tenth is enough", 2100, 0, 210, 0},
		{"a few validation examples are not", 900, 20, 0, 180},
		{"but many are", 900, 200, 0, 0},
	} {
		t.Run(test.reason, func(t *testing.T) {
			examples := colourExamples(test.examples)
			slices.SortStableFunc(examples, func(a, b Example) int { return a.Labels[0][0] - b.Labels[0][0] })
			options := Options{Targets: []Target{colours}}
			corpus, valid := corpusOf(t, examples), corpusOf(t, colourExamples(test.valid))
			trainer := newTestTrainer(t, corpus, valid, options)
			crossFitted := slices.Concat(trainer.crossFitted...)
			if len(trainer.heldOut) != test.heldOut || len(crossFitted) != test.crossFitted {
				t.Errorf("%d examples are held out, %d cross-fitted", len(trainer.heldOut), len(crossFitted))
			}
			all := slices.Sorted(slices.Values(slices.Concat(trainer.heldOut, crossFitted)))
			if len(slices.Compact(all)) != test.heldOut+test.crossFitted {
				t.Error("an example is in several folds")
			}
			for _, fold := range trainer.crossFitted {
				ofLabel := make([]int, len(colours.Labels))
				for _, example := range fold {
					ofLabel[examples[example].Labels[0][0]]++
				}
				if slices.Max(ofLabel)-slices.Min(ofLabel) > 1 {
					t.Errorf("a fold has %v of the labels", ofLabel)
				}
			}
		})
	}
}
