package controller

import (
	"context"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// LetGo takes the finalizer off every object in these namespaces, or in all, so that each can
// be deleted when no operator is there. What they have at the factory stays. It counts them.
func LetGo(ctx context.Context, cluster client.Client, namespaces ...string) (count int, err error) {
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	var problems []error
	for _, kind := range []string{kindDataset, kindTrainingJob} {
		for _, namespace := range namespaces {
			objects, err := listMetadata(ctx, cluster, kind, namespace)
			problems = append(problems, err)
			for _, object := range objects {
				freed, err := freeFromFinalizer(ctx, cluster, &object)
				problems = append(problems, err)
				if freed {
					count++
				}
			}
		}
	}
	return count, errors.Join(problems...)
}

// listMetadata is empty where the kind is not, or is not any more.
func listMetadata(ctx context.Context, cluster client.Client, kind, namespace string) (found []metav1.PartialObjectMetadata, err error) {
	for next := ""; ; {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(classifierv1alpha1.GroupVersion.WithKind(kind + "List"))
		err := cluster.List(ctx, list, client.InNamespace(namespace), client.Limit(versionPage), client.Continue(next))
		if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		found = append(found, list.Items...)
		if next = list.Continue; next == "" {
			return found, nil
		}
	}
}

// freeFromFinalizer looks again when somebody else has changed the object meanwhile.
func freeFromFinalizer(ctx context.Context, cluster client.Client, object *metav1.PartialObjectMetadata) (freed bool, err error) {
	for slices.Contains(object.Finalizers, finalizer) {
		err := patchFinalizers(ctx, cluster, object, controllerutil.RemoveFinalizer)
		if !apierrors.IsConflict(err) {
			return err == nil, client.IgnoreNotFound(err)
		}
		if err := cluster.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return false, client.IgnoreNotFound(err)
		}
	}
	return false, nil
}
