package training

import (
	"context"
	"errors"
	"fmt"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// maxLabels is how many labels the engine can learn, over all targets.
const maxLabels = 10_000

// Limits are how much a job may be trained on. How large a file may be is for whoever
// takes files to say.
func Limits() mistral.ClassifierLimits {
	limits := dataset.DefaultLimits()
	return mistral.ClassifierLimits{
		Targets:         int64(limits.Targets),
		LabelsPerTarget: int64(limits.LabelsPerTarget),
		Labels:          maxLabels,
		Samples:         int64(limits.Samples),
	}
}

// validate reads all of a job's files once. A *store.InvalidDataError says what is
// wrong with them.
func (q *Queue) validate(ctx context.Context, j *store.Job) (*store.Validation, error) {
	base, err := q.baseModel(j)
	if err != nil {
		return nil, err
	}
	training := trainingRows(q.blobs, j)
	if err := training.read(ctx, j.TrainingInputs(), func(*dataset.Sample, store.Input) {}); err != nil {
		return nil, err
	}
	targets, err := findTargets(training.census, j.Requested.Targets)
	if err != nil {
		return nil, err
	}
	pace, err := q.store.Pace(ctx)
	if err != nil {
		return nil, err
	}
	validation := validationRows(q.blobs, j, training.census.InputType(), targets)
	if err := validation.read(ctx, j.ValidationInputs(), func(*dataset.Sample, store.Input) {}); err != nil {
		return nil, err
	}
	numbers, err := dimension(ctx, base)
	if err != nil {
		return nil, err
	}
	size := classifier.Size{
		Examples:  training.census.Samples(),
		TextBytes: training.bytes,
		Targets:   engineTargets(targets),
		Validated: validation.census.Samples() > 0,
		Quality:   engineQuality(j.Requested.Hyperparameters),
		Dimension: numbers,
	}
	planned := newPlan(j.Requested.Hyperparameters, size, pace)
	found := &store.Validation{
		InputType:       training.census.InputType(),
		Targets:         targets,
		Hyperparameters: planned.hyperparameters,
		Metadata:        planned.metadata,
		Skipped:         training.update(),
	}
	return found, q.checkMemory(base, size)
}

// processMemory is what a training's process takes beside the engine, which reads and
// measures rows.
const processMemory = 32 << 20

// checkMemory refuses what would not fit a training's budget.
func (q *Queue) checkMemory(base *basemodels.Model, size classifier.Size) error {
	needed := classifier.MemoryNeeded(size) + processMemory + base.MemoryBytes
	if needed <= q.trainingMemory {
		return nil
	}
	return &store.InvalidDataError{
		Message: fmt.Sprintf("The training would need up to %d bytes of memory; this server gives one %d. Fewer labels, or files for validation, make it less; whoever runs the server can raise --training-memory.", needed, q.trainingMemory),
		Update:  mistral.StatusUpdate{Code: store.CodeOutOfMemory},
	}
}

// trainingRows accepts what the job's targets say, or any labels if it has none.
func trainingRows(blobs blob.Store, j *store.Job) *rows {
	r := &rows{blobs: blobs, limits: dataset.DefaultLimits(), skipFraction: j.Requested.SkipFraction}
	if len(j.Requested.Targets) > 0 {
		r.known = newLabelIndex(j.Requested.Targets)
	}
	return r
}

// validationRows accepts what the training files have taught.
func validationRows(blobs blob.Store, j *store.Job, inputType dataset.InputType, targets []mistral.ClassifierTarget) *rows {
	return &rows{
		blobs:        blobs,
		limits:       dataset.DefaultLimits(),
		skipFraction: j.Requested.SkipFraction,
		inputType:    inputType,
		known:        newLabelIndex(targets),
	}
}

// findTargets completes the requested targets, or takes those of the rows.
func findTargets(census *dataset.Census, requested []mistral.ClassifierTarget) ([]mistral.ClassifierTarget, error) {
	if invalid, ok := errors.AsType[*dataset.InvalidDatasetError](census.Check()); ok {
		return nil, &store.InvalidDataError{Message: invalid.Error(), Update: mistral.StatusUpdate{Code: string(invalid.Reason)}}
	}
	counted := make(map[string]dataset.Target)
	var targets []mistral.ClassifierTarget
	for _, target := range census.Targets() {
		counted[target.Name] = target
		targets = append(targets, inferTarget(target))
	}
	if len(requested) > 0 {
		targets = append([]mistral.ClassifierTarget(nil), requested...)
	}
	for i := range targets {
		if err := completeTarget(&targets[i], counted[targets[i].Name]); err != nil {
			return nil, err
		}
	}
	if labels := countLabels(targets); labels > maxLabels {
		return nil, &store.InvalidDataError{
			Message: fmt.Sprintf("the targets have %d labels; at most %d are supported", labels, maxLabels),
			Update:  mistral.StatusUpdate{Code: string(dataset.TooManyLabels)},
		}
	}
	return targets, nil
}

func inferTarget(counted dataset.Target) mistral.ClassifierTarget {
	target := mistral.ClassifierTarget{Name: counted.Name, Weight: 1}
	for _, label := range counted.Labels {
		target.Labels = append(target.Labels, label.Name)
	}
	return target
}

// completeTarget infers the loss function and makes sure that the rows have
// every label: of one that they do not have, nothing can be learned.
func completeTarget(target *mistral.ClassifierTarget, counted dataset.Target) error {
	present := make(map[string]bool, len(counted.Labels))
	for _, label := range counted.Labels {
		present[label.Name] = true
	}
	for _, label := range target.Labels {
		if !present[label] {
			return &store.InvalidDataError{
				Message: fmt.Sprintf("no row has the label %q of the target %q", label, target.Name),
				Update:  mistral.StatusUpdate{Code: string(labelWithoutRows)},
			}
		}
	}
	if target.LossFunction != "" {
		return nil
	}
	target.LossFunction = mistral.LossSingleClass
	if counted.Type == dataset.MultiLabel {
		target.LossFunction = mistral.LossMultiClass
	}
	return nil
}

func countLabels(targets []mistral.ClassifierTarget) (labels int) {
	for _, target := range targets {
		labels += len(target.Labels)
	}
	return labels
}
