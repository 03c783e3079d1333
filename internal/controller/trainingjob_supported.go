package controller

import (
	"context"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// checkSupported refuses a spec with a field that this version does not act on:
// ignoring it could cost money or time that was not to be spent.
func (r *TrainingJobReconciler) checkSupported(_ context.Context, scope *jobScope) (outcome, error) {
	if scope.isFinished() {
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
