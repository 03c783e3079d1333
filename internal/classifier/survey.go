package classifier

import (
	"context"
	"fmt"
)

// survey is what one reading of examples tells of them all.
type survey struct {
	examples      int
	textBytes     int64
	weight        float64 // sum of the examples'
	frequencies   [][]int // of each target's labels
	unlabelled    []bool  // of each target: whether an example says that none of its labels applies
	conversations bool    // whether one is among the texts
}

func newSurvey(targets []Target) *survey {
	s := &survey{frequencies: make([][]int, len(targets)), unlabelled: make([]bool, len(targets))}
	for t, target := range targets {
		s.frequencies[t] = make([]int, len(target.Labels))
	}
	return s
}

// surveyExamples reports the first example that does not fit the targets. kind names
// the examples in the error.
func surveyExamples(ctx context.Context, kind string, examples *Corpus, targets []Target) (*survey, error) {
	s := newSurvey(targets)
	last := make([][]int, len(targets)) // example that has a label, from one
	for t, target := range targets {
		last[t] = make([]int, len(target.Labels))
	}
	for example, err := range examples.all() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("reading examples: %w", err)
		}
		if err := checkExample(s.examples+1, *example, targets, last); err != nil {
			return nil, fmt.Errorf("%s example %d: %w", kind, s.examples+1, err)
		}
		s.add(example)
	}
	return s, nil
}

func (s *survey) add(example *Example) {
	s.examples++
	s.textBytes += int64(len(example.Text))
	s.weight += weight(example)
	for t, labels := range example.Labels {
		if labels != nil && len(labels) == 0 {
			s.unlabelled[t] = true
		}
		for _, label := range labels {
			s.frequencies[t][label]++
		}
	}
	s.conversations = s.conversations || isConversation(example.Text)
}

// labels is their number in the target that has most.
func (s *survey) labels() int {
	most := 0
	for _, frequencies := range s.frequencies {
		most = max(most, len(frequencies))
	}
	return most
}

func (s *survey) meanWeight() float64 {
	return s.weight / float64(s.examples)
}

func weight(example *Example) float64 {
	if example.Weight == 0 {
		return 1
	}
	return example.Weight
}
