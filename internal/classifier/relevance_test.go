package classifier

import "testing"

func TestFeaturesWeighWhatTheySayOfTheLabels(t *testing.T) {
	for _, test := range []struct {
		reason   string
		examples []Example
		target   Target
		telling  string
	}{
		{"a word of one label outweighs one of all", colourExamples(300), colours, "red"},
		{"that labels apply at all is news too, though it says not which", topicOrNothing(300), topics, "complaint"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			model := train(t, test.examples, nil, Options{Targets: []Target{test.target}})
			weight := func(word string) float32 {
				var n ngrams
				n.extract(word)
				return model.vocabulary.weights[model.vocabulary.features[n.words[0]]-1]
			}
			// "please" occurs with every label alike.
			if telling, usual := weight(test.telling), weight("please"); telling < 2*usual {
				t.Errorf("%q weighs %v, \"please\" %v", test.telling, telling, usual)
			}
		})
	}
}

// topicOrNothing has examples with all topics and examples with none.
func topicOrNothing(n int) []Example {
	examples := make([]Example, n)
	for i := range examples {
		examples[i] = Example{Text: "please", Labels: [][]int{{}}}
		if i%3 == 0 {
			examples[i] = Example{Text: "please complaint", Labels: [][]int{{0, 1, 2}}}
		}
	}
	return examples
}
