package controller

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// notAnswering is what an object waits for while a call takes long. What was lost with
// the call is told when its time is over.
func notAnswering() outcome {
	return wait(0, classifierv1alpha1.ReasonUnreachable, "the factory has not answered for some seconds; waiting for it")
}

// tellSlow says in the status that the factory does not answer, unless the object is
// what its spec asks for all the same.
func (r *TrainingJobReconciler) tellSlow(ctx context.Context, scope *jobScope) {
	if scope.isOver() || !scope.object.DeletionTimestamp.IsZero() {
		return
	}
	scope.setConditions(notAnswering(), metav1.NewTime(r.clock.Now()))
	if err := r.writeStatus(ctx, scope); err != nil {
		ctrl.LoggerFrom(ctx).V(1).Info("a slow call cannot be told", "error", err.Error())
	}
}

func (r *DatasetReconciler) tellSlow(ctx context.Context, scope *datasetScope) {
	if scope.isUploaded() || !scope.object.DeletionTimestamp.IsZero() {
		return
	}
	scope.setConditions(notAnswering(), metav1.NewTime(r.clock.Now()))
	if err := r.writeStatus(ctx, scope); err != nil {
		ctrl.LoggerFrom(ctx).V(1).Info("a slow call cannot be told", "error", err.Error())
	}
}
