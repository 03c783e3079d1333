package controller

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/samples"
)

// fieldOwner is the operator's name in managedFields.
const fieldOwner = client.FieldOwner("classifier-factory")

// maxRequestedAtBytes is what the schema allows.
const maxRequestedAtBytes = 256

func requestedAt(object client.Object) string {
	value := object.GetAnnotations()[classifierv1alpha1.ReconcileRequestAnnotation]
	return samples.Cut(value, maxRequestedAtBytes)
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
	if len(otherStatusWriters(object.GetManagedFields())) > 0 {
		err := replaceStatus(ctx, writer, object, status)
		return err == nil, err
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

// otherStatusWriters are those whose fields an apply of the status would leave: anybody
// who wrote one by other means, such as a backup tool that restored another object's.
func otherStatusWriters(entries []metav1.ManagedFieldsEntry) (others []metav1.ManagedFieldsEntry) {
	for _, entry := range entries {
		own := entry.Manager == string(fieldOwner) && entry.Operation == metav1.ManagedFieldsOperationApply
		if entry.Subresource == "status" && !own {
			others = append(others, metav1.ManagedFieldsEntry{Manager: entry.Manager, Operation: entry.Operation, Subresource: entry.Subresource})
		}
	}
	return others
}

// keepStatusWriters keeps of managed fields in the cache what otherStatusWriters tells.
func keepStatusWriters(object any) (any, error) {
	if accessor, err := meta.Accessor(object); err == nil {
		accessor.SetManagedFields(otherStatusWriters(accessor.GetManagedFields()))
	}
	return object, nil
}

// replaceStatus writes a status that others have a part in. From then on it is always
// written so, for this write's fields would stay in an apply, too.
func replaceStatus(ctx context.Context, writer client.Client, object client.Object, status map[string]any) error {
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/resourceVersion", "value": object.GetResourceVersion()},
		{"op": "replace", "path": "/status", "value": status},
	})
	if err != nil {
		return err
	}
	// A copy takes the server's answer.
	changed := object.DeepCopyObject().(client.Object)
	if err := writer.Status().Patch(ctx, changed, client.RawPatch(types.JSONPatchType, patch), fieldOwner); err != nil {
		return err
	}
	object.SetResourceVersion(changed.GetResourceVersion())
	return nil
}
