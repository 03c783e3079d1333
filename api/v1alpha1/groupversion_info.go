// Package v1alpha1 is the classifierfactory.dev/v1alpha1 API: ClassifierDataset and
// ClassifierTrainingJob. It holds types, their condition types and reasons, and no behaviour.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package="applyconfiguration"
// +groupName=classifierfactory.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is the API group and version of the kinds in this package.
	GroupVersion = schema.GroupVersion{Group: "classifierfactory.dev", Version: "v1alpha1"}

	// SchemeBuilder collects the functions that make the kinds known to a scheme.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme makes the kinds known to a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

// SchemeGroupVersion is GroupVersion under the name that generated code expects.
var SchemeGroupVersion = GroupVersion

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&ClassifierDataset{}, &ClassifierDatasetList{},
		&ClassifierTrainingJob{}, &ClassifierTrainingJobList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
