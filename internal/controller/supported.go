package controller

import (
	"context"
	"strings"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// checkSupported refuses a spec with a field that this version does not act on:
// ignoring it could cost money or time that was not to be spent.
func (r *TrainingJobReconciler) checkSupported(_ context.Context, scope *jobScope) (outcome, error) {
	if scope.status.Attempt != nil {
		// What runs is followed to its end, whatever the spec asks for meanwhile.
		return proceed(), nil
	}
	return refuseUnsupported(unsupportedOfTrainingJob(&scope.object.Spec)), nil
}

func unsupportedOfTrainingJob(spec *classifierv1alpha1.ClassifierTrainingJobSpec) []string {
	return used(
		field{"spec.training.weightsAndBiases", spec.Training.WeightsAndBiases != nil},
		field{"spec.importJobID", spec.ImportJobID != ""},
		field{"spec.maxCost", spec.MaxCost != nil},
		field{"spec.activeDeadlineSeconds", spec.ActiveDeadlineSeconds != nil},
		field{"spec.backoffLimit", spec.BackoffLimit != nil && *spec.BackoffLimit > 0},
		field{"spec.ttlSecondsAfterFinished", spec.TTLSecondsAfterFinished != nil},
	)
}

// field is a field of a spec and whether the spec uses it.
type field struct {
	path string
	used bool
}

func used(fields ...field) []string {
	var paths []string
	for _, field := range fields {
		if field.used {
			paths = append(paths, field.path)
		}
	}
	return paths
}

func refuseUnsupported(paths []string) outcome {
	if len(paths) == 0 {
		return proceed()
	}
	return stop(classifierv1alpha1.ReasonNotSupportedYet,
		"this version does not act on "+strings.Join(paths, ", ")+"; remove it")
}
