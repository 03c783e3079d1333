package controller

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// +kubebuilder:rbac:groups=classifierfactory.dev,resources=classifiertrainingjobs,verbs=delete

// expire deletes an object that ended long enough ago, if nobody changed it since
// it was read: its user may just have taken the limit away.
func (r *TrainingJobReconciler) expire(ctx context.Context, scope *jobScope) (outcome, error) {
	limit := scope.object.Spec.TTLSecondsAfterFinished
	if limit == nil || !scope.isOver() {
		return proceed(), nil
	}
	left := scope.status.CompletionTime.Add(time.Duration(*limit) * time.Second).Sub(r.clock.Now())
	if left > 0 || !scope.isFinished() {
		// Whoever waits for Finished sees it before the object goes.
		return proceed().looksAgain(max(left, time.Second)), nil
	}
	uid, version := scope.object.UID, scope.object.ResourceVersion
	err := r.client.Delete(ctx, scope.object,
		client.Preconditions{UID: &uid, ResourceVersion: &version},
		client.PropagationPolicy(metav1.DeletePropagationBackground))
	if client.IgnoreNotFound(err) != nil {
		return outcome{}, err
	}
	scope.expired = true
	return stop("", ""), nil
}
