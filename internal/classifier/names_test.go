package classifier

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestNameWords(t *testing.T) {
	for _, test := range []struct {
		reason, name string
		want         []string
	}{
		{"underscores divide words", "lost_or_stolen_card", []string{"lost", "or", "stolen", "card"}},
		{"so does whatever is no letter or digit", "Refund: not-showing up?", []string{"refund", "not", "showing", "up"}},
		{"and a capital after a small letter", "cardArrival", []string{"card", "arrival"}},
		{"an abbreviation is a word", "PIN_blocked", []string{"pin", "blocked"}},
		{"other scripts have words, too", "потеряна_карта", []string{"потеряна", "карта"}},
		{"a name may have none", "?!", nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := nameWords(test.name); !slices.Equal(got, test.want) {
				t.Errorf("words of %q: %q", test.name, got)
			}
		})
	}
}

func TestKinship(t *testing.T) {
	for _, test := range []struct {
		reason string
		labels []string
		want   []float64 // of gradients that are one for the first label
	}{
		{"names without a common word change nothing", []string{"lost_card", "exchange_rate", "refund"}, []float64{1, 0, 0}},
		{"a word of all names tells none apart", []string{"card_lost", "card_late", "card_new"}, []float64{1, 0, 0}},
		{"a word that a name repeats is one word", []string{"card_card", "top_up", "refund"}, []float64{1, 0, 0}},
		{
			"labels with a common word learn from each other, all together as fast as without",
			[]string{"lost_card", "Stolen card", "refund", "top_up"},
			[]float64{(1 + kinshipStrength*math.Ln2) / (1 + kinshipStrength*math.Ln2/2), kinshipStrength * math.Ln2 / (1 + kinshipStrength*math.Ln2/2), 0, 0},
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			gradients := make([]float32, len(test.labels))
			gradients[0] = 1
			newKinship(Target{Labels: test.labels}).spread(gradients, make([]float32, len(test.labels)))
			for label, want := range test.want {
				if math.Abs(float64(gradients[label])-want) > 1e-6 {
					t.Fatalf("gradients %v, want %v", gradients, test.want)
				}
			}
		})
	}
}

// One example of each label has a word of its name.
func TestNamesTeach(t *testing.T) {
	target := Target{Name: "intent", Labels: []string{"lost_card", "exchange_rate", "?"}, Loss: SingleClass, Weight: 1}
	asText := func(text string) string { return text }
	asConversation := func(text string) string {
		return RenderChat([]Message{{Role: "user", Content: text}, {Role: "assistant", Content: "one moment"}})
	}
	for _, test := range []struct {
		reason string
		render func(string) string
	}{
		{"texts", asText},
		{"conversations", asConversation},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var examples []Example
			for i := range 30 {
				text := fmt.Sprintf("%s %s", fillers[i%len(fillers)], []string{"where did i put it", "dollars to euros", "hello"}[i%3])
				if i < 3 {
					text += []string{" lost", " exchange", ""}[i]
				}
				examples = append(examples, Example{Text: test.render(text), Labels: [][]int{{i % 3}}})
			}
			model := train(t, examples, nil, Options{Targets: []Target{target}})
			for text, want := range map[string]int{"lost card": 0, "the exchange rate": 1, "hello": 2} {
				if scores := model.Classify(test.render(text), nil)[0]; highest(scores) != want {
					t.Errorf("%q has scores %v", text, scores)
				}
			}
		})
	}
}

func TestNamesAreNotMeasuredOn(t *testing.T) {
	for seed := range uint64(20) {
		options := Options{Targets: []Target{colours}, Seed: seed}
		corpus := corpusOf(t, colourExamples(60))
		survey, err := check(t.Context(), corpus, nil, options)
		if err != nil {
			t.Fatal(err)
		}
		trainer, err := newTrainer(t.Context(), corpus, nil, survey, options)
		if err != nil {
			t.Fatal(err)
		}
		trainer.files.close()
		for example, err := range trainer.unseen.All() {
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(colours.Labels, example.Text) {
				t.Errorf("%q is held out", example.Text)
			}
		}
	}
}

func TestKinLearnFromEachOther(t *testing.T) {
	target := Target{Name: "intent", Labels: []string{"lost_card", "stolen_card", "refund", "top_up"}, Loss: SingleClass, Weight: 1}
	var examples []Example
	for i := range 40 {
		text := []string{"plastic", "thief", "money", "balance"}[i%4] + " " + fillers[i%len(fillers)]
		if i < 4 {
			text = []string{"lost", "stolen", "refund", "top up"}[i]
		}
		examples = append(examples, Example{Text: text, Labels: [][]int{{i % 4}}})
	}
	scores := train(t, examples, nil, Options{Targets: []Target{target}}).Classify("plastic", nil)[0]
	if scores[0] < 0.5 || scores[1] < 1.2*scores[2] || scores[1] < 1.2*scores[3] {
		t.Errorf("scores %v: another card is likelier than what is none", scores)
	}
}
