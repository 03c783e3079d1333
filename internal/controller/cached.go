package controller

import (
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// lighten makes objects small on their way into the cache, which has every one of them.
func lighten(object any) (any, error) {
	switch object := object.(type) {
	case *classifierv1alpha1.ClassifierDataset:
		object.Status.Conditions = shared(object.Status.Conditions)
		if inline := object.Spec.Source.Inline; inline != nil && isSettled(object) {
			inline.Data = ""
		}
	case *classifierv1alpha1.ClassifierTrainingJob:
		object.Status.Conditions = shared(object.Status.Conditions)
	}
	return keepStatusWriters(object)
}

// isLightened reports whether the cache has a dataset without its samples. Whoever needs
// them, or writes the object, asks the API server.
func isLightened(dataset *classifierv1alpha1.ClassifierDataset) bool {
	return dataset.Spec.Source.Inline != nil && dataset.Spec.Source.Inline.Data == ""
}

// shared are the conditions with strings that all objects have one copy of, and without
// the room that decoding leaves for more.
func shared(conditions []metav1.Condition) []metav1.Condition {
	list := make([]metav1.Condition, len(conditions))
	for i, condition := range conditions {
		condition.Type, condition.Reason, condition.Message = one(condition.Type), one(condition.Reason), one(condition.Message)
		condition.Status = one(condition.Status)
		list[i] = condition
	}
	return list
}

// one is the one copy of a string.
func one[S ~string](text S) S { return unique.Make(text).Value() }
