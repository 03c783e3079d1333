package controller

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// resolveInputs finds the files to train on. Once the job is being submitted
// they are pinned, and what becomes of the datasets is no longer asked.
func (r *TrainingJobReconciler) resolveInputs(ctx context.Context, scope *jobScope) (outcome, error) {
	if scope.isImported() {
		return proceed(), nil
	}
	if scope.status.Attempt != nil {
		if !meta.IsStatusConditionTrue(scope.status.Conditions, classifierv1alpha1.ConditionDatasetsReady) {
			// An earlier version of the operator lost what the attempt was made upon in a crash.
			scope.inputs = datasetsReady()
		}
		var err error
		scope.stale, err = r.compareInputs(ctx, scope.object)
		return proceed(), err
	}
	sketches := fileSketches{}
	for _, wanted := range wantedInputs(scope.object.Spec.Training) {
		files, problem, err := r.filesOf(ctx, scope, wanted.dataset)
		if err != nil {
			return outcome{}, err
		}
		if problem != nil {
			scope.inputs = problem
			return r.waitForDataset(scope, problem), nil
		}
		scope.pinned = append(scope.pinned, wanted.pin(files)...)
		sketches.add(files)
	}
	scope.inputs = cmp.Or(sketches.overlap(scope.pinned), datasetsReady())
	return proceed(), nil
}

// waitForDataset waits for one, whose changes are events. That what was applied together
// with the job has not arrived, or has not been looked at, is nothing to speak of yet.
func (r *TrainingJobReconciler) waitForDataset(scope *jobScope, problem *finding) outcome {
	result, age := wait(0, problem.reason, problem.message), r.clock.Since(scope.object.CreationTimestamp.Time)
	switch {
	case problem.reason == classifierv1alpha1.ReasonDatasetNotFound:
		return result.briefly(arrival - age)
	case scope.unseenDataset:
		return result.briefly(shortWait - age)
	}
	return result
}

func datasetsReady() *finding {
	return &finding{good: true, reason: classifierv1alpha1.ReasonDatasetsReady, message: "every dataset is uploaded"}
}

// compareInputs says whether the datasets still are what a job was submitted
// with; nil while one of them is in between.
func (r *TrainingJobReconciler) compareInputs(ctx context.Context, job *classifierv1alpha1.ClassifierTrainingJob) (*finding, error) {
	var current []classifierv1alpha1.PinnedInput
	for _, wanted := range wantedInputs(job.Spec.Training) {
		dataset, err := r.getDataset(ctx, job.Namespace, wanted.dataset)
		if apierrors.IsNotFound(err) {
			return &finding{reason: classifierv1alpha1.ReasonDatasetChanged,
				message: fmt.Sprintf("ClassifierDataset %s was deleted after the job was submitted", wanted.dataset)}, nil
		}
		if err != nil || !isReady(dataset) || !r.marks.ownsFiles(dataset.UID, &dataset.Status) {
			return nil, err
		}
		current = append(current, wanted.pin(dataset.Status.Files)...)
	}
	for _, input := range current {
		same := func(pinned classifierv1alpha1.PinnedInput) bool {
			return pinned.Dataset == input.Dataset && pinned.Split == input.Split && pinned.Digest == input.Digest
		}
		if !slices.ContainsFunc(job.Status.Inputs, same) {
			return &finding{reason: classifierv1alpha1.ReasonDatasetChanged,
				message: fmt.Sprintf("ClassifierDataset %s has changed after the job was submitted", input.Dataset)}, nil
		}
	}
	return &finding{good: true, reason: classifierv1alpha1.ReasonInputsCurrent, message: "the datasets are what the job was submitted with"}, nil
}

// wantedInput is a dataset and what its files are used for.
type wantedInput struct {
	dataset string
	// as gives the use of a file of a split; a split that is missing is not used.
	as map[classifierv1alpha1.Split]classifierv1alpha1.Split
	// wholeAs is the use of the Train file of a dataset that has no other one.
	wholeAs classifierv1alpha1.Split
}

func wantedInputs(training classifierv1alpha1.Training) []wantedInput {
	const train, validation = classifierv1alpha1.SplitTrain, classifierv1alpha1.SplitValidation
	splits := map[classifierv1alpha1.Split]classifierv1alpha1.Split{train: train}
	if training.ValidationDatasets == nil {
		splits[validation] = validation
	}
	var wanted []wantedInput
	for _, dataset := range training.Datasets {
		wanted = append(wanted, wantedInput{dataset: dataset.Name, as: splits, wholeAs: train})
	}
	for _, dataset := range training.ValidationDatasets {
		wanted = append(wanted, wantedInput{
			dataset: dataset.Name,
			as:      map[classifierv1alpha1.Split]classifierv1alpha1.Split{validation: validation},
			wholeAs: validation,
		})
	}
	return wanted
}

