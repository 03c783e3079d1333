package classifier

import (
	"fmt"
	"testing"
)

// TestWordOrder has a task that only the order of two words can solve: who of two is
// named first, between words that are the same on both sides.
func TestWordOrder(t *testing.T) {
	names := []string{"anna", "ben", "cleo", "dan", "eva", "finn", "gina", "hugo", "ida", "jim"}
	target := Target{Name: "order", Labels: []string{"up", "down"}, Loss: SingleClass, Weight: 1}
	var examples []Example
	for i, first := range names {
		for j, second := range names {
			if i == j {
				continue
			}
			label := 0
			if i > j {
				label = 1
			}
			text := fmt.Sprintf("so %s %s so", first, second)
			examples = append(examples, Example{Text: text, Labels: [][]int{{label}}})
		}
	}
	model := train(t, examples, nil, Options{Targets: []Target{target}})
	right := accuracy(model, examples)
	t.Logf("%.3f are right", right)
	if right < 0.99 {
		t.Errorf("%.2f of the training examples are right", right)
	}
}

// Words that are there twice are as different as others.
func TestDoubledWordsHaveSlotsOfTheirOwn(t *testing.T) {
	const words = 1000
	seen := map[uint32]bool{}
	for i := range words {
		var n ngrams
		n.extract(fmt.Sprintf("word%d word%d", i, i))
		seen[n.words[3]] = true
	}
	if len(seen) < words-10 {
		t.Errorf("%d bigrams of %d doubled words", len(seen), words)
	}
}
