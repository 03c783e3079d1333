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
		for label, p := range model.Probabilities("order", nil)[0] {
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
		m.margins = append(m.margins, float32(margin))
		m.applies = append(m.applies, random.Float64() < sigmoid(2*margin-1))
	}
	l := fitLogOdds(m)
	for _, margin := range []float32{-1, 0, 1} {
		probabilities := []float64{0}
		if l.probabilities([]float32{margin}, probabilities); math.Abs(probabilities[0]-sigmoid(2*float64(margin)-1)) > 0.02 {
			t.Errorf("margin %v: probability %v", margin, probabilities[0])
		}
	}
}

// One of three labels applies at a time, so that the margins of the others count.
func TestLogOddsLearnThatLabelsExcludeEachOther(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	m := labelMargins{labels: 3}
	for range 5000 {
		right := random.IntN(3)
		for label := range 3 {
			margin := random.NormFloat64() - 1
			if label == right {
				margin += 2
			}
			m.margins = append(m.margins, float32(margin))
			m.applies = append(m.applies, label == right)
		}
	}
	l := fitLogOdds(m)
	alone, disputed := make([]float64, 3), make([]float64, 3)
	l.probabilities([]float32{1, -2, -2}, alone)
	l.probabilities([]float32{1, 1, -2}, disputed)
	if alone[0] < disputed[0]+0.2 {
		t.Errorf("probability %v without another label, %v with one", alone[0], disputed[0])
	}
}

func TestSolve(t *testing.T) {
	a := [3][3]float64{{4, 1, 2}, {1, 3, 0}, {2, 0, 5}}
	want := [3]float64{1, -2, 3}
	var b [3]float64
	for i := range a {
		for j := range want {
			b[i] += a[i][j] * want[j]
		}
	}
	for i, x := range solve(a, b) {
		if math.Abs(x-want[i]) > 1e-12 {
			t.Errorf("x[%d] is %v instead of %v", i, x, want[i])
		}
	}
}
