package classifier

import (
	"math"
	"testing"
)

// Feature 0 says the first label, feature 1 says nothing, feature 2 never occurs.
func TestBayesWeights(t *testing.T) {
	targets := []Target{{Labels: []string{"a", "b"}, Loss: SingleClass}, {Labels: []string{"c", "d"}, Loss: MultiClass}}
	heads := newHeads(targets)
	counts := &labelCounts{
		byFeature: newLinear(3, 4),
		features:  [][]float32{{8, 8, 0}, {8, 8, 0}},
	}
	copy(counts.byFeature.weights, []float32{
		8, 0, 8, 0,
		4, 4, 4, 0,
		0, 0, 0, 0,
	})
	weights := counts.bayes(heads)
	single, multi := bayesSingleSmoothing*8.0, bayesMultiSmoothing*8.0
	for _, test := range []struct {
		reason  string
		feature uint32
		column  int
		want    float64
	}{
		{"8 of the label's 12 features, half of all", 0, 0, math.Log((8 + single/2) / (12 + single) * 2)},
		{"none of the label's 4: only what is smoothed in", 0, 1, math.Log((single / 2) / (4 + single) * 2)},
		{"8 of 12 with the label, none of 4 without it", 0, 2, math.Log((8 + multi/2) / (12 + multi) * (4 + multi) / (multi / 2))},
		{"a label of no example is as all are not", 0, 3, 0},
		{"what never occurs says nothing", 2, 0, 0},
		{"what never occurs says nothing of many labels", 2, 2, 0},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := float64(weights.row(test.feature)[test.column]); math.Abs(got-test.want) > 1e-5 {
				t.Errorf("weight %v, want %v", got, test.want)
			}
		})
	}
}