func (w wantedInput) pin(files []classifierv1alpha1.DatasetFile) []classifierv1alpha1.PinnedInput {
	var pinned []classifierv1alpha1.PinnedInput
	for _, file := range files {
		use := w.as[file.Split]
		if len(files) == 1 {
			use = w.wholeAs
		}
		if use != "" {
			pinned = append(pinned, classifierv1alpha1.PinnedInput{Dataset: w.dataset, Split: use, Digest: file.Digest, FileID: file.ID})
		}
	}
	return pinned
}

// filesOf gives the files of a dataset, or says why it has none to train on.
func (r *TrainingJobReconciler) filesOf(ctx context.Context, scope *jobScope, name string) ([]classifierv1alpha1.DatasetFile, *finding, error) {
	dataset, err := r.getDataset(ctx, scope.object.Namespace, name)
	if err == nil {
		err = readWhole(ctx, r.live, dataset)
	}
	switch {
	case apierrors.IsNotFound(err):
		return nil, &finding{reason: classifierv1alpha1.ReasonDatasetNotFound,
			message: fmt.Sprintf("ClassifierDataset %s does not exist", name)}, nil
	case err != nil:
		return nil, nil, err
	case !equality.Semantic.DeepEqual(dataset.Spec.ConnectionSecretRef, scope.object.Spec.ConnectionSecretRef):
		return nil, &finding{reason: classifierv1alpha1.ReasonConnectionMismatch,
			message: fmt.Sprintf("ClassifierDataset %s is uploaded through another connection; give it the job's connectionSecretRef", name)}, nil
	case !r.marks.ownsFiles(dataset.UID, &dataset.Status):
		return nil, &finding{reason: classifierv1alpha1.ReasonDatasetNotReady,
			message: fmt.Sprintf("ClassifierDataset %s is not ready: its status is another object's", name)}, nil
	case !isReady(dataset):
		scope.unseenDataset = !isSeen(dataset)
		return nil, notReady(dataset), nil
	}
	return dataset.Status.Files, nil, nil
}

// getDataset asks the API server for one that the cache does not know: an operator that
// starts learns last of what is done, and the watch of datasets may be behind that of jobs.
func (r *TrainingJobReconciler) getDataset(ctx context.Context, namespace, name string) (*classifierv1alpha1.ClassifierDataset, error) {
	dataset, key := &classifierv1alpha1.ClassifierDataset{}, client.ObjectKey{Namespace: namespace, Name: name}
	err := r.client.Get(ctx, key, dataset)
	if apierrors.IsNotFound(err) {
		err = r.live.Get(ctx, key, dataset)
	}
	return dataset, err
}

// notReady repeats why a dataset is not ready, so that nobody has to look there.
func notReady(dataset *classifierv1alpha1.ClassifierDataset) *finding {
	ready := readyOf(dataset.Status.Conditions)
	why := ready.Reason
	switch {
	case !dataset.DeletionTimestamp.IsZero():
		why = "it is being deleted"
	case ready.ObservedGeneration != dataset.Generation:
		why = classifierv1alpha1.ReasonPending
	case !underWay[ready.Reason]:
		why += ": " + ready.Message
	}
	return &finding{reason: classifierv1alpha1.ReasonDatasetNotReady,
		message: fmt.Sprintf("ClassifierDataset %s is not ready: %s", dataset.Name, why)}
}

// underWay are the reasons of datasets that come on by themselves. Their messages
// have numbers, which are not for a thousand waiting jobs to repeat.
var underWay = map[string]bool{
	classifierv1alpha1.ReasonPending:     true,
	classifierv1alpha1.ReasonProgressing: true,
	classifierv1alpha1.ReasonWaiting:     true,
	classifierv1alpha1.ReasonPreparing:   true,
	classifierv1alpha1.ReasonUploading:   true,
}

// tellsJobs passes what makes a difference to the jobs that read a dataset.
func tellsJobs() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(update event.UpdateEvent) bool {
		before, after := update.ObjectOld.(*classifierv1alpha1.ClassifierDataset), update.ObjectNew.(*classifierv1alpha1.ClassifierDataset)
		return before.UID != after.UID || isReady(before) || isReady(after) || *notReady(before) != *notReady(after)
	}}
}

// isSeen reports whether the operator has ever looked at a dataset.
func isSeen(dataset *classifierv1alpha1.ClassifierDataset) bool {
	observed := dataset.Status.ObservedGeneration
	return observed != nil && *observed >= 0
}

// isReady reports whether the status speaks of the current spec and is Ready.
func isReady(dataset *classifierv1alpha1.ClassifierDataset) bool {
	ready := meta.FindStatusCondition(dataset.Status.Conditions, classifierv1alpha1.ConditionReady)
	return dataset.DeletionTimestamp.IsZero() && ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == dataset.Generation
}
