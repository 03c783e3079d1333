package controller

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// start starts a validated job, once.
func (r *TrainingJobReconciler) start(ctx context.Context, scope *jobScope) (outcome, error) {
	if scope.isFinished() || scope.state() != mistral.JobValidated {
		return proceed(), nil
	}
	if isTrue(scope.object.Spec.Suspend) {
		return wait(0, classifierv1alpha1.ReasonSuspended, "the job is validated and waits for spec.suspend to be false"), nil
	}
	// What was observed may be old. Only VALIDATED, as it is now, gets a start.
	id := scope.status.RemoteJob.ID
	now := metav1.NewTime(r.clock.Now())
	job, err := scope.connection.GetJob(ctx, id)
	if err == nil && job.Status == mistral.JobValidated {
		// A shutdown must not leave it open whether the job was started.
		job, err = scope.connection.StartJob(context.WithoutCancel(ctx), id)
		if err == nil {
			scope.status.StartTime = &now
		}
	}
	if scope.factory.learn(err) != nil {
		return outcome{}, err
	}
	scope.observe(job, now)
	if scope.state() == mistral.JobValidated {
		return scope.inHand(), nil
	}
	return scope.afterObserving(), nil
}
