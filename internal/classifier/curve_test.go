package classifier

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"
)

// vocabularyExamples are told apart by one word each, of so many that a label has.
func vocabularyExamples(n, words int) []Example {
	random := rand.New(rand.NewPCG(1, 2))
	examples := make([]Example, n)
	for i := range examples {
		label := i % len(colours.Labels)
		word := random.IntN(words)*len(colours.Labels) + label
		examples[i] = Example{
			Text:   fmt.Sprintf("%s %c%c%c%[2]c%c", fillers[i/3%len(fillers)], 'a'+word%26, 'a'+word/26%26, 'a'+word/676, 'a'+word/26%26),
			Labels: [][]int{{label}},
		}
	}
	return examples
}

func curveOf(t *testing.T, examples, valid []Example, targets ...Target) []CurvePoint {
	t.Helper()
	trained, err := Train(t.Context(), corpusOf(t, examples), corpusOf(t, valid), Options{Targets: targets, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return trained.Curve
}

// TestCurve says whether more examples help.
func TestCurve(t *testing.T) {
	rising := curveOf(t, vocabularyExamples(2000, 1000), nil, colours)
	if len(rising) != 3 || rising[0].Examples/10 != 44 || rising[1].Examples/10 != 89 || rising[2].Examples != 1800 {
		t.Fatalf("%+v; want a quarter, half and all of what is not held out", rising)
	}
	for i, point := range rising[1:] {
		if gain := point.F1[0] - rising[i].F1[0]; gain < 0.05 {
			t.Errorf("%+v rises by %.2f; each example that is new brings a word", rising, gain)
		}
	}
	if flat := curveOf(t, colourExamples(900), nil, colours); flat[0].F1[0] != 1 || flat[2].F1[0] != 1 {
		t.Errorf("%+v; a quarter tells everything", flat)
	}
	several := curveOf(t, topicExamples(900), topicExamples(100), topics)
	if several[2].F1[0] < 0.99 || several[2].Examples != 900 {
		t.Errorf("%+v of texts with any number of labels", several)
	}
}

func TestNoCurveWhereItWouldSayLittle(t *testing.T) {
	for _, test := range []struct {
		reason       string
		train, valid int
	}{
		{"too few are held out", 400, 0},
		{"too few validation examples", 900, 20},
	} {
		if curve := curveOf(t, colourExamples(test.train), colourExamples(test.valid), colours); curve != nil {
			t.Errorf("%s: %+v", test.reason, curve)
		}
	}
}

// TestPartsHaveEveryLabel also of a label that has one example, and of an order by labels.
func TestPartsHaveEveryLabel(t *testing.T) {
	examples := colourExamples(902)
	slices.SortStableFunc(examples, func(a, b Example) int { return a.Labels[0][0] - b.Labels[0][0] })
	examples = append(examples[:602:602], examples[len(examples)-1]) // of the last label one or two
	trainer := newTestTrainer(t, corpusOf(t, examples), corpusOf(t, colourExamples(60)), Options{Targets: []Target{colours}})
	leftOut, err := trainer.leftOutOfParts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for part, oneOf := range curveParts {
		ofLabel := make([]int, len(colours.Labels))
		for i, example := range examples {
			if _, left := slices.BinarySearch(leftOut[part], int32(i)); !left {
				ofLabel[example.Labels[0][0]]++
			}
		}
		if want := 301 / oneOf; ofLabel[0] < want || ofLabel[0] > want+1 || ofLabel[2] == 0 {
			t.Errorf("one of %d is %v of the labels", oneOf, ofLabel)
		}
		if part > 0 && slices.ContainsFunc(leftOut[part], func(i int32) bool { return !slices.Contains(leftOut[part-1], i) }) {
			t.Errorf("one of %d is without what smaller parts have", oneOf)
		}
	}
}

func TestCurveIsTheSameOnAnyNumberOfProcessors(t *testing.T) {
	draw := func(processors int) []CurvePoint {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		return curveOf(t, vocabularyExamples(1000, 500), nil, colours)
	}
	if one, four := draw(1), draw(4); !reflect.DeepEqual(one, four) {
		t.Errorf("%+v on one, %+v on four", one, four)
	}
}

func TestCurveEndsWithItsContext(t *testing.T) {
	trainer := newTestTrainer(t, corpusOf(t, colourExamples(900)), nil, Options{Targets: []Target{colours}})
	if err := trainer.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if curve, err := trainer.curve(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", curve, err)
	}
}
