package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// lostFileRecheck is how often a job is tried again whose file the factory lacks. It is
// woken when its dataset has uploaded the file.
const lostFileRecheck = time.Minute

// lostFile says which of a job's files the factory lacks, if that is why it refused the
// job: it was restored to a moment before the upload, or somebody deleted the file. The
// datasets look at their files at once, and bring back what is not there.
func (r *TrainingJobReconciler) lostFile(ctx context.Context, scope *jobScope, refusal error) *finding {
	if !mistral.IsInvalid(refusal) && !mistral.IsNotFound(refusal) {
		return nil
	}
	for _, input := range scope.status.Inputs {
		dataset, err := r.datasetOf(ctx, scope.object, input.Dataset)
		if dataset == nil || err != nil {
			continue
		}
		index := slices.IndexFunc(dataset.Status.Files, func(file classifierv1alpha1.DatasetFile) bool { return file.Digest == input.Digest })
		if index < 0 {
			continue
		}
		file := dataset.Status.Files[index]
		files, err := listFiles(ctx, scope.connection, file.Name)
		if err != nil {
			return nil
		}
		if slices.ContainsFunc(files, func(found mistral.File) bool { return found.ID == input.FileID }) {
			continue
		}
		what := "it is being uploaded again"
		if isTrue(dataset.Spec.Suspend) {
			what = "it is uploaded again when the dataset is no longer suspended"
		}
		r.lookAtFiles(types.NamespacedName{Namespace: dataset.Namespace, Name: dataset.Name})
		return &finding{reason: classifierv1alpha1.ReasonDatasetFileLost,
			message: fmt.Sprintf("the factory lacks file %s of ClassifierDataset %s (%s); %s", file.Name, dataset.Name, file.Split, what)}
	}
	return nil
}

// waitsForLostFile reports whether a job waits for a dataset to upload a file again.
func waitsForLostFile(job *classifierv1alpha1.ClassifierTrainingJob) bool {
	ready := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionReady)
	return ready != nil && ready.Reason == classifierv1alpha1.ReasonDatasetFileLost
}

// withCurrentIDs are the inputs of the last try, each with the ID that its file has now:
// one that was lost and uploaded again has another one.
func (r *TrainingJobReconciler) withCurrentIDs(ctx context.Context, scope *jobScope) ([]classifierv1alpha1.PinnedInput, error) {
	inputs := slices.Clone(scope.status.Inputs)
	for i := range inputs {
		dataset, err := r.datasetOf(ctx, scope.object, inputs[i].Dataset)
		if err != nil {
			return nil, err
		}
		if dataset == nil {
			continue
		}
		for _, file := range dataset.Status.Files {
			if file.Digest == inputs[i].Digest && file.ID != "" {
				inputs[i].FileID = file.ID
			}
		}
	}
	return inputs, nil
}

// datasetOf gives a dataset whose files are its own; nil if there is none.
func (r *TrainingJobReconciler) datasetOf(ctx context.Context, job *classifierv1alpha1.ClassifierTrainingJob, name string) (*classifierv1alpha1.ClassifierDataset, error) {
	dataset, err := r.getDataset(ctx, job.Namespace, name)
	if apierrors.IsNotFound(err) || err == nil && !r.marks.ownsFiles(dataset.UID, &dataset.Status) {
		return nil, nil
	}
	return dataset, err
}
