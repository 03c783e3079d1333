//go:build unix

package classifier

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// wordyTarget is one whose labels have words of their own.
func wordyTarget(labels int, loss LossFunction, name func(label int) string) Target {
	target := Target{Name: "topic", Loss: loss, Weight: 1}
	for label := range labels {
		target.Labels = append(target.Labels, name(label))
	}
	return target
}

// noName is a name without words.
func noName(label int) string { return strings.Repeat("?", label+1) }

const wordsPerLabel = 20

// ownWord is pronounceable, so that words have pieces in common as those of languages do.
func ownWord(label, number int) string {
	random := rand.New(rand.NewPCG(uint64(label), uint64(number)))
	word := ""
	for range 3 {
		word += string("bdfgklmnprst"[random.IntN(12)]) + string("aeiou"[random.IntN(5)])
	}
	return word
}

// wordyExamples have eight words: one in three is of its label, as many are of any, the
// others are fillers. Of a multi_class target every other example has a second label.
func wordyExamples(random *rand.Rand, target Target, perLabel int) []Example {
	var examples []Example
	for i := range perLabel * len(target.Labels) {
		labels := []int{i % len(target.Labels)}
		if second := random.IntN(len(target.Labels)); target.Loss == MultiClass && i%2 == 0 && second != labels[0] {
			labels = append(labels, second)
		}
		var words []string
		for range 8 {
			switch random.IntN(3) {
			case 0:
				words = append(words, ownWord(labels[random.IntN(len(labels))], random.IntN(wordsPerLabel)))
			case 1:
				words = append(words, ownWord(random.IntN(len(target.Labels)), random.IntN(wordsPerLabel)))
			default:
				words = append(words, fillers[random.IntN(len(fillers))])
			}
		}
		examples = append(examples, Example{Text: strings.Join(words, " "), Labels: [][]int{labels}})
	}
	return examples
}

func TestLittleDataIsCalibrated(t *testing.T) {
	for _, test := range []struct {
		reason          string
		labels          int
		loss            LossFunction
		perLabel, valid int
		most            float64
	}{
		{"too few rows to hold any out", 2, SingleClass, 20, 0, 0.08},
		{"four rows would be held out", 2, SingleClass, 30, 0, 0.08},
		{"eight would", 4, SingleClass, 20, 0, 0.08},
		{"twenty would", 10, SingleClass, 20, 0, 0.08},
		{"a handful of validation rows says as little", 4, SingleClass, 20, 6, 0.08},
		{"labels that do not exclude each other", 3, MultiClass, 20, 0, 0.08},
		{"ten rows of each", 6, SingleClass, 10, 0, 0.1},
		{"five rows of each", 10, SingleClass, 5, 0, 0.12},
	} {
		t.Run(test.reason, func(t *testing.T) {
			target := wordyTarget(test.labels, test.loss, noName)
			sum := 0.0
			const seeds = 3
			for seed := range uint64(seeds) {
				random := rand.New(rand.NewPCG(seed, 1))
				model := train(t, wordyExamples(random, target, test.perLabel), wordyExamples(random, target, test.perLabel)[:test.valid], Options{Targets: []Target{target}, Seed: seed})
				sum += calibrationError(model, wordyExamples(random, target, 600/test.labels))
			}
			if mean := sum / seeds; mean > test.most {
				t.Errorf("the calibration error is %.3f", mean)
			}
		})
	}
}

// The vocabulary has a name in each text, so that it fills a part of the slots into which
// other scripts are hashed, too.
func TestUnknownTextIsUncertain(t *testing.T) {
	target := wordyTarget(3, SingleClass, func(label int) string { return []string{"place", "person", "number"}[label] })
	random := rand.New(rand.NewPCG(1, 1))
	examples := wordyExamples(random, target, 300)
	for i := range examples {
		for range 6 {
			examples[i].Text += " " + strconv.FormatUint(random.Uint64(), 36)
		}
	}
	model := train(t, examples, nil, Options{Targets: []Target{target}})
	highest := 0.0
	texts := []string{
		"你好吗", "我想去北京", "ありがとうございます", "как поживаете сегодня", "γεια σου κόσμε", "안녕하세요 여러분",
		"สวัสดีครับ", "مرحبا بالعالم", "שלום עולם", "नमस्ते दुनिया",
	}
	for _, text := range texts {
		highest += slices.Max(model.Classify(text, nil)[0]) / float64(len(texts))
	}
	if highest > 0.45 {
		t.Errorf("other scripts have labels with scores of %.2f on average", highest)
	}
	known := fmt.Sprintf("%s %s %s %s", ownWord(1, 1), ownWord(1, 2), ownWord(1, 3), ownWord(1, 4))
	if scores := model.Classify(known, nil)[0]; scores[1] < 0.9 {
		t.Errorf("%q has scores %.2f", known, scores)
	}
}

// Names that say something else cost no more than no names would.
func TestNamesOfSomethingElse(t *testing.T) {
	const labels = 12
	right := func(label int) string { return ownWord(label, 0) + "_" + ownWord(label, 1) }
	for _, test := range []struct {
		reason string
		name   func(label int) string
	}{
		{"those of other labels", func(label int) string { return right((label*5 + 1) % labels) }},
		{"those of things that no text is about", func(label int) string { return ownWord(100+label, 0) + "_" + ownWord(100+label/3, 1) }},
	} {
		for _, perLabel := range []int{5, 10, 20} {
			t.Run(fmt.Sprintf("%s, %d rows a label", test.reason, perLabel), func(t *testing.T) {
				named, nameless := accuracyWithNames(t, labels, perLabel, test.name), accuracyWithNames(t, labels, perLabel, noName)
				if named < nameless-0.01 {
					t.Errorf("accuracy %.3f instead of %.3f without names", named, nameless)
				}
			})
		}
	}
	if helped, nameless := accuracyWithNames(t, labels, 5, right), accuracyWithNames(t, labels, 5, noName); helped < nameless+0.01 {
		t.Errorf("names that say what texts are about: accuracy %.3f instead of %.3f without names", helped, nameless)
	}
}

func accuracyWithNames(t *testing.T, labels, perLabel int, name func(label int) string) float64 {
	target := wordyTarget(labels, SingleClass, name)
	sum := 0.0
	const seeds = 2
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 2))
		model := train(t, wordyExamples(random, target, perLabel), nil, Options{Targets: []Target{target}, Seed: seed})
		sum += accuracy(model, wordyExamples(random, target, 100))
	}
	return sum / seeds
}
