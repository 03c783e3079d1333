package classifier

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestDecideFindsEachLabel(t *testing.T) {
	examples := topicExamples(400)
	model := train(t, examples, nil, Options{Targets: []Target{topics}})
	var probabilities [][]float64
	var decided []int
	for _, example := range examples {
		probabilities = model.Probabilities(example.Text, probabilities)
		decided = model.Decide(0, probabilities[0], decided)
		if !slices.Equal(decided, example.Labels[0]) {
			t.Fatalf("%q has labels %v: decided %v of %v", example.Text, example.Labels[0], decided, probabilities[0])
		}
	}
}

func TestDecideWhereNothingIsAboveItsThreshold(t *testing.T) {
	for _, test := range []struct {
		reason string
		keep   func(labels []int) bool
		want   int
	}{
		{"every example had a label: so has this", func(labels []int) bool { return len(labels) > 0 }, 1},
		{"examples without a label taught that there are such", func([]int) bool { return true }, 0},
	} {
		t.Run(test.reason, func(t *testing.T) {
			examples := slices.DeleteFunc(topicExamples(400), func(e Example) bool { return !test.keep(e.Labels[0]) })
			model := train(t, examples, nil, Options{Targets: []Target{topics}})
			reread, err := ReadModel(bytes.NewReader(encode(t, model)))
			if err != nil {
				t.Fatal(err)
			}
			if got := reread.Decide(0, []float64{0, 0.001, 0}, nil); len(got) != test.want {
				t.Errorf("decided %v", got)
			}
		})
	}
}

func TestProbabilitiesOfSingleClassAreScores(t *testing.T) {
	model := train(t, colourExamples(100), nil, Options{Targets: []Target{colours}})
	scores, probabilities := model.Classify("it is red", nil)[0], model.Probabilities("it is red", nil)[0]
	if !slices.Equal(scores, probabilities) {
		t.Errorf("scores %v, probabilities %v", scores, probabilities)
	}
	if got := model.Decide(0, probabilities, nil); !slices.Equal(got, []int{0}) {
		t.Errorf("decided %v of %v", got, probabilities)
	}
	if thresholds := model.Thresholds(); len(thresholds) != 1 || thresholds[0] != nil {
		t.Errorf("thresholds %v for a target of which the most probable label applies", thresholds)
	}
}

func TestThresholdsSurviveTheFile(t *testing.T) {
	model := train(t, topicExamples(200), nil, Options{Targets: []Target{topics}})
	reread, err := ReadModel(bytes.NewReader(encode(t, model)))
	if err != nil {
		t.Fatal(err)
	}
	thresholds := model.Thresholds()[0]
	if len(thresholds) != len(topics.Labels) || !slices.Equal(thresholds, reread.Thresholds()[0]) {
		t.Errorf("thresholds %v, reread %v", thresholds, reread.Thresholds()[0])
	}
	thresholds[0] = 2
	if model.Thresholds()[0][0] == 2 {
		t.Error("the caller changed the model's thresholds")
	}
}

// Whether a label applies is a matter of chance here, so that nobody can know better
// than how often it does.
func TestProbabilitiesAreCalibrated(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	share := []float64{0.6, 0.3, 0.05}
	examples := make([]Example, 3000)
	for i := range examples {
		labels := []int{}
		for label, p := range share {
			if random.Float64() < p {
				labels = append(labels, label)
			}
		}
		examples[i] = Example{Text: fmt.Sprintf("order %d", random.IntN(300)), Labels: [][]int{labels}}
	}
	for _, valid := range [][]Example{nil, examples[2000:]} {
		model := train(t, examples[:2000], valid, Options{Targets: []Target{topics}})
		for label, p := range model.Probabilities("my order", nil)[0] {
			if math.Abs(p-share[label]) > 0.1 {
				t.Errorf("with %d validation examples: label %d applies to %v of texts, probability %v", len(valid), label, share[label], p)
			}
		}
	}
}

func TestThresholdsFollowWhatLabelsCanReach(t *testing.T) {
	for _, test := range []struct {
		reason        string
		probabilities []float64
		want          float64
	}{
		{"certainty makes no mistakes", []float64{0, 0, 1, 0, 1}, 1},
		{"half of the guesses are right", []float64{0.5, 0.5, 0.5, 0.5}, 2 * 2. / (4 + 2)},
		{"doubtful ones are left out when certain ones are enough", []float64{1, 1, 1, 0.1}, 6 / (3 + 3.1)},
		{"nothing was seen", nil, 0},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := highestF1(test.probabilities); math.Abs(got-test.want) > 1e-9 {
				t.Errorf("F1 %v instead of %v", got, test.want)
			}
		})
	}
}

func TestAHandfulOfExamplesDoesNotSetExtremeThresholds(t *testing.T) {
	for _, valid := range [][]Example{topicExamples(2), {{Text: "x", Labels: [][]int{nil}}}} {
		model := train(t, topicExamples(16), valid, Options{Targets: []Target{topics}})
		for label, threshold := range model.Thresholds()[0] {
			if threshold < 0.2 || threshold > 0.6 {
				t.Errorf("label %d applies above %v", label, threshold)
			}
		}
	}
}

func TestLogOddsUndoesAWrongScale(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	m := labelMargins{labels: 1}
	for range 20000 {
		margin := random.NormFloat64()
		m.margins = append(m.margins, margin)
		m.applies = append(m.applies, random.Float64() < 1/(1+math.Exp(-(2*margin-1))))
	}
	if slope, offset := logOdds(m); math.Abs(slope-2) > 0.1 || math.Abs(offset+1) > 0.1 {
		t.Errorf("log-odds of %v·margin%+v instead of 2·margin-1", slope, offset)
	}
}
