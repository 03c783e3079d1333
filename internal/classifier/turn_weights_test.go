package classifier

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The sentences of intents are about something, in the words of the intent, among words
// that all intents have in common.
const (
	intents           = 12
	wordsOfIntent     = 4
	examplesPerIntent = 30
	askedPerIntent    = 20
)

var sentences = []string{"please tell me about %s and %s", "i have a question on %s, is it %s?", "%s, the %s one, since yesterday", "can you help with %s or with %s today", "my %s does %s"}

// intentOf is a sentence of an intent; in one of ten cases the word of another is in it, too.
func intentOf(random *rand.Rand, intent int) string {
	second := intent
	if random.IntN(10) == 0 {
		second = random.IntN(intents)
	}
	return fmt.Sprintf(sentences[random.IntN(len(sentences))], wordOf(random, intent), wordOf(random, second))
}

func wordOf(random *rand.Rand, intent int) string {
	return fmt.Sprintf("word%c%c", 'a'+intent, 'p'+random.IntN(wordsOfIntent))
}

var closings = []string{"ok thanks", "great, thank you so much", "bye", "that will be all for today", "perfect", "no, nothing else"}

// dialogue builds a conversation around a text that tells its label; each of the others
// tells a label, too, but any.
type dialogue struct {
	random *rand.Rand
	told   string
}

func (d dialogue) other() string { return intentOf(d.random, d.random.IntN(intents)) }

func (d dialogue) exchanges(count int) []Message {
	var messages []Message
	for range count {
		messages = append(messages, Message{"user", d.other()}, Message{"assistant", d.other()})
	}
	return messages
}

func (d dialogue) closing() []Message {
	return []Message{{"assistant", "Sure."}, {"user", closings[d.random.IntN(len(closings))]}}
}

// TestTurns asks of conversations in which any turn may tell the label, trained and asked
// alike, that they are classified as the text that tells it alone would be.
func TestTurns(t *testing.T) {
	const mostLost = 0.04 // twice as much as chance makes of so few
	plain := accuracyOfDialogues(t, func(d dialogue) []Message { return []Message{{"user", d.told}} })
	for _, test := range []struct {
		reason string
		build  func(d dialogue) []Message
	}{
		{"what the user said last", func(d dialogue) []Message {
			return append(d.exchanges(2), Message{"user", d.told})
		}},
		{"the same before a closing", func(d dialogue) []Message {
			return append(append(d.exchanges(2), Message{"user", d.told}), d.closing()...)
		}},
		{"the same before a closing in half of the conversations", func(d dialogue) []Message {
			messages := append(d.exchanges(d.random.IntN(4)), Message{"user", d.told})
			if d.random.IntN(2) == 0 {
				messages = append(messages, d.closing()...)
			}
			return messages
		}},
		{"what the assistant said last", func(d dialogue) []Message {
			return []Message{{"user", d.other()}, {"assistant", d.told}}
		}},
		{"the same after three exchanges", func(d dialogue) []Message {
			return append(d.exchanges(3), Message{"user", d.other()}, Message{"assistant", d.told})
		}},
		{"what the user said first of three times", func(d dialogue) []Message {
			return append([]Message{{"user", d.told}, {"assistant", d.other()}}, d.exchanges(2)...)
		}},
		{"the same of any number of times", func(d dialogue) []Message {
			return append([]Message{{"user", d.told}, {"assistant", d.other()}}, d.exchanges(d.random.IntN(6))...)
		}},
		{"what was said last, whoever said it", func(d dialogue) []Message {
			messages := append(d.exchanges(2), Message{"user", d.told})
			if d.random.IntN(2) == 0 {
				messages = append(d.exchanges(2), Message{"user", d.other()}, Message{"assistant", d.told})
			}
			return messages
		}},
		{"what a tool answered", func(d dialogue) []Message {
			return []Message{{"user", d.other()}, {"assistant", ""}, {"tool", d.told}, {"assistant", d.other()}}
		}},
		{"what the system said", func(d dialogue) []Message {
			return append([]Message{{"system", d.told}}, d.exchanges(2)...)
		}},
		{"what the user said after ten exchanges", func(d dialogue) []Message {
			return append(d.exchanges(10), Message{"user", d.told})
		}},
		{"several turns together", func(d dialogue) []Message {
			words := strings.Fields(d.told)
			half := len(words) / 2
			return []Message{{"user", strings.Join(words[:half], " ")}, {"assistant", "Yes?"}, {"user", strings.Join(words[half:], " ")}}
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			got := accuracyOfDialogues(t, test.build)
			t.Logf("%.1f %% are right, of texts %.1f %%", 100*got, 100*plain)
			if got < plain-mostLost {
				t.Errorf("%.1f %% are right, of texts %.1f %%", 100*got, 100*plain)
			}
		})
	}
}

func accuracyOfDialogues(t *testing.T, build func(d dialogue) []Message) float64 {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	examples := dialogues(random, intents*(examplesPerIntent+askedPerIntent), build)
	model := train(t, examples[:intents*examplesPerIntent], nil, Options{Targets: []Target{manyLabels(intents)}})
	return accuracy(model, examples[intents*examplesPerIntent:])
}

func dialogues(random *rand.Rand, count int, build func(d dialogue) []Message) []Example {
	examples := make([]Example, count)
	for i := range examples {
		intent := i % intents
		told := dialogue{random, intentOf(random, intent)}
		examples[i] = Example{Text: RenderChat(build(told)), Labels: [][]int{{intent}}}
	}
	return examples
}

// TestTurnsOfSeveralTargets has one target told by the user and one by the assistant.
func TestTurnsOfSeveralTargets(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	examples := dialogues(random, 600, func(d dialogue) []Message { return append(d.exchanges(1), Message{"user", d.told}) })
	for i := range examples {
		intent := random.IntN(intents)
		examples[i].Labels = append(examples[i].Labels, []int{intent})
		examples[i].Text += RenderChat([]Message{{"assistant", intentOf(random, intent)}})
	}
	users, assistants := manyLabels(intents), manyLabels(intents)
	assistants.Name = "others"
	model := train(t, examples[:400], nil, Options{Targets: []Target{users, assistants}})
	for target := range 2 {
		right := 0
		for _, example := range examples[400:] {
			if highest(model.Classify(example.Text, nil)[target]) == example.Labels[target][0] {
				right++
			}
		}
		if right < 160 {
			t.Errorf("target %d: %d of 200 are right", target, right)
		}
	}
}

func TestLongConversationsAreBounded(t *testing.T) {
	model := train(t, dialogues(rand.New(rand.NewPCG(5, 6)), 60, func(d dialogue) []Message {
		return append(d.exchanges(2), Message{"user", d.told})
	}), nil, Options{Targets: []Target{manyLabels(intents)}})
	long := RenderChat(slices.Repeat([]Message{{"user", "please tell me"}, {"assistant", "wordaa"}}, 20_000))
	scratch := model.newScratch()
	scores := model.classify(long, nil, nil, scratch)
	if n := len(scratch.vectorizer.conversation.turns); n > maxSegments {
		t.Errorf("%d turns are weighed", n)
	}
	if n := testing.AllocsPerRun(3, func() { scores = model.classify(long, nil, scores, scratch) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
