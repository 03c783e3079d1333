package classifier

import (
	"errors"
	"fmt"
)

// LossFunction says how the labels of a target exclude each other. The values are
// those of the protocol.
type LossFunction string

const (
	// SingleClass is for targets of which every text has exactly one label.
	SingleClass LossFunction = "single_class"
	// MultiClass is for targets of which a text has any number of labels.
	MultiClass LossFunction = "multi_class"
)

// Target is one question that the model answers about a text.
type Target struct {
	Name   string       `json:"name"`
	Labels []string     `json:"labels"`
	Loss   LossFunction `json:"loss_function"`
	// Weight is the target's share of the reported losses. Targets have no weights in
	// common, so that it does not change the model.
	Weight float64 `json:"weight"`
}

// Example is one labelled text.
type Example struct {
	Text string
	// Labels has, for each target, the indices of the labels that apply. Nil says
	// nothing of the target; empty says that none of a multi_class target applies.
	Labels [][]int
	// Weight is relative to the mean of all examples, of which it counts ten times at
	// most. Zero means one.
	Weight float64
	// Dense is the vector that the training's representation made of the text. Examples that
	// a training returns have one; of those that it is given it makes them itself.
	Dense []float32
}

// Hyperparameters are the job's wishes; see the package documentation for what
// they mean to this engine. Zero leaves the choice to it.
type Hyperparameters struct {
	Steps                                             int
	LearningRate, WeightDecay, WarmupFraction, Epochs float64
	Quality                                           Quality
	// IgnoreNames learns nothing from the names of labels.
	IgnoreNames bool
}

// Options say what to train.
type Options struct {
	Targets         []Target
	Hyperparameters Hyperparameters
	Seed            uint64
	// Representation, if set, makes dense features of the texts, beside those of their
	// words and characters, as far as they help. BaseModel says what it is.
	Representation Representation
	BaseModel      BaseModel
	// OnCheckpoint, if set, is called now and then while training goes on and once at
	// its end, always from the goroutine that called Train.
	OnCheckpoint func(Checkpoint)
	// Resumption, if set, lets an interrupted training go on.
	Resumption *Resumption
}

// Checkpoint is the state of a training.
type Checkpoint struct {
	Step, TotalSteps int
	// TrainLoss is the mean loss of the training examples since the last checkpoint,
	// each taken before it was learned from by a descent, with a part of its features left out:
	// cross-entropy for single_class, with the right label held back, the mean binary
	// cross-entropy of the labels for multi_class, in nats, before calibration.
	TrainLoss float64
	// ValidLoss is that of the validation examples, or of those held out when there are
	// none, with all of their features. It is set when Evaluated is true.
	ValidLoss float64
	Evaluated bool
}

// maxLabels bounds the labels of all targets together, so that a training of the
// most of them still has thousands of features.
const maxLabels = 10_000

func checkTargets(targets []Target) error {
	if len(targets) == 0 {
		return errors.New("no targets: at least one is needed")
	}
	names := make(map[string]bool, len(targets))
	labels := 0
	for _, target := range targets {
		if names[target.Name] {
			return fmt.Errorf("target %q is there twice", target.Name)
		}
		names[target.Name] = true
		if err := checkTarget(target); err != nil {
			return fmt.Errorf("target %q: %w", target.Name, err)
		}
		labels += len(target.Labels)
	}
	if labels > maxLabels {
		return fmt.Errorf("%d labels in all targets: at most %d are supported", labels, maxLabels)
	}
	return nil
}

func checkTarget(target Target) error {
	if target.Loss != SingleClass && target.Loss != MultiClass {
		return fmt.Errorf("loss function %q is neither %q nor %q", target.Loss, SingleClass, MultiClass)
	}
	if !inRange(target.Weight) {
		return fmt.Errorf("weight %v is not a number from 0 to 1e9", target.Weight)
	}
	if len(target.Labels) < 2 {
		return fmt.Errorf("%d labels: at least two are needed to tell texts apart", len(target.Labels))
	}
	labels := make(map[string]bool, len(target.Labels))
	for _, label := range target.Labels {
		if labels[label] {
			return fmt.Errorf("label %q is there twice", label)
		}
		labels[label] = true
	}
	return nil
}

func checkHyperparameters(h Hyperparameters) error {
	if h.Steps < 0 {
		return fmt.Errorf("steps %d is negative", h.Steps)
	}
	for _, parameter := range []struct {
		name  string
		value float64
	}{
		{"learning rate", h.LearningRate},
		{"weight decay", h.WeightDecay},
		{"warm-up fraction", h.WarmupFraction},
		{"epochs", h.Epochs},
	} {
		if !inRange(parameter.value) {
			return fmt.Errorf("%s %v is not a number from 0 to 1e9", parameter.name, parameter.value)
		}
	}
	if h.WarmupFraction > 1 {
		return fmt.Errorf("warm-up fraction %v is above 1", h.WarmupFraction)
	}
	return h.Quality.check()
}

func checkExample(number int, example Example, targets []Target, last [][]int) error {
	if !inRange(example.Weight) {
		return fmt.Errorf("weight %v is not a number from 0 to 1e9", example.Weight)
	}
	if len(example.Labels) != len(targets) {
		return fmt.Errorf("labels for %d targets instead of %d", len(example.Labels), len(targets))
	}
	for t, labels := range example.Labels {
		if err := checkLabels(number, labels, targets[t], last[t]); err != nil {
			return fmt.Errorf("target %q: %w", targets[t].Name, err)
		}
	}
	return nil
}

func checkLabels(number int, labels []int, target Target, last []int) error {
	if target.Loss == SingleClass && labels != nil && len(labels) != 1 {
		return fmt.Errorf("%d labels instead of one", len(labels))
	}
	for _, label := range labels {
		if label < 0 || label >= len(last) {
			return fmt.Errorf("label %d is not one of %d", label, len(last))
		}
		if last[label] == number {
			return fmt.Errorf("label %q twice", target.Labels[label])
		}
		last[label] = number
	}
	return nil
}

// checkCoverage reports a label that no training example has: nothing can be learned
// of it.
func checkCoverage(s *survey, targets []Target) error {
	for t, target := range targets {
		for label, frequency := range s.frequencies[t] {
			if frequency == 0 {
				return fmt.Errorf("target %q: label %q has no training examples: add some or remove the label",
					target.Name, target.Labels[label])
			}
		}
	}
	return nil
}

// inRange is false for NaN, and for what would overflow when it is summed.
func inRange(x float64) bool {
	return x >= 0 && x <= 1e9
}
