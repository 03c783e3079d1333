package classifier

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestWhatSaysNothingIsLikelierToHaveAFrequentLabel(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	target := Target{Name: "side", Labels: []string{"usual", "rare"}, Loss: SingleClass, Weight: 1}
	silent := func() string {
		words := make([]string, 8)
		for i := range words {
			words[i] = fmt.Sprintf("w%d", random.IntN(40))
		}
		return strings.Join(words, " ")
	}
	examples := make([]Example, 600) // of which a half has a word that tells
	for i := range examples {
		label := i % 12 / 10
		text := silent()
		if i%24 < 12 {
			text += []string{" sun", " rain"}[label]
		}
		examples[i] = Example{Text: text, Labels: [][]int{{label}}}
	}
	model := train(t, examples[:400], examples[400:], Options{Targets: []Target{target}})
	mean := 0.0
	for range 100 {
		mean += model.Probabilities(silent(), nil)[0][0] / 100
	}
	if math.Abs(mean-10.0/12) > 0.1 {
		t.Errorf("what says nothing is usual with %.2f instead of 0.83", mean)
	}
	if p := model.Probabilities(silent()+" rain", nil)[0]; p[1] < 0.5 {
		t.Errorf("what tells of the rare label has it with %.2f", p[1])
	}
}

func TestPriorStrength(t *testing.T) {
	h := newHeads([]Target{{Labels: make([]string, 2), Loss: SingleClass}})[0]
	quarters := func(n int, margin float32) *calibrationExamples { // a quarter has the first label
		c := newCalibrationExamples([]head{h})
		for i := range n {
			c.margins = append(c.margins, margin, 0)
			c.heads = appendHead(c.heads, Example{Labels: [][]int{{min(i%4, 1)}}})
		}
		return c
	}
	frequencies, unequal := logFrequencies([]int{100, 300})
	if _, equal := logFrequencies([]int{9, 9}); !unequal || equal {
		t.Error("what is equal is not told from what is not")
	}
	for _, test := range []struct {
		reason   string
		examples *calibrationExamples
		least    float64
		most     float64
	}{
		{"margins that say nothing of frequencies get all of them", quarters(4000, 0), 0.95, 1.05},
		{"those that say all get none", quarters(4000, float32(-math.Log(3))), -0.05, 0.05},
		{"those that say half of it get a half", quarters(4000, float32(-math.Log(3)/2)), 0.45, 0.55},
		{"those that say too much get none, rather than less", quarters(4000, float32(-2*math.Log(3))), 0, 0},
		{"few examples decide less", quarters(8, 0), 0.1, 0.6},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := h.priorStrength(0, test.examples, frequencies, 1); got < test.least || got > test.most {
				t.Errorf("strength %.2f, want %.2f to %.2f", got, test.least, test.most)
			}
		})
	}
}
