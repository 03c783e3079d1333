//go:build unix

package classifier

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestLearnableNames(t *testing.T) {
	const labels = 8
	right := func(label int) string { return ownWord(label, 0) + "_" + ownWord(label, 1) }
	for _, test := range []struct {
		reason string
		name   func(label int) string
		ignore bool
		want   bool
	}{
		{"names of what texts are about help", right, false, true},
		{"but not against the job's will", right, true, false},
		{"those of other labels mislead", func(label int) string { return right((label + 3) % labels) }, false, false},
		{"those of something else do", func(label int) string { return ownWord(100+label, 0) }, false, false},
		{"numbers say nothing", func(label int) string { return "label_" + string(rune('1'+label)) }, false, false},
		{"nor do names without words", noName, false, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			options := Options{Targets: []Target{wordyTarget(labels, SingleClass, test.name)}, Hyperparameters: Hyperparameters{IgnoreNames: test.ignore}}
			corpus := corpusOf(t, wordyExamples(rand.New(rand.NewPCG(1, 3)), options.Targets[0], 10))
			survey, err := check(t.Context(), corpus, nil, options)
			if err != nil {
				t.Fatal(err)
			}
			names, err := learnableNames(t.Context(), corpus, survey, options)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(names.help, []bool{test.want}) || (len(names.examples) > 0) != test.want {
				t.Errorf("names help: %v, %d are learned from", names.help, len(names.examples))
			}
		})
	}
}
