package controller

import (
	"context"
	"slices"
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// lighten makes objects small on their way into the cache, which has every one of them.
// Most have been done for long: of a settled one it has an outline.
func lighten(object any) (any, error) {
	switch object := object.(type) {
	case *classifierv1alpha1.ClassifierDataset:
		object.Annotations = requestOf(object)
		if isSettled(object) {
			return outlineOfDataset(object), nil
		}
	case *classifierv1alpha1.ClassifierTrainingJob:
		object.Annotations = requestOf(object)
		if isSettled(object) {
			return outlineOfJob(object), nil
		}
	}
	return keepStatusWriters(object)
}

// readWhole reads an object of which the cache has an outline. Whoever works on one or
// writes it needs all of it.
func readWhole[T any, Object interface {
	*T
	client.Object
}](ctx context.Context, live client.Reader, object Object) error {
	if !isSettled(object) {
		return nil
	}
	name := client.ObjectKeyFromObject(object)
	// What is decoded into an object leaves there what it does not mention.
	*object = *new(T)
	return live.Get(ctx, name, object)
}

// outlineOfDataset is what jobs, ConfigMaps and events ask of a dataset.
func outlineOfDataset(whole *classifierv1alpha1.ClassifierDataset) *classifierv1alpha1.ClassifierDataset {
	outline := &classifierv1alpha1.ClassifierDataset{TypeMeta: whole.TypeMeta, ObjectMeta: outlineOfMeta(whole.ObjectMeta)}
	outline.Spec.Source.ConfigMaps = whole.Spec.Source.ConfigMaps
	outline.Status.Conditions = outlineOfConditions(whole.Status.Conditions)
	outline.Status.Files = make([]classifierv1alpha1.DatasetFile, len(whole.Status.Files))
	for i, file := range whole.Status.Files {
		outline.Status.Files[i] = classifierv1alpha1.DatasetFile{Split: one(file.Split), ID: file.ID, Name: file.Name, Digest: file.Digest}
	}
	return outline
}

// outlineOfJob is what datasets, metrics and events ask of a job.
func outlineOfJob(whole *classifierv1alpha1.ClassifierTrainingJob) *classifierv1alpha1.ClassifierTrainingJob {
	outline := &classifierv1alpha1.ClassifierTrainingJob{TypeMeta: whole.TypeMeta, ObjectMeta: outlineOfMeta(whole.ObjectMeta)}
	outline.Spec.ImportJobID = whole.Spec.ImportJobID
	outline.Spec.Training.Datasets = whole.Spec.Training.Datasets
	outline.Spec.Training.ValidationDatasets = whole.Spec.Training.ValidationDatasets
	outline.Status.Conditions = outlineOfConditions(whole.Status.Conditions)
	if attempt := whole.Status.Attempt; attempt != nil {
		outline.Status.Attempt = &classifierv1alpha1.Attempt{Number: attempt.Number, Marker: attempt.Marker}
	}
	if remote := whole.Status.RemoteJob; remote != nil {
		outline.Status.RemoteJob = &classifierv1alpha1.RemoteJob{State: one(remote.State)}
	}
	outline.Status.Inputs = make([]classifierv1alpha1.PinnedInput, len(whole.Status.Inputs))
	for i, input := range whole.Status.Inputs {
		outline.Status.Inputs[i] = classifierv1alpha1.PinnedInput{Dataset: input.Dataset, Split: one(input.Split), Digest: input.Digest}
	}
	return outline
}

func outlineOfMeta(whole metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: one(whole.Namespace), Name: whole.Name, UID: whole.UID,
		ResourceVersion: whole.ResourceVersion, Generation: whole.Generation,
		CreationTimestamp: whole.CreationTimestamp, Annotations: whole.Annotations,
	}
}

// requestOf is the only annotation that the operator reads. Another one, such as kubectl's
// copy of the whole object, neither takes room nor wakes anybody.
func requestOf(object client.Object) map[string]string {
	requested, ok := object.GetAnnotations()[classifierv1alpha1.ReconcileRequestAnnotation]
	if !ok {
		return nil
	}
	return map[string]string{classifierv1alpha1.ReconcileRequestAnnotation: requested}
}

// outlineOfConditions is those that are asked for. Most objects have the same words in them.
func outlineOfConditions(whole []metav1.Condition) []metav1.Condition {
	var outline []metav1.Condition
	for _, condition := range whole {
		switch condition.Type {
		case classifierv1alpha1.ConditionReady, classifierv1alpha1.ConditionFinished, classifierv1alpha1.ConditionInputsCurrent:
			condition.Type, condition.Status = one(condition.Type), one(condition.Status)
			condition.Reason, condition.Message = one(condition.Reason), one(condition.Message)
			outline = append(outline, condition)
		}
	}
	return slices.Clone(outline) // without the room that appending left
}

// one is the one copy of a string.
func one[S ~string](text S) S { return unique.Make(text).Value() }
