package training

import (
	"context"
	"errors"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// seed is the same for every job, so that the same job makes the same model.
const seed = 1

func engineTargets(targets []mistral.ClassifierTarget) []classifier.Target {
	converted := make([]classifier.Target, len(targets))
	for i, target := range targets {
		converted[i] = classifier.Target{
			Name:   target.Name,
			Labels: target.Labels,
			Loss:   classifier.LossFunction(target.LossFunction),
			Weight: target.Weight,
		}
	}
	return converted
}

// engineHyperparameters has epochs only if they were asked for: those that the
// job shows otherwise follow from steps that were meant for another engine.
func engineHyperparameters(j *store.Job) classifier.Hyperparameters {
	h := classifier.Hyperparameters{
		Steps:          int(*j.Hyperparameters.TrainingSteps),
		LearningRate:   *j.Hyperparameters.LearningRate,
		WeightDecay:    *j.Hyperparameters.WeightDecay,
		WarmupFraction: *j.Hyperparameters.WarmupFraction,
	}
	if epochs := j.Requested.Hyperparameters.Epochs; epochs != nil {
		h.Epochs = *epochs
	}
	if named := j.Hyperparameters.LabelNames; named != nil {
		h.IgnoreNames = !*named
	}
	h.Quality = engineQuality(j.Requested.Hyperparameters)
	return h
}

func engineQuality(requested mistral.Hyperparameters) classifier.Quality {
	if requested.Quality != nil {
		return classifier.Quality(*requested.Quality)
	}
	return classifier.QualityBalanced
}

// Qualities are those that a job can ask for.
func Qualities() []string {
	var names []string
	for _, quality := range classifier.Qualities() {
		names = append(names, string(quality))
	}
	return names
}

// readExamples reads the rows that validation has accepted. The caller closes what it
// returns.
func (c *child) readExamples(ctx context.Context, r *rows, inputs []store.Input) (*classifier.Corpus, error) {
	corpus, err := classifier.NewCorpus(c.assigned.Folder)
	if err != nil {
		return nil, err
	}
	index := newLabelIndex(c.job.Targets)
	var full error // the disk, most likely
	err = r.read(ctx, inputs, func(sample *dataset.Sample, input store.Input) {
		if full == nil {
			full = corpus.Add(newExample(sample, input, index))
		}
	})
	if err = errors.Join(full, err); err != nil {
		corpus.Close()
		return nil, err
	}
	return corpus, nil
}

// newExample is valid as long as the sample.
func newExample(sample *dataset.Sample, input store.Input, index labelIndex) classifier.Example {
	example := classifier.Example{Text: sampleText(sample), Weight: input.Weight, Labels: make([][]int, len(index))}
	for _, labels := range sample.Labels {
		target := index[labels.Target]
		indices := make([]int, len(labels.Labels))
		for i, label := range labels.Labels {
			indices[i] = target.labels[label]
		}
		example.Labels[target.position] = indices
	}
	return example
}

func sampleText(sample *dataset.Sample) string {
	if sample.InputType() == dataset.InputText {
		return sample.Text
	}
	messages := make([]classifier.Message, len(sample.Messages))
	for i, message := range sample.Messages {
		messages[i] = classifier.Message(message)
	}
	return classifier.RenderChat(messages)
}
