//go:build unix

package classifier

import (
	"math"
	"math/rand/v2"
	"testing"
)

// longTailed has few examples of most labels. A text has two words of its label, of
// which three others have each, and one of any.
func longTailed(random *rand.Rand, labels, examples int) []Example {
	made := make([]Example, examples)
	for i := range made {
		label := i
		if i >= labels {
			label = int(float64(labels) * math.Pow(random.Float64(), 2))
		}
		text := ""
		for range 2 {
			word := random.IntN(6)
			text += ownWord((label+word*word*7)%labels, word) + " "
		}
		made[i] = Example{Text: text + ownWord(random.IntN(labels), random.IntN(6)), Labels: [][]int{{label}}}
	}
	return made
}

// A model of many labels is no worse than support vector machines, each of a label
// against the rest.
func TestManyLabels(t *testing.T) {
	const labels = 300
	target := wordyTarget(labels, SingleClass, noName)
	random := rand.New(rand.NewPCG(1, 1))
	examples, unseen := longTailed(random, labels, 6000), longTailed(random, labels, labels+1500)[labels:]
	options := Options{Targets: []Target{target}}
	model := train(t, examples, unseen[:500], options)
	got, want := accuracy(model, unseen[500:]), oneAgainstRest(t, examples, unseen, options)
	if got < want-0.01 {
		t.Errorf("accuracy %.3f, that of support vector machines is %.3f", got, want)
	}
}

// oneAgainstRest returns the accuracy of support vector machines with the model's features.
func oneAgainstRest(t *testing.T, examples, unseen []Example, options Options) float64 {
	corpus, valid := corpusOf(t, examples), corpusOf(t, unseen[:500])
	trainer := newTestTrainer(t, corpus, valid, options)
	if err := trainer.chooseFeatures(t.Context()); err != nil {
		t.Fatal(err)
	}
	data, err := trainer.prepareData(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHinge(data, &trainer.files, nil, trainer.schedule, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.advance(t.Context(), trainer.schedule.updates); err != nil {
		t.Fatal(err)
	}
	right := 0.0
	margins := make([]float32, len(options.Targets[0].Labels))
	for _, example := range unseen[500:] {
		h.weights.margins(trainer.vectorizer.vectorize(example.Text), margins)
		best := 0
		for label, margin := range margins {
			if margin > margins[best] {
				best = label
			}
		}
		if best == example.Labels[0][0] {
			right++
		}
	}
	return right / float64(len(unseen)-500)
}
