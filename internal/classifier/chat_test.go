package classifier

import (
	"reflect"
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
		{"each role has a mark", []Message{{"system", "Be kind."}, {"user", "Hello"}, {"assistant", "Hi."}, {"tool", "404"}}, "\x04Be kind.\x02Hello\x03Hi.\x05404"},
		{"a mark in a content is white space", []Message{{"user", "it\x03is \x02"}, {"assistant", "\x05"}}, "\x02it is  \x03 "},
		{"who only calls a tool says nothing", []Message{{"user", "Hello"}, {"assistant", ""}}, "\x02Hello\x03"},
		{"no messages", nil, ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := RenderChat(test.messages); got != test.want {
				t.Errorf("%q instead of %q", got, test.want)
			}
		})
	}
}

func TestSplitTurns(t *testing.T) {
	for _, test := range []struct {
		reason, text string
		want         []string // roles and contents
	}{
		{"a turn for each mark", "\x02Hello\x03Hi.", []string{"0Hello", "1Hi."}},
		{"who says nothing has no turn", "\x02Hello\x03\x05 \n\x03Hi.", []string{"0Hello", "1Hi."}},
		{"nothing at all", "\x02\x03", nil},
		{"the last ones and the first ones are apart, all others together",
			"\x02a" + strings.Repeat("\x03b", 3) + strings.Repeat("\x02c", 1000) + strings.Repeat("\x03d", lastSegments),
			slices.Concat([]string{"0a", "1b", "1b", "1b"}, []string{"4c" + strings.Repeat("\x02c", 999)}, slices.Repeat([]string{"1d"}, lastSegments))},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var got []string
			for _, s := range splitTurns(test.text, nil) {
				got = append(got, string(rune('0'+s.role))+test.text[s.start:s.end])
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%q instead of %q", got, test.want)
			}
		})
	}
}

func FuzzSplitTurns(f *testing.F) {
	f.Add("\x02Hello\x03\x05 \n\x03Hi.")
	f.Add(strings.Repeat("\x02a\x04b", 20))
	f.Fuzz(func(t *testing.T, text string) {
		if !isConversation(text) {
			return
		}
		segments := splitTurns(text, nil)
		if len(segments) > maxSegments {
			t.Errorf("%d segments", len(segments))
		}
		end := 0
		for _, s := range segments {
			if s.start <= end-1 || s.end <= s.start || s.end > len(text) || s.role > len(roles) {
				t.Errorf("segment %+v after one that ends at %d", s, end)
			}
			end = s.end
		}
	})
}

// asMessages makes each text what a user says.
func asMessages(examples []Example) []Example {
	messages := slices.Clone(examples)
	for i := range messages {
		messages[i].Text = RenderChat([]Message{{"user", messages[i].Text}})
	}
	return messages
}

// Every model answers texts and conversations.
func TestAUsersMessageIsATextOfTheSameContent(t *testing.T) {
	texts := colourExamples(60)
	ofTexts := train(t, texts, nil, Options{Targets: []Target{colours}})
	ofMessages := train(t, asMessages(texts), nil, Options{Targets: []Target{colours}})
	for i, message := range asMessages(texts) {
		want := ofTexts.Classify(texts[i].Text, nil)
		for _, test := range []struct {
			reason string
			scores [][]float64
		}{
			{"a model of texts, of a message", ofTexts.Classify(message.Text, nil)},
			{"a model of messages, of a text", ofMessages.Classify(texts[i].Text, nil)},
			{"a model of messages, of a message", ofMessages.Classify(message.Text, nil)},
		} {
			if !reflect.DeepEqual(test.scores, want) {
				t.Fatalf("%s: scores %v instead of %v", test.reason, test.scores, want)
			}
		}
	}
}

// A caller may send any character.
func TestNobodySpeaksForAnother(t *testing.T) {
	marked, unmarked := "it\x02is\x03red\x04\x05", "it is red"
	var examples []Example
	for _, example := range colourExamples(60) {
		examples = append(examples, Example{Labels: example.Labels, Text: RenderChat([]Message{
			{"user", "it is blue"}, {"assistant", "as you like"}, {"user", example.Text}})})
	}
	ofTexts := train(t, colourExamples(60), nil, Options{Targets: []Target{colours}})
	ofTurns := train(t, examples, nil, Options{Targets: []Target{colours}})
	for _, test := range []struct {
		reason      string
		model       *Model
		text, other string
	}{
		{"to a model of texts marks are white space", ofTexts, "\x02" + marked, unmarked},
		{"in what a user says, too", ofTurns, RenderChat([]Message{{"user", marked}}), RenderChat([]Message{{"user", unmarked}})},
		{"and among other turns", ofTurns, RenderChat([]Message{{"user", "it is green"}, {"tool", marked}}), RenderChat([]Message{{"user", "it is green"}, {"tool", unmarked}})},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got, want := test.model.Classify(test.text, nil), test.model.Classify(test.other, nil); !reflect.DeepEqual(got, want) {
				t.Errorf("scores %v instead of %v", got, want)
			}
		})
	}
}

func TestConversationsOfWhichNothingIsKnown(t *testing.T) {
	examples := asMessages(colourExamples(60))
	examples[7].Text, examples[8].Text = RenderChat([]Message{{"assistant", ""}}), RenderChat([]Message{{"user", ""}, {"user", " "}})
	model := train(t, examples, nil, Options{Targets: []Target{colours}})
	for _, messages := range [][]Message{{{"assistant", ""}}, {{"user", "🜁"}, {"assistant", "🜂"}}, {{"user", " "}, {"assistant", "🜂"}}} {
		sum := 0.0
		for _, score := range model.Classify(RenderChat(messages), nil)[0] {
			sum += score
		}
		if sum < 1-1e-6 || sum > 1+1e-6 {
			t.Errorf("%v: scores sum to %v", messages, sum)
		}
	}
}

// TestLongMessagesAreRendered as short ones are.
func TestLongMessagesAreRendered(t *testing.T) {
	long := strings.Repeat("0123456789ä", 3*pieceBytes/12)
	want := "\x04be brief\x02" + long + " " + long
	if got := RenderChat([]Message{{"system", "be brief"}, {"user", long + "\x03" + long}}); got != want {
		t.Errorf("%d bytes instead of %d, or others", len(got), len(want))
	}
}
