package classifier

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// resumed is what happened to a training.
type resumed struct {
	model    []byte // nil when it was interrupted
	from     int    // step; zero for the beginning
	reported []int  // steps
	failed   error  // to save
}

// resumeTraining interrupts the training at a step, unless that is zero.
func resumeTraining(t *testing.T, folder string, examples, valid []Example, options Options, interruptAt int) resumed {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var r resumed
	options.Resumption = &Resumption{
		Folder:   folder,
		OnResume: func(step int) { r.from = step },
		OnError:  func(err error) { r.failed = err },
	}
	options.OnCheckpoint = func(c Checkpoint) {
		if r.reported = append(r.reported, c.Step); c.Step == interruptAt {
			cancel()
		}
	}
	trained, err := Train(ctx, corpusOf(t, examples), corpusOf(t, valid), options)
	if interruptAt > 0 && errors.Is(err, context.Canceled) {
		return r
	}
	if err != nil {
		t.Fatal(err)
	}
	r.model = encode(t, trained.Model)
	return r
}

func TestInterruptedTrainingGoesOn(t *testing.T) {
	long := Hyperparameters{Epochs: 100}
	both := colourExamples(300)
	for i, topic := range topicExamples(300) {
		both[i].Labels = append(both[i].Labels, topic.Labels[0])
	}
	for _, test := range []struct {
		reason          string
		targets         []Target
		examples, valid []Example
		hyperparameters Hyperparameters
	}{
		{"with examples held out", []Target{colours}, colourExamples(300), nil, long},
		{"with validation examples", []Target{colours}, colourExamples(300), colourExamples(30), long},
		{"without a support vector machine", []Target{topics}, topicExamples(300), nil, long},
		{"with two targets", []Target{colours, topics}, both, nil, long},
		{"with a single descent", []Target{manyLabels(100)}, manyLabelled(100, 84_000), manyLabelled(100, 100), Hyperparameters{}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			options := Options{Targets: test.targets, Hyperparameters: test.hyperparameters, Seed: 5}
			want := encode(t, train(t, test.examples, test.valid, options))
			folder := t.TempDir()
			const interruptAt = 60
			if first := resumeTraining(t, folder, test.examples, test.valid, options, interruptAt); first.from != 0 || first.model != nil {
				t.Fatalf("the first training went on from step %d", first.from)
			}
			second := resumeTraining(t, folder, test.examples, test.valid, options, 0)
			if second.from == 0 || second.from > interruptAt || second.reported[0] != second.from+5 {
				t.Errorf("went on from step %d, and reported %v", second.from, second.reported)
			}
			if !bytes.Equal(second.model, want) {
				t.Error("the model is another one than without the interruption")
			}
		})
	}
}

func manyLabels(labels int) Target {
	target := Target{Name: "many", Loss: SingleClass, Weight: 1}
	for label := range labels {
		target.Labels = append(target.Labels, string([]rune{rune('一' + label)}))
	}
	return target
}

func manyLabelled(labels, n int) []Example {
	examples := make([]Example, n)
	for i := range examples {
		examples[i] = Example{Text: string([]rune{rune('一' + i%labels)}), Labels: [][]int{{i % labels}}}
	}
	return examples
}

func TestOnlyTheSameTrainingGoesOn(t *testing.T) {
	options := Options{Targets: []Target{colours}, Hyperparameters: Hyperparameters{Epochs: 100}, Seed: 5}
	examples := colourExamples(300)
	damage := func(change func(path string, file []byte) error) func(string) error {
		return func(folder string) error {
			path := filepath.Join(folder, stateFile)
			file, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return change(path, file)
		}
	}
	for _, test := range []struct {
		reason   string
		examples []Example
		change   func(*Options)
		damage   func(folder string) error
	}{
		{reason: "another seed", change: func(o *Options) { o.Seed++ }},
		{reason: "other hyperparameters", change: func(o *Options) { o.Hyperparameters.LearningRate = 1e-3 }},
		{reason: "another name of a label", change: func(o *Options) {
			o.Targets = []Target{{Name: "colour", Labels: []string{"red", "green", "sky"}, Loss: SingleClass, Weight: 1}}
		}},
		{reason: "an example less", examples: examples[:299]},
		{reason: "another order of examples", examples: slices.Concat(examples[150:], examples[:150])},
		{reason: "a flipped bit", damage: damage(func(path string, file []byte) error {
			file[len(file)/2] ^= 1
			return os.WriteFile(path, file, 0o600)
		})},
		{reason: "half a file", damage: damage(func(path string, file []byte) error { return os.WriteFile(path, file[:len(file)/2], 0o600) })},
		{reason: "an empty file", damage: damage(func(path string, _ []byte) error { return os.WriteFile(path, nil, 0o600) })},
		{reason: "a file that never got its name", damage: damage(func(path string, file []byte) error {
			return errors.Join(os.Remove(path), os.WriteFile(filepath.Join(filepath.Dir(path), newStateFile), file, 0o600))
		})},
	} {
		t.Run(test.reason, func(t *testing.T) {
			folder, other, otherExamples := t.TempDir(), options, examples
			resumeTraining(t, folder, examples, nil, options, 60)
			if test.damage != nil {
				if err := test.damage(folder); err != nil {
					t.Fatal(err)
				}
			}
			if test.change != nil {
				test.change(&other)
			}
			if test.examples != nil {
				otherExamples = test.examples
			}
			got := resumeTraining(t, folder, otherExamples, nil, other, 0)
			if got.from != 0 || got.failed != nil {
				t.Errorf("went on from step %d, error %v", got.from, got.failed)
			}
			if want := encode(t, train(t, otherExamples, nil, other)); !bytes.Equal(got.model, want) {
				t.Error("the model is another one than without the file")
			}
		})
	}
}

func TestTrainingGoesOnThatCannotBeSaved(t *testing.T) {
	options := Options{Targets: []Target{colours}}
	got := resumeTraining(t, filepath.Join(t.TempDir(), "missing"), colourExamples(300), nil, options, 0)
	if !errors.Is(got.failed, os.ErrNotExist) || got.model == nil {
		t.Errorf("error %v", got.failed)
	}
}
