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
	job, err := scope.connection.GetJob(ctx, id)
	if err == nil && job.Status == mistral.JobValidated {
		// A shutdown must not leave it open whether the job was started.
		job, err = scope.connection.StartJob(context.WithoutCancel(ctx), id)
	}
	if mistral.IsConflict(err) {
		// It changed between the two calls; the poller tells into what.
		return scope.inHand(), scope.factory.learn(nil)
	}
	if scope.factory.learn(err) != nil {
		return outcome{}, err
	}
	now := metav1.NewTime(r.clock.Now())
	if scope.status.StartTime == nil && job.Status != mistral.JobCancelled && job.Status != mistral.JobCancellationRequested {
		scope.status.StartTime = &now
	}
	scope.observe(job, now)
	return scope.inHand(), nil
}
