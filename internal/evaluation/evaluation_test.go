package evaluation

import (
	"fmt"
	"math"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// sure is a prediction without a doubt.
func sure(label, labels int) []float64 {
	probabilities := make([]float64, labels)
	probabilities[label] = 1
	return probabilities
}

func names(count int) []string {
	labels := make([]string, count)
	for i := range labels {
		labels[i] = fmt.Sprintf("label%d", i)
	}
	return labels
}

// expect compares all metrics: one that is there but not wanted is wrong, too.
func expect(t *testing.T, reason string, got map[string]float64, want map[string]float64) {
	t.Helper()
	for name, value := range want {
		if found, ok := got[name]; !ok || math.Abs(found-value) > 1e-9 {
			t.Errorf("%s: %s = %v, want %v", reason, name, found, value)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s = %v, want none", reason, name, got[name])
		}
	}
}

func TestSingleLabel(t *testing.T) {
	for _, test := range []struct {
		reason           string
		labels           int
		truth, predicted []int
		want             map[string]float64
	}{
		{
			"the example of scikit-learn's documentation",
			3, []int{0, 1, 2, 0, 1, 2}, []int{0, 2, 1, 0, 0, 1},
			map[string]float64{
				Accuracy: 2. / 6, PrecisionMicro: 2. / 6, RecallMicro: 2. / 6, F1Micro: 2. / 6,
				PrecisionMacro: 2. / 9, RecallMacro: 1. / 3, F1Macro: 4. / 15,
				CohenKappa: 0, ExpectedCalibrationError: 4. / 6,
			},
		},
		{
			"a label that nobody met has no part in the macro averages",
			4, []int{0, 1, 2, 0, 1, 2}, []int{0, 2, 1, 0, 0, 1},
			map[string]float64{
				Accuracy: 2. / 6, PrecisionMicro: 2. / 6, RecallMicro: 2. / 6, F1Micro: 2. / 6,
				PrecisionMacro: 2. / 9, RecallMacro: 1. / 3, F1Macro: 4. / 15,
				CohenKappa: 0, ExpectedCalibrationError: 4. / 6,
			},
		},
		{
			// label 2: predicted once, true never; precision and recall are 0, and count.
			"a label that was predicted but is never true",
			3, []int{0, 0, 1, 1}, []int{0, 2, 1, 1},
			map[string]float64{
				Accuracy: .75, PrecisionMicro: .75, RecallMicro: .75, F1Micro: .75,
				PrecisionMacro: 2. / 3, RecallMacro: .5, F1Macro: (2./3 + 1 + 0) / 3,
				// p_o = 3/4, p_e = (2·1 + 2·2 + 0·1)/16 = 6/16
				CohenKappa: (.75 - .375) / (1 - .375), ExpectedCalibrationError: .25,
			},
		},
		{
			"all is one label: nothing is above chance, and kappa is 0/0",
			2, []int{1, 1}, []int{1, 1},
			map[string]float64{
				Accuracy: 1, PrecisionMicro: 1, RecallMicro: 1, F1Micro: 1,
				PrecisionMacro: 1, RecallMacro: 1, F1Macro: 1, ExpectedCalibrationError: 0,
			},
		},
		{
			"worse than by chance",
			2, []int{0, 1}, []int{1, 0},
			map[string]float64{
				Accuracy: 0, PrecisionMicro: 0, RecallMicro: 0, F1Micro: 0,
				PrecisionMacro: 0, RecallMacro: 0, F1Macro: 0, CohenKappa: -1, ExpectedCalibrationError: 1,
			},
		},
		{"no samples", 2, nil, nil, nil},
	} {
		target := NewSingleLabel("intent", names(test.labels))
		for i, truth := range test.truth {
			target.Add(truth, sure(test.predicted[i], test.labels))
		}
		result := target.Result()
		expect(t, test.reason, result.Metrics, test.want)
		if result.Samples != int64(len(test.truth)) || len(result.Labels) != test.labels || len(result.ConfusionMatrix) != test.labels {
			t.Errorf("%s: %+v", test.reason, result)
		}
	}
}

// TestCohenKappa is the usual example: 50 proposals, read twice.
func TestCohenKappa(t *testing.T) {
	target := NewSingleLabel("grant", []string{"yes", "no"})
	matrix := [][]int64{{20, 5}, {10, 15}}
	for truth, row := range matrix {
		for predicted, samples := range row {
			for range samples {
				target.Add(truth, sure(predicted, 2))
			}
		}
	}
	result := target.Result()
	if got := result.Metrics[CohenKappa]; math.Abs(got-.4) > 1e-9 {
		t.Errorf("kappa %v, want 0.4", got)
	}
	if fmt.Sprint(result.ConfusionMatrix) != fmt.Sprint(matrix) {
		t.Errorf("confusion matrix %v, want the true labels as rows", result.ConfusionMatrix)
	}
	want := mistral.LabelEvaluation{Name: "yes", Precision: 20. / 30, Recall: 20. / 25, F1: 40. / 55, Support: 25}
	if got := result.Labels[0]; got != want {
		t.Errorf("label %+v, want %+v", got, want)
	}
}

func TestConfusionMatrixIsBounded(t *testing.T) {
	for labels, rows := range map[int]int{maxConfusionLabels: maxConfusionLabels, maxConfusionLabels + 1: 0} {
		target := NewSingleLabel("intent", names(labels))
		target.Add(labels-1, sure(0, labels))
		result := target.Result()
		if _, ok := result.Metrics[CohenKappa]; !ok || len(result.ConfusionMatrix) != rows {
			t.Errorf("%d labels have %d rows, want %d, and a kappa either way: %v", labels, len(result.ConfusionMatrix), rows, ok)
		}
	}
}

func TestFirstOfEquallyLikelyLabelsIsPredicted(t *testing.T) {
	target := NewSingleLabel("intent", names(3))
	target.Add(1, []float64{.2, .4, .4})
	if result := target.Result(); result.Metrics[Accuracy] != 1 {
		t.Errorf("confusion matrix %v", result.ConfusionMatrix)
	}
}

func TestExpectedCalibrationError(t *testing.T) {
	for _, test := range []struct {
		reason     string
		confidence []float64
		hits       []bool
		want       float64
	}{
		{"nothing was predicted", nil, nil, 0},
		{"as sure as right", []float64{.5, .5}, []bool{true, false}, 0},
		{"one bin: |1.8 - 1| / 2", []float64{.9, .9}, []bool{true, false}, .4},
		{"two bins weigh by their predictions", []float64{.9, .9, .6}, []bool{true, false, true}, (.8 + .4) / 3},
		{"errors of different bins do not cancel", []float64{.9, .5}, []bool{false, true}, (.9 + .5) / 2},
		{"there are 15 bins, of which these are two", []float64{.61, .69}, []bool{true, false}, (.39 + .69) / 2},
		{"the ends are in a bin", []float64{0, 1}, []bool{false, true}, 0},
		{"an edge belongs to the bin below it", []float64{1. / 15, .05}, []bool{true, false}, math.Abs(1-1./15-.05) / 2},
	} {
		var c calibration
		for i, confidence := range test.confidence {
			c.add(confidence, test.hits[i])
		}
		if got := c.expectedError(); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", test.reason, got, test.want)
		}
	}
}

