package controller

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// resolveInputs finds the files to train on. Once the job is being submitted
// they are pinned, and what becomes of the datasets is no longer asked.
func (r *TrainingJobReconciler) resolveInputs(ctx context.Context, scope *jobScope) (outcome, error) {
	if scope.status.Attempt != nil {
		return proceed(), nil
	}
	training := scope.object.Spec.Training
	var inputs []classifierv1alpha1.PinnedInput
	for _, dataset := range training.Datasets {
		files, problem, err := r.filesOf(ctx, scope, dataset.Name)
		if err != nil || problem != nil {
			return scope.inputsMissing(problem), err
		}
		inputs = append(inputs, pin(dataset.Name, files, classifierv1alpha1.SplitTrain, classifierv1alpha1.SplitTrain)...)
		if training.ValidationDatasets == nil {
			inputs = append(inputs, pin(dataset.Name, files, classifierv1alpha1.SplitValidation, classifierv1alpha1.SplitValidation)...)
		}
	}
	for _, dataset := range training.ValidationDatasets {
		files, problem, err := r.filesOf(ctx, scope, dataset.Name)
		if err != nil || problem != nil {
			return scope.inputsMissing(problem), err
		}
		// A dataset that is for validation as a whole has it all in its Train file.
		pinned := pin(dataset.Name, files, classifierv1alpha1.SplitValidation, classifierv1alpha1.SplitValidation)
		if len(pinned) == 0 {
			pinned = pin(dataset.Name, files, classifierv1alpha1.SplitTrain, classifierv1alpha1.SplitValidation)
		}
		inputs = append(inputs, pinned...)
	}
	scope.inputs = &finding{good: true, reason: classifierv1alpha1.ReasonDatasetsReady, message: "every dataset is uploaded"}
	scope.pinned = inputs
	return proceed(), nil
}

// filesOf gives the files of a dataset, or says why it has none to train on.
func (r *TrainingJobReconciler) filesOf(ctx context.Context, scope *jobScope, name string) ([]classifierv1alpha1.DatasetFile, *finding, error) {
	dataset := &classifierv1alpha1.ClassifierDataset{}
	err := r.client.Get(ctx, client.ObjectKey{Namespace: scope.object.Namespace, Name: name}, dataset)
	switch {
	case apierrors.IsNotFound(err):
		return nil, &finding{reason: classifierv1alpha1.ReasonDatasetNotFound,
			message: fmt.Sprintf("ClassifierDataset %s does not exist", name)}, nil
	case err != nil:
		return nil, nil, err
	case !equality.Semantic.DeepEqual(dataset.Spec.ConnectionSecretRef, scope.object.Spec.ConnectionSecretRef):
		return nil, &finding{reason: classifierv1alpha1.ReasonConnectionMismatch,
			message: fmt.Sprintf("ClassifierDataset %s is uploaded through another connection; give it the job's connectionSecretRef", name)}, nil
	case !isReady(dataset):
		return nil, &finding{reason: classifierv1alpha1.ReasonDatasetNotReady,
			message: fmt.Sprintf("ClassifierDataset %s is not ready; its conditions say why", name)}, nil
	}
	return dataset.Status.Files, nil, nil
}

// isReady reports whether the status speaks of the current spec and is Ready.
func isReady(dataset *classifierv1alpha1.ClassifierDataset) bool {
	ready := meta.FindStatusCondition(dataset.Status.Conditions, classifierv1alpha1.ConditionReady)
	return dataset.DeletionTimestamp.IsZero() && ready != nil && ready.Status == "True" && ready.ObservedGeneration == dataset.Generation
}

// inputsMissing waits for a dataset; its changes are events.
func (s *jobScope) inputsMissing(problem *finding) outcome {
	if problem == nil {
		return outcome{}
	}
	s.inputs = problem
	return wait(0, problem.reason, problem.message)
}

// pin takes the files of a split for use as another one.
func pin(dataset string, files []classifierv1alpha1.DatasetFile, of, as classifierv1alpha1.Split) []classifierv1alpha1.PinnedInput {
	var pinned []classifierv1alpha1.PinnedInput
	for _, file := range files {
		if file.Split == of {
			pinned = append(pinned, classifierv1alpha1.PinnedInput{Dataset: dataset, Split: as, Digest: file.Digest, FileID: file.ID})
		}
	}
	return pinned
}
