package classifier

import (
	"math"
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
	random  *rand.Rand
	fillers []string
	telling [][]string // of each label
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

// placed is a telling sentence between so many letters that say nothing.
type placed struct {
	sentence, filler string
	label            int
}

func (s *scriptTexts) placed(letters int) placed {
	p := placed{sentence: s.filler(5), filler: s.filler(letters), label: s.random.IntN(len(s.telling))}
	for range 3 {
		p.sentence += s.telling[p.label][s.random.IntN(len(s.telling[p.label]))] + s.filler(3)
	}
	return p
}

// after is the example whose sentence comes after a share of the filler.
func (p placed) after(share float64) Example {
	filler := []rune(p.filler)
	before := int(share * float64(len(filler)))
	return Example{Text: string(filler[:before]) + p.sentence + string(filler[before:]), Labels: [][]int{{p.label}}}
}

// TestScripts holds that it does not matter where in a text without spaces is what tells
// its label, however long it is.
func TestScripts(t *testing.T) {
	for _, script := range unspacedScripts {
		t.Run(script.name, func(t *testing.T) {
			texts := newScriptTexts(script.first, script.last)
			var examples []Example
			for i := range 150 {
				examples = append(examples, texts.placed(200).after(float64(i%5)/4))
			}
			model := train(t, examples, nil, Options{Targets: []Target{colours}})
			for _, letters := range []int{850, 5000} {
				all := make([]placed, 400)
				for i := range all {
					all[i] = texts.placed(letters)
				}
				head, middle, tail := placedAccuracy(model, all, 0), placedAccuracy(model, all, 0.5), placedAccuracy(model, all, 1)
				t.Logf("beside %d letters %.1f %% are right at the start, %.1f in the middle, %.1f at the end", letters, head, middle, tail)
				if head < 50 || math.Abs(middle-head) > 2 || math.Abs(tail-head) > 2 {
					t.Errorf("beside %d letters %.1f %% are right at the start, %.1f in the middle, %.1f at the end", letters, head, middle, tail)
				}
			}
		})
	}
}

func placedAccuracy(model *Model, all []placed, share float64) float64 {
	examples := make([]Example, len(all))
	for i, p := range all {
		examples[i] = p.after(share)
	}
	return 100 * accuracy(model, examples)
}

func TestRunsEndWithTheirScript(t *testing.T) {
	for _, test := range []struct {
		reason, a, b string
		same         bool
	}{
		{"Latin within Chinese", "我的iPhone手机", "我的 iphone 手机", true},
		{"numbers", "２０２４年5月", "2024年5月", true},
		{"the order of characters", "中国人很多人", "国中人很人多", false},
		{"where a sentence ends", "我很好。你好", "我很好你。好", false},
		{"a long vowel belongs to its word", "ｻｰﾊﾞｰ", "サーバー", true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if same := sameNGrams(test.a, test.b); same != test.same {
				t.Errorf("%q and %q have the same n-grams: %v", test.a, test.b, same)
			}
		})
	}
}
