package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/utils/clock"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// limitsOf gives what the factory says that it can train a classifier on, out of the list
// that all objects of a connection share. One that does not give the list has no limits:
// if more is wrong with it, the next call finds that out.
func limitsOf(ctx context.Context, factory *connection.Pass, clock clock.PassiveClock) (mistral.ClassifierLimits, error) {
	limits, err := factory.Limits(ctx, clock.Now().Add(-maxListAge))
	if _, ok := errors.AsType[*mistral.Error](err); ok {
		return mistral.ClassifierLimits{}, nil
	}
	return limits, err
}

// awaitLimits is the outcome of limits that are not to be had yet.
func awaitLimits(err error) (outcome, error) {
	if early, ok := errors.AsType[*connection.NotYetError](err); ok {
		return wait(early.RetryAfter, classifierv1alpha1.ReasonWaiting, "waiting for the factory to say what it can train on"), nil
	}
	return outcome{}, err
}

// checkLimits refuses samples that the factory could not train on, before they are sent.
func (r *DatasetReconciler) checkLimits(ctx context.Context, scope *datasetScope) (outcome, error) {
	limits, err := limitsOf(ctx, scope.connection, r.clock)
	if err != nil {
		result, err := awaitLimits(err)
		if !isSeen(scope.object) {
			result = result.briefly(result.after)
		}
		return result, err
	}
	samples := extent{}
	samples.add(scope.status)
	problem := samples.exceeds(limits)
	if problem == "" {
		return proceed(), nil
	}
	return stop(classifierv1alpha1.ReasonFactoryLimitExceeded, problem+". Make several datasets of the samples, or let spec.preparation leave some out"), nil
}

// checkLimits refuses datasets that the factory could not train on together.
func (r *TrainingJobReconciler) checkLimits(ctx context.Context, scope *jobScope) (outcome, error) {
	limits, err := limitsOf(ctx, scope.connection, r.clock)
	if err != nil {
		result, err := awaitLimits(err)
		return result.briefly(result.after), err
	}
	together := extent{}
	for _, wanted := range scope.object.Spec.Training.Datasets {
		dataset, err := r.getDataset(ctx, scope.object.Namespace, wanted.Name)
		if err != nil {
			return outcome{}, err
		}
		together.add(&dataset.Status)
	}
	if targets := scope.object.Spec.Training.Targets; len(targets) > 0 {
		together.labels = asked(targets)
	}
	if problem := together.exceeds(limits); problem != "" {
		return stop(classifierv1alpha1.ReasonFactoryLimitExceeded, problem+". Train on fewer datasets, or on datasets of fewer labels").looksAgain(terminalRetry), nil
	}
	return proceed(), nil
}

// extent is how much a classifier is to be trained on.
type extent struct {
	files   []classifierv1alpha1.DatasetFile
	samples int64                  // to train on
	labels  map[string]*labelsSeen // by target
}

// labelsSeen are the labels of a target, of which a status names the first.
type labelsSeen struct {
	names map[string]bool
	most  int64 // of any one dataset
}

// atLeast is how many labels there certainly are: those that are not named may be the
// same in every dataset.
func (l *labelsSeen) atLeast() int64 { return max(int64(len(l.names)), l.most) }

func asked(targets []classifierv1alpha1.TrainingTarget) map[string]*labelsSeen {
	labels := map[string]*labelsSeen{}
	for _, target := range targets {
		labels[target.Name] = &labelsSeen{most: int64(len(target.Labels))}
	}
	return labels
}

func (e *extent) add(status *classifierv1alpha1.ClassifierDatasetStatus) {
	e.files = append(e.files, status.Files...)
	for _, file := range status.Files {
		if file.Split == classifierv1alpha1.SplitTrain {
			e.samples += file.Samples
		}
	}
	if e.labels == nil {
		e.labels = map[string]*labelsSeen{}
	}
	for _, target := range status.Targets {
		seen := e.labels[target.Name]
		if seen == nil {
			seen = &labelsSeen{names: map[string]bool{}}
			e.labels[target.Name] = seen
		}
		seen.most = max(seen.most, int64(target.LabelCount))
		for _, label := range target.Labels {
			seen.names[label.Name] = true
		}
	}
}

// exceeds names the first limit that is exceeded, and by how much; empty if none is.
func (e *extent) exceeds(limits mistral.ClassifierLimits) string {
	names := make([]string, 0, len(e.labels))
	all := int64(0)
	for name, seen := range e.labels {
		names = append(names, name)
		all += seen.atLeast()
	}
	slices.Sort(names)
	problems := []string{
		over(int64(len(names)), limits.Targets, "there are %d targets; the factory takes %d at most"),
		over(all, limits.Labels, "the targets have %d labels together; the factory takes %d at most"),
		over(e.samples, limits.Samples, "there are %d samples to train on; the factory takes %d at most"),
	}
	for _, name := range names {
		problems = append(problems, over(e.labels[name].atLeast(), limits.LabelsPerTarget, "target %q has %d labels; the factory takes %d at most of a target", name))
	}
	for _, file := range e.files {
		problems = append(problems, over(file.SizeBytes, limits.FileBytes, "the %s file has %d bytes; the factory takes %d at most of a file", file.Split))
	}
	for _, problem := range problems {
		if problem != "" {
			return problem
		}
	}
	return ""
}

// over says in a format that a number is above a limit; empty if it is not. A limit that
// is not above 0 is none.
func over(number, limit int64, format string, subject ...any) string {
	if limit <= 0 || number <= limit {
		return ""
	}
	return fmt.Sprintf(format, append(subject, number, limit)...)
}