func TestMultiLabel(t *testing.T) {
	for _, test := range []struct {
		reason           string
		labels           int
		truth, predicted [][]int
		want             map[string]float64
	}{
		{
			// by label: P 1/2 1 1, R 1 1 1/2, F1 2/3 1 2/3
			"the example of scikit-learn's documentation",
			3, [][]int{{}, {0, 1, 2}, {1, 2}}, [][]int{{}, {0, 1, 2}, {0, 1}},
			map[string]float64{
				Accuracy: 2. / 3, PrecisionMicro: .8, RecallMicro: .8, F1Micro: .8,
				PrecisionMacro: 2.5 / 3, RecallMacro: 2.5 / 3, F1Macro: 7. / 9, ExpectedCalibrationError: 2. / 9,
			},
		},
		{
			"a label that nobody met counts as 0",
			4, [][]int{{}, {0, 1, 2}, {1, 2}}, [][]int{{}, {0, 1, 2}, {0, 1}},
			map[string]float64{
				Accuracy: 2. / 3, PrecisionMicro: .8, RecallMicro: .8, F1Micro: .8,
				PrecisionMacro: 2.5 / 4, RecallMacro: 2.5 / 4, F1Macro: 7. / 12, ExpectedCalibrationError: 2. / 12,
			},
		},
		{
			"nothing is predicted",
			2, [][]int{{0}, {1}}, [][]int{{}, {}},
			map[string]float64{
				Accuracy: 0, PrecisionMicro: 0, RecallMicro: 0, F1Micro: 0,
				PrecisionMacro: 0, RecallMacro: 0, F1Macro: 0, ExpectedCalibrationError: .5,
			},
		},
		{"no samples", 2, nil, nil, nil},
	} {
		target := NewMultiLabel("tags", names(test.labels), make([]float64, test.labels))
		for i, truth := range test.truth {
			probabilities := make([]float64, test.labels)
			for _, label := range test.predicted[i] {
				probabilities[label] = 1
			}
			target.Add(truth, test.predicted[i], probabilities)
		}
		result := target.Result()
		expect(t, test.reason, result.Metrics, test.want)
		if result.Samples != int64(len(test.truth)) || result.ConfusionMatrix != nil {
			t.Errorf("%s: %+v", test.reason, result)
		}
	}
}

func TestMultiLabelReportsThresholds(t *testing.T) {
	target := NewMultiLabel("tags", names(2), []float64{.25, .5})
	target.Add([]int{0}, []int{0}, []float64{.3, .1})
	labels := target.Result().Labels
	if *labels[0].Threshold != .25 || *labels[1].Threshold != .5 || labels[0].Support != 1 || labels[1].Support != 0 {
		t.Errorf("labels %+v", labels)
	}
}

// TestMemoryDoesNotGrow holds the promise that samples are counted, not kept.
func TestMemoryDoesNotGrow(t *testing.T) {
	single, multi := NewSingleLabel("intent", names(3)), NewMultiLabel("tags", names(3), nil)
	probabilities, labels := []float64{.2, .5, .3}, []int{1}
	if allocations := testing.AllocsPerRun(100, func() {
		single.Add(1, probabilities)
		multi.Add(labels, labels, probabilities)
	}); allocations != 0 {
		t.Errorf("%v allocations a sample", allocations)
	}
}
