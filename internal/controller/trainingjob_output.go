package controller

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// +kubebuilder:rbac:groups="",resources=secrets,verbs=delete

// removeEarlierOutput deletes the Secret that the job published under another name,
// when the one of this name is there. status.binding names the earlier one until it is
// gone: whoever is bound finds one of the two, and after a crash it is still known.
func (r *TrainingJobReconciler) removeEarlierOutput(ctx context.Context, scope *jobScope, name string) error {
	binding := scope.status.Binding
	if binding == nil || binding.Name == name {
		return nil
	}
	earlier := &corev1.Secret{}
	if err := r.live.Get(ctx, client.ObjectKey{Namespace: scope.object.Namespace, Name: binding.Name}, earlier); err != nil {
		return client.IgnoreNotFound(err)
	}
	if !metav1.IsControlledBy(earlier, scope.object) {
		return nil
	}
	// What becomes somebody else's meanwhile is another version, and stays.
	err := r.client.Delete(unlogged(ctx), earlier, client.Preconditions{UID: &earlier.UID, ResourceVersion: &earlier.ResourceVersion})
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	ctrl.LoggerFrom(ctx).Info("deleted the Secret of the earlier name", "secret", earlier.Name, "now", name)
	return nil
}
