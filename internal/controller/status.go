package controller

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// fieldOwner is the operator's name in managedFields.
const fieldOwner = client.FieldOwner("classifier-factory")

// maxRequestedAtBytes is what the schema allows.
const maxRequestedAtBytes = 256

func requestedAt(object client.Object) string {
	value := object.GetAnnotations()[classifierv1alpha1.ReconcileRequestAnnotation]
	return cut(value, maxRequestedAtBytes)
}

// writeStatus applies the status of object if it differs from before. It is the
// only place that writes one. The write carries the resourceVersion that was
// read, so that a pass that saw an old object never overwrites a newer status: it
// gets a conflict and starts again.
func writeStatus(ctx context.Context, writer client.Client, object client.Object, before, after any) (bool, error) {
	if equality.Semantic.DeepEqual(before, after) {
		return false, nil
	}
	status, err := runtime.DefaultUnstructuredConverter.ToUnstructured(after)
	if err != nil {
		return false, fmt.Errorf("converting the status: %w", err)
	}
	kind, err := writer.GroupVersionKindFor(object)
	if err != nil {
		return false, err
	}
	apply := &unstructured.Unstructured{Object: map[string]any{"status": status}}
	apply.SetGroupVersionKind(kind)
	apply.SetNamespace(object.GetNamespace())
	apply.SetName(object.GetName())
	apply.SetUID(object.GetUID())
	apply.SetResourceVersion(object.GetResourceVersion())
	if err := writer.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(apply), fieldOwner, client.ForceOwnership); err != nil {
		return false, err
	}
	object.SetResourceVersion(apply.GetResourceVersion())
	return true, nil
}
