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
	if allowed == nil || scope.isImported() || scope.isOver() || !scope.isActive() || scope.endedByItself() {
		return proceed(), nil
	}
	overdue := r.clock.Now().Sub(scope.activeSince().Add(time.Duration(*allowed) * time.Second))
	if overdue < 0 {
		return proceed().looksAgain(-overdue), nil
	}
	if !scope.remoteMissing && !scope.state().Finished() && scope.state() != mistral.JobCancellationRequested {
		// A shutdown must not leave it open whether the job was cancelled.
		job, err := cancelJob(context.WithoutCancel(ctx), scope.connection, scope.status.RemoteJob.ID)
		switch {
		case scope.factory.learn(err) == nil && job == nil:
			scope.missing()
		case err == nil:
			scope.observe(job, metav1.NewTime(r.clock.Now()))
		case overdue < cleanupBudget || classify(err).class == retryable:
			return outcome{}, err
		}
	}
	const message = "the job took longer than spec.activeDeadlineSeconds"
	switch {
	case scope.remoteMissing && !scope.isLost(r.clock.Now()):
		// It may be found again.
	case scope.remoteMissing:
		scope.fail(classifierv1alpha1.ReasonDeadlineExceeded, message+", and the factory does not know it any more", metav1.NewTime(r.clock.Now()))
	case scope.endedByItself():
		// It was quicker than the cancellation.
	case scope.state() == mistral.JobSuccess && overdue < cleanupBudget:
		// The model has yet to be named.
		return proceed().looksAgain(cleanupBudget - overdue), nil
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
// waits for its first start, which is up to the user.
func (s *jobScope) isActive() bool {
	return s.status.StartTime != nil || s.state() != mistral.JobValidated
}

// endedByItself reports whether the job ended in a way that is not its deadline's
// doing, and after which nothing is left to be done in time.
func (s *jobScope) endedByItself() bool {
	switch s.state() {
	case mistral.JobSuccess:
		return s.remote == nil || s.remote.FineTunedModel != nil && *s.remote.FineTunedModel != ""
	case mistral.JobFailed:
		return !s.mayRetry()
	case mistral.JobFailedValidation:
		return true
	case mistral.JobCancelled:
		// Its time did not run yet, so that it was somebody else who cancelled it.
		known := s.written.RemoteJob
		return s.status.StartTime == nil && known != nil && mistral.JobStatus(known.State) == mistral.JobValidated
	}
	return false
}

// activeSince is when the job was first started, or else submitted.
func (s *jobScope) activeSince() time.Time {
	if s.status.StartTime != nil {
		return s.status.StartTime.Time
	}
	return s.status.Attempt.PendingSince.Time
}
