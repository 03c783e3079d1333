package classifier

import (
	"math"
	"slices"
	"testing"
)

func labelled(frequencies ...int) []Example {
	var examples []Example
	for label, frequency := range frequencies {
		for range frequency {
			examples = append(examples, Example{Labels: [][]int{{label}}})
		}
	}
	return examples
}

func TestLabelWeights(t *testing.T) {
	for _, test := range []struct {
		reason      string
		frequencies []int
		want        []float64
	}{
		{"equally frequent labels weigh the same", []int{7, 7, 7}, []float64{1, 1, 1}},
		{"a label of a quarter of the examples weighs twice as much", []int{40, 10}, []float64{5. / 6, 5. / 3}},
		{"the share that a rare label gets has no bound of its own", []int{10_000, 1}, []float64{0.99, 99}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			target := Target{Labels: make([]string, len(test.frequencies)), Loss: SingleClass}
			got := labelWeights([][]int{test.frequencies}, newHeads([]Target{target}))
			for label, want := range test.want {
				if math.Abs(float64(got[label])/want-1) > 0.01 {
					t.Errorf("weights %v, want %v", got, test.want)
				}
			}
		})
	}
}

func TestWeightsOfGradientsAreBounded(t *testing.T) {
	examples := labelled(10_000, 1)
	examples[10_000].Weight = 50
	data := newColourData(t, examples, []Target{{Labels: []string{"frequent", "rare"}, Loss: SingleClass}})
	heavy := sample{labels: [][]int{{1}}, weight: 50}
	if got := data.gradientWeight(heavy, 0); got != maxRelativeWeight {
		t.Errorf("a heavy example of a rare label weighs %v", got)
	}
}

// newColourData is of examples, without any beside.
func newColourData(t *testing.T, examples []Example, targets []Target) *trainingData {
	t.Helper()
	corpus := corpusOf(t, examples)
	if err := corpus.flush(); err != nil {
		t.Fatal(err)
	}
	survey, err := surveyExamples(t.Context(), "training", corpus, targets)
	if err != nil {
		t.Fatal(err)
	}
	trainer := &trainer{heads: newHeads(targets), survey: survey, examples: trainingExamples{corpus: corpus}}
	if err := trainer.chooseFeatures(t.Context()); err != nil {
		t.Fatal(err)
	}
	data := newTrainingData(trainer.examples, survey, targets, trainer.heads, trainer.vocabulary)
	if err := data.keepVectors(t.Context(), scratchFilesOf(t)); err != nil {
		t.Fatal(err)
	}
	return data
}

func risingWeights(features, columns int) *linear {
	l := newLinear(features, columns)
	for i := range l.weights {
		l.weights[i] = float32(i)
	}
	return l
}

// Whether the vectors are kept must not matter to what is learned.
func TestVectorsThatAreNotKept(t *testing.T) {
	options := []Target{colours}
	examples := colourExamples(60)
	schedule := newSchedule(len(examples), 3, 0, Hyperparameters{})
	weights := func(keep bool) []float32 {
		data := newColourData(t, examples, options)
		if data.vectors == nil {
			t.Fatal("vectors of a few texts are not kept")
		}
		if !keep {
			data.vectors = nil
		}
		data.bayes = risingWeights(len(data.vocabulary.slots), columns(data.heads))
		e, err := newEnsemble(data, scratchFilesOf(t), nil, schedule, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := advanceAll(t.Context(), e.fits(), schedule.updates); err != nil {
			t.Fatal(err)
		}
		weights, err := e.weights()
		if err != nil {
			t.Fatal(err)
		}
		return weights.weights
	}
	if !slices.Equal(weights(true), weights(false)) {
		t.Error("the weights differ")
	}
}
