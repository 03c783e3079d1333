package classifier

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestRenderChat(t *testing.T) {
	for _, test := range []struct {
		reason   string
		messages []Message
		want     string
	}{
		{"what the user said last is the focus", []Message{{"user", "Hello"}, {"assistant", "Hi."}, {"user", "Where is my card?"}, {"assistant", "On its way."}},
			"\x02Where is my card?\x03user: Hello\nassistant: Hi.\nuser: Where is my card?\nassistant: On its way.\n"},
		{"nobody else is the user", []Message{{"system", "Be kind."}, {"assistant", "Hi."}}, "system: Be kind.\nassistant: Hi.\n"},
		{"no messages", nil, ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := RenderChat(test.messages); got != test.want {
				t.Errorf("%q instead of %q", got, test.want)
			}
		})
	}
}

func TestSplitFocus(t *testing.T) {
	for _, test := range []struct {
		reason, text, focus, rest string
	}{
		{"a text has none", "it is red", "", "it is red"},
		{"it begins a text", "\x02it is\x03 red", "it is", " red"},
		{"elsewhere its marks mean nothing", "it \x02is\x03 red", "", "it \x02is\x03 red"},
		{"without an end all is focus", "\x02it is red", "it is red", ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if focus, rest := splitFocus(test.text); focus != test.focus || rest != test.rest {
				t.Errorf("focus %q, rest %q", focus, rest)
			}
		})
	}
}

func TestTheLastTurnOutweighsEarlierOnes(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	conversations := make([]Example, 600)
	for i := range conversations {
		var messages []Message
		label := 0
		for range 1 + random.IntN(4) {
			label = random.IntN(len(colours.Labels))
			messages = append(messages, Message{"user", "it is " + colours.Labels[label]}, Message{"assistant", "as you like"})
		}
		conversations[i] = Example{Text: RenderChat(messages), Labels: [][]int{{label}}}
	}
	model := train(t, conversations[:400], nil, Options{Targets: []Target{colours}})
	right := 0
	for _, conversation := range conversations[400:] {
		if highest(model.Classify(conversation.Text, nil)[0]) == conversation.Labels[0][0] {
			right++
		}
	}
	if right < 195 {
		t.Errorf("%d of 200 conversations are taken for what was said last", right)
	}
}

// A model of conversations is also asked about texts, as the first thing a user says.
func TestTheFocusIsAPartOfTheWhole(t *testing.T) {
	var plain, focused ngrams
	plain.extract("user: it is red\n")
	focused.extract(RenderChat([]Message{{"user", "it is red"}}))
	if words := focused.words[len(focused.words)-len(plain.words):]; !slices.Equal(words, plain.words) {
		t.Errorf("words %v, without focus %v", focused.words, plain.words)
	}
	for _, slot := range focused.words[:len(focused.words)-len(plain.words)] {
		if slices.Contains(plain.words, slot) {
			t.Errorf("slot %d is a word of the focus and of the rest", slot)
		}
	}
}

// TestLongMessagesAreRendered as short ones are.
func TestLongMessagesAreRendered(t *testing.T) {
	long := strings.Repeat("0123456789ä", 3*pieceBytes/12)
	want := focusStart + long + focusEnd + "system: be brief\nuser: " + long + "\n"
	if got := RenderChat([]Message{{"system", "be brief"}, {"user", long}}); got != want {
		t.Errorf("%d bytes instead of %d, or others", len(got), len(want))
	}
}
