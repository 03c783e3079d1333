package classifier

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// unspacedScripts have a range of letters each.
var unspacedScripts = []struct {
	name        string
	first, last rune
}{
	{"Chinese", '一', '仿'},
	{"Japanese", 'あ', 'ん'},
	{"Thai", 'ก', 'ฮ'},
	{"Lao", 'ຌ', 'ຣ'},
	{"Khmer", 'ក', 'ឡ'},
	{"Burmese", 'က', 'အ'},
}

// scriptTexts makes texts of words without spaces, of which some tell the label.
type scriptTexts struct {
	random          *rand.Rand
	fillers         []string
	telling         [][]string // of each label
	sentenceLetters int
}

func newScriptTexts(first, last rune) *scriptTexts {
	s := &scriptTexts{random: rand.New(rand.NewPCG(1, 2))}
	word := func() string {
		letters := make([]rune, 2+s.random.IntN(2))
		for i := range letters {
			letters[i] = first + s.random.Int32N(last-first+1)
		}
		return string(letters)
	}
	for range 60 {
		s.fillers = append(s.fillers, word())
	}
	for label := range colours.Labels {
		s.telling = append(s.telling, nil)
		for range 8 {
			s.telling[label] = append(s.telling[label], word())
		}
	}
	return s
}

func (s *scriptTexts) filler(letters int) string {
	var text strings.Builder
	for count := 0; count < letters; {
		word := s.fillers[s.random.IntN(len(s.fillers))]
		text.WriteString(word)
		count += len([]rune(word))
	}
	return text.String()
}

// example has a telling sentence between so many letters that say nothing.
func (s *scriptTexts) example(before, after int) Example {
	label := s.random.IntN(len(s.telling))
	sentence := s.filler(5)
	for range 3 {
		sentence += s.telling[label][s.random.IntN(8)] + s.filler(3)
	}
	return Example{Text: s.filler(before) + sentence + s.filler(after), Labels: [][]int{{label}}}
}

func (s *scriptTexts) examples(count, before, after int) []Example {
	examples := make([]Example, count)
	for i := range examples {
		examples[i] = s.example(before, after)
	}
	return examples
}

// TestScripts holds that it does not matter where in a text without spaces is what tells
// its label, however long it is.
func TestScripts(t *testing.T) {
	for _, script := range unspacedScripts {
		t.Run(script.name, func(t *testing.T) {
			texts := newScriptTexts(script.first, script.last)
			var examples []Example
			for _, before := range []int{0, 50, 100, 200} {
				examples = append(examples, texts.examples(60, before, 200-before)...)
			}
			model := train(t, examples, nil, Options{Targets: []Target{colours}})
			for _, letters := range []int{850, 5000} {
				head := 100 * accuracy(model, texts.examples(300, 0, letters))
				middle := 100 * accuracy(model, texts.examples(300, letters/2, letters/2))
				tail := 100 * accuracy(model, texts.examples(300, letters, 0))
				t.Log(fmt.Sprintf("%d other letters: %.1f at the start, %.1f in the middle, %.1f at the end", letters, head, middle, tail))
			}
		})
	}
}
