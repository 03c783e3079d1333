package training

import (
	"cmp"
	"context"
	"errors"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	// sampledBytes of a job's files are read to estimate it, and so many of each at least.
	sampledBytes      = 16 << 20
	fewestSampled     = 64 << 10
	usualRowBytes     = 200 // of an intent with its label and JSON, where no row could be read
	usualRowTextBytes = 60
)

// DryRun estimates a job from the beginnings of its files.
func (q *Queue) DryRun(ctx context.Context, requested mistral.Hyperparameters, targets []mistral.ClassifierTarget, inputs []store.Input) (*mistral.LegacyJobMetadata, error) {
	size, err := q.estimateSize(ctx, targets, inputs)
	if err != nil {
		return nil, err
	}
	pace, err := q.store.Pace(ctx)
	if err != nil {
		return nil, err
	}
	estimated := newPlan(requested, size, pace)
	return &mistral.LegacyJobMetadata{
		JobMetadata:   estimated.metadata,
		Object:        mistral.ObjectJobMetadata,
		Deprecated:    true,
		Details:       "Estimated from the beginnings of the files; the metadata of a validated job is exact.",
		Epochs:        estimated.hyperparameters.Epochs,
		TrainingSteps: estimated.hyperparameters.TrainingSteps,
	}, nil
}

func (q *Queue) estimateSize(ctx context.Context, targets []mistral.ClassifierTarget, inputs []store.Input) (classifier.Size, error) {
	var training []store.Input
	for _, input := range inputs {
		if !input.Validation {
			training = append(training, input)
		}
	}
	sample := &rows{blobs: q.blobs, limits: dataset.DefaultLimits(), skipFraction: 1,
		most: max(sampledBytes/int64(max(len(training), 1)), fewestSampled)}
	err := sample.read(ctx, training, func(*dataset.Sample, store.Input) {})
	if _, invalid := errors.AsType[*store.InvalidDataError](err); err != nil && !invalid {
		return classifier.Size{}, err
	}
	all, read := int64(0), int64(0)
	for _, input := range training {
		all += input.Bytes
		read += min(input.Bytes, sample.most)
	}
	size := classifier.Size{
		Examples:  int(all / usualRowBytes),
		TextBytes: all / usualRowBytes * usualRowTextBytes,
		Targets:   engineTargets(targets),
		Validated: len(training) < len(inputs),
	}
	if samples := sample.census.Samples(); samples > 0 && read > 0 {
		scale := float64(all) / float64(read)
		size.Examples, size.TextBytes = int(scale*float64(samples)), int64(scale*float64(sample.bytes))
	}
	for i := range size.Targets {
		size.Targets[i].Loss = cmp.Or(size.Targets[i].Loss, classifier.SingleClass)
	}
	if len(targets) == 0 {
		for _, found := range sample.census.Targets() {
			size.Targets = append(size.Targets, estimatedTarget(found))
		}
	}
	return size, nil
}

func estimatedTarget(found dataset.Target) classifier.Target {
	target := classifier.Target{Name: found.Name, Labels: make([]string, len(found.Labels)), Loss: classifier.SingleClass}
	if found.Type == dataset.MultiLabel {
		target.Loss = classifier.MultiClass
	}
	return target
}
