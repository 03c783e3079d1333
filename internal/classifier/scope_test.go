package classifier

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestInScope asks about labels that were trained, and about one that was not.
func TestInScope(t *testing.T) {
	topics := [][]string{
		{"invoice", "charge", "refund", "receipt", "payment"},
		{"parcel", "courier", "address", "tracking", "delivery"},
		{"password", "login", "account", "email", "profile"},
		{"holiday", "hotel", "flight", "luggage", "passport"}, // is not trained
	}
	random := rand.New(rand.NewPCG(1, 0))
	text := func(topic int) string {
		words := topics[topic]
		if random.IntN(5) == 0 {
			words = topics[random.IntN(3)] // no text is as sure as the next
		}
		return fmt.Sprintf("what about my %s and the %s then %d",
			topics[topic][random.IntN(5)], words[random.IntN(5)], random.IntN(1000))
	}
	labelled := func(count int) (examples []Example) {
		for i := range count {
			examples = append(examples, Example{Text: text(i % 3), Labels: [][]int{{i % 3}}})
		}
		return examples
	}
	targets := map[string]Target{
		"single_class": {Name: "topic", Labels: []string{"a", "b", "c"}, Loss: SingleClass},
		"multi_class":  {Name: "topic", Labels: []string{"a", "b", "c"}, Loss: MultiClass},
	}
	for name, target := range targets {
		t.Run(name, func(t *testing.T) {
			model, err := ReadModel(bytes.NewReader(encode(t, train(t, labelled(1500), nil, Options{Targets: []Target{target}}))))
			if err != nil {
				t.Fatal(err)
			}
			below := func(topic func(int) int) (share float64) {
				for i := range 1000 {
					in, known := model.InScope(0, model.Probabilities(text(topic(i)), nil)[0])
					if !known || in < 0 || in > 1 {
						t.Fatalf("in scope %v, %v", in, known)
					}
					if in < 0.05 {
						share += 1. / 1000
					}
				}
				return share
			}
			if lost := below(func(i int) int { return i % 3 }); lost > 0.1 {
				t.Errorf("%.2f of texts with trained labels are below 0.05; want about that many", lost)
			}
			if caught := below(func(int) int { return 3 }); caught < 0.8 {
				t.Errorf("%.2f of others are", caught)
			}
		})
	}
}

func TestInScopeIsUnknownWithoutUnseenExamples(t *testing.T) {
	model := train(t, colourExamples(10), nil, Options{Targets: []Target{colours}})
	model.calibrations[0].Scope = nil
	if share, known := model.InScope(0, model.Probabilities("it is red", nil)[0]); known {
		t.Errorf("%v of no examples", share)
	}
}
