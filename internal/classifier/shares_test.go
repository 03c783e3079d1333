package classifier

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// topicsByWords are told apart by one word of ten for each of eight topics, among many that
// say nothing.
func topicsByWords(n int) ([]Example, Target) {
	random := rand.New(rand.NewPCG(1, 2))
	target := manyLabels(8)
	examples := make([]Example, n)
	for i := range examples {
		label := i % len(target.Labels)
		words := []string{fmt.Sprintf("%cq", '一'+10*label+random.IntN(10))}
		for range 10 {
			words = append(words, string(rune('가'+random.IntN(100))))
		}
		random.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
		examples[i] = Example{Text: strings.Join(words, " "), Labels: [][]int{{label}}}
	}
	return examples, target
}

// signedByOne are told apart by one word, while others that come together are often wrong.
func signedByOne(n int) []Example {
	random := rand.New(rand.NewPCG(3, 4))
	examples := make([]Example, n)
	for i := range examples {
		misled := (i + random.IntN(10)/7) % 2
		words := []string{[]string{"yes", "no"}[i%2]}
		for j := range 12 {
			words = append(words, fmt.Sprintf("%s%d", []string{"sun", "rain"}[misled], j))
		}
		random.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
		examples[i] = Example{Text: strings.Join(words, " "), Labels: [][]int{{i % 2}}}
	}
	return examples
}

func TestUnseenExamplesChooseShares(t *testing.T) {
	byWords, wordTopics := topicsByWords(500)
	sides := Target{Name: "side", Labels: []string{"1", "2"}, Loss: SingleClass, Weight: 1}
	for _, test := range []struct {
		reason   string
		target   Target
		examples []Example
		valid    int // of five
		chosen   bool
	}{
		{"NB-SVM where single words tell few topics apart", wordTopics, byWords, 2, true},
		{"and where those that tell are cross-fitted", wordTopics, byWords[:200], 0, true},
		{"none of it where words come together", sides, signedByOne(500), 2, false},
		{"nor where there are too few examples to tell", wordTopics, byWords[:50], 2, false},
		{"nor where labels are many", manyLabels(mostNBSVMLabels + 1), manyLabelled(mostNBSVMLabels+1, 300), 2, false},
		{"nor of labels that do not exclude each other", topics, topicExamples(100), 2, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			part := len(test.examples) * (5 - test.valid) / 5
			examples, valid := corpusOf(t, test.examples[:part]), corpusOf(t, test.examples[part:])
			options := Options{Targets: []Target{test.target}}
			survey, err := check(t.Context(), examples, valid, options)
			if err != nil {
				t.Fatal(err)
			}
			trainer, err := newTrainer(t.Context(), examples, valid, survey, options)
			if err != nil {
				t.Fatal(err)
			}
			defer trainer.files.close()
			if err := trainer.prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := trainer.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := trainer.measurable(t.Context()); err != nil {
				t.Fatal(err)
			}
			share := 0.0
			if trainer.final.shares != nil {
				share = trainer.final.shares[0]
			}
			if (share > 0) != test.chosen {
				t.Errorf("NB-SVM has %v of the mean", share)
			}
		})
	}
}

func TestBestShare(t *testing.T) {
	h := newHeads([]Target{{Labels: make([]string, 2), Loss: SingleClass}})[0]
	unlike := func(n int, right, wrong float32) *calibrationExamples {
		c := &calibrationExamples{width: 2}
		for i := range n {
			margin := right
			if i%5 == 0 {
				margin = -wrong
			}
			label := i % 2
			pair := []float32{-margin, margin}
			if label == 0 {
				pair = []float32{margin, -margin}
			}
			c.margins = append(c.margins, pair...)
			c.heads = appendHead(c.heads, Example{Labels: [][]int{{label}}})
		}
		return c
	}
	margins := func(n int, right float32) *calibrationExamples { return unlike(n, right, right) }
	for _, test := range []struct {
		reason        string
		others, added *calibrationExamples
		want          float64
	}{
		{"more of what is right than of what is wrong", margins(300, -2), margins(300, 2), 0.6},
		{"most of what is less sure of its mistakes", margins(100, 2), unlike(100, 2, 1.4), 0.9},
		{"nothing on the word of a few that it is", margins(40, 2), unlike(40, 2, 1.4), 0},
		{"nothing of what says nothing", margins(300, 2), margins(300, 0), 0},
		{"nothing of what is wrong", margins(300, 2), margins(300, -2), 0},
		{"nothing on the word of a few", margins(5, 0), margins(5, 2), 0},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := h.bestShare(0, &mixture{test.others, test.added}); got != test.want {
				t.Errorf("share %v, want %v", got, test.want)
			}
		})
	}
}
