package controller

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// enforceDeadline cancels a job that takes longer than it may.
func (r *TrainingJobReconciler) enforceDeadline(ctx context.Context, scope *jobScope) (outcome, error) {
	allowed := scope.object.Spec.ActiveDeadlineSeconds
	if allowed == nil || scope.isImported() || scope.isOver() || !scope.isActive() {
		return proceed(), nil
	}
	overdue := r.clock.Now().Sub(scope.activeSince().Add(time.Duration(*allowed) * time.Second))
	if overdue < 0 {
		return proceed().looksAgain(-overdue), nil
	}
	if !scope.state().Finished() && scope.state() != mistral.JobCancellationRequested {
		// A shutdown must not leave it open whether the job was cancelled.
		job, err := cancelJob(context.WithoutCancel(ctx), scope.connection, scope.status.RemoteJob.ID)
		if scope.factory.learn(err) != nil {
			return outcome{}, err
		}
		if job == nil {
			return r.missing(scope), nil
		}
		scope.observe(job, metav1.NewTime(r.clock.Now()))
	}
	const message = "the job took longer than spec.activeDeadlineSeconds"
	switch {
	case scope.state() == mistral.JobSuccess:
		// It was quicker than the cancellation, and the model is there.
	case scope.state().Finished():
		scope.fail(classifierv1alpha1.ReasonDeadlineExceeded, message, metav1.NewTime(r.clock.Now()))
	case overdue < cleanupBudget:
		return wait(cleanupBudget-overdue, classifierv1alpha1.ReasonDeadlineExceeded, message+"; waiting for the factory to cancel it"), nil
	default:
		scope.fail(classifierv1alpha1.ReasonDeadlineExceeded, message+", and the factory was asked to cancel it but has not said that it did",
			metav1.NewTime(r.clock.Now()))
	}
	return proceed(), nil
}

// isActive reports whether the job's time runs. It does not while a validated job
// waits to be started, which is up to the user.
func (s *jobScope) isActive() bool {
	return s.isStarted() || s.state() != mistral.JobValidated
}

// activeSince is when the job was first started, or else submitted.
func (s *jobScope) activeSince() time.Time {
	if s.status.StartTime != nil {
		return s.status.StartTime.Time
	}
	return s.status.Attempt.PendingSince.Time
}
