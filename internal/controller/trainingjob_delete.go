package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// surplusTimeout is how long the deletion of an object may take that is not known to
// have left anything.
const surplusTimeout = 5 * time.Second

// delete cleans up at the factory and lets the job go. It always ends: what
// cannot be done within cleanupBudget is left, and an event says so.
func (r *TrainingJobReconciler) delete(ctx context.Context, scope *jobScope) outcome {
	if !controllerutil.ContainsFinalizer(scope.object, finalizer) {
		return proceed()
	}
	leftKey, revoked := r.revokeForDeletion(ctx, scope)
	left, result := r.cleanUp(ctx, scope)
	if result.verdict == proceeds {
		result = revoked
	}
	left = strings.Join(slices.DeleteFunc([]string{left, leftKey}, func(text string) bool { return text == "" }), "; ")
	if wait := cleanupLeft(scope.object, r.clock.Now()); result.verdict != proceeds && wait > 0 {
		return withinCleanup(result, wait)
	}
	r.forget(scope.object)
	return letGo(ctx, r.client, r.recorder, scope.object, left)
}

// cleanUp does what the deletion policy asks for. It says what is left if the
// outcome is not to proceed.
func (r *TrainingJobReconciler) cleanUp(ctx context.Context, scope *jobScope) (string, outcome) {
	policy := scope.object.Spec.DeletionPolicy
	deletesModel := policy == classifierv1alpha1.TrainingJobCancelAndDeleteModel
	if scope.isImported() || policy == classifierv1alpha1.TrainingJobRetain {
		return "", proceed()
	}
	if scope.leavesNothing(deletesModel) {
		return r.cleanUpSurplus(ctx, scope)
	}
	left := scope.leftBehind()
	factory, err := r.connectForCleanup(ctx, scope)
	if unusable(err) {
		// Without a credential there is nothing to wait for.
		return leftWithout(left), proceed()
	}
	if err != nil {
		return left, failed(err)
	}
	jobs, searched := scope.remoteJobs(ctx, factory, deletesModel)
	cancelled, unknown := true, false
	for _, id := range jobs {
		job, err := cancelJob(ctx, factory, id)
		if scope.factory.learn(err) != nil {
			return left, failed(err)
		}
		if job == nil {
			unknown = unknown || !scope.state().Finished()
			continue
		}
		cancelled = cancelled && job.Status.Finished()
		if deletesModel && job.Status.Finished() && job.FineTunedModel != nil {
			if err := factory.DeleteModel(ctx, *job.FineTunedModel); scope.factory.learn(err) != nil && !mistral.IsNotFound(err) {
				return left, failed(err)
			}
		}
	}
	if scope.factory.learn(searched) != nil {
		return left, failed(searched)
	}
	if len(jobs) == 0 && scope.creationMayArrive(r.clock.Now()) {
		return left, wait(0, classifierv1alpha1.ReasonDeleting, "it is not known whether the factory got the job; looking for it")
	}
	if !cancelled {
		return left, wait(0, classifierv1alpha1.ReasonDeleting, "waiting for the factory to cancel the job")
	}
	if unknown {
		return left + ", unless it is gone: with the key that there is the factory does not know it", proceed()
	}
	return "", proceed()
}

// connectForCleanup finds the connection once a pass, even if its Secret went first.
func (r *TrainingJobReconciler) connectForCleanup(ctx context.Context, scope *jobScope) (*connection.Pass, error) {
	if scope.connection != nil {
		return scope.connection, nil
	}
	made, err := r.connections.forCleanup(ctx, scope.object.Namespace, scope.object.Spec.ConnectionSecretRef)
	if err != nil {
		return nil, err
	}
	scope.connection = r.connections.begin(made, r.caller(client.ObjectKeyFromObject(scope.object)))
	return scope.connection, nil
}

// leavesNothing reports whether nothing is known to be at the factory that the object
// has to clean up.
func (s *jobScope) leavesNothing(deletesModel bool) bool {
	switch {
	case s.isRestored():
		return s.isOver() // what the status names is another object's
	case s.status.RemoteJob != nil:
		return s.state().Finished() && !deletesModel
	}
	return s.status.Attempt == nil
}

// cleanUpSurplus cancels jobs of the object's that nobody knows of. A factory that does
// not answer now holds nobody up for what is hardly ever there.
func (r *TrainingJobReconciler) cleanUpSurplus(ctx context.Context, scope *jobScope) (string, outcome) {
	ctx, cancel := context.WithTimeout(ctx, surplusTimeout)
	defer cancel()
	factory, err := r.connectForCleanup(ctx, scope)
	if err != nil {
		return "", proceed()
	}
	jobs, err := scope.otherJobs(ctx, factory)
	if closed := (*connection.ClosedError)(nil); errors.As(err, &closed) && closed.Cause == nil {
		return "", failed(err) // it is the operator's own turn that is waited for
	}
	if err != nil {
		return "", proceed()
	}
	if err := r.cancelUnfinished(ctx, scope, factory, jobs); err != nil {
		return scope.leftBehind(), failed(err)
	}
	return "", proceed()
}

// creationMayArrive reports whether a creation without an answer may yet come through.
func (s *jobScope) creationMayArrive(now time.Time) bool {
	attempt := s.status.Attempt
	return s.status.RemoteJob == nil && attempt != nil && now.Before(attempt.PendingSince.Add(creationGrace))
}

// remoteJobs are the jobs that belong to the object and are to be cleaned up, among them
// those whose creation was not recorded.
func (s *jobScope) remoteJobs(ctx context.Context, factory *connection.Pass, deletesModel bool) ([]string, error) {
	var ids []string
	if s.status.RemoteJob != nil && !s.isRestored() {
		ids = append(ids, s.status.RemoteJob.ID)
	}
	others, err := s.otherJobs(ctx, factory)
	for _, job := range others {
		if !job.Status.Finished() || deletesModel {
			ids = append(ids, job.ID)
		}
	}
	return ids, err
}

// cancelJob cancels a job unless it has ended, and gives it as it is then; nil
// if it is not there.
func cancelJob(ctx context.Context, factory *connection.Pass, id string) (*mistral.DetailedJob, error) {
	job, err := factory.GetJob(ctx, id)
	if mistral.IsNotFound(err) {
		return nil, nil
	}
	if err != nil || job.Status.Finished() || job.Status == mistral.JobCancellationRequested {
		return job, err
	}
	job, err = factory.CancelJob(ctx, id)
	if mistral.IsConflict(err) {
		// It ended between the two calls.
		return factory.GetJob(ctx, id)
	}
	return job, err
}

func (s *jobScope) leftBehind() string {
	if s.status.RemoteJob != nil && !s.isRestored() {
		return fmt.Sprintf("job %s at the factory", s.status.RemoteJob.ID)
	}
	return fmt.Sprintf("a job with the suffix %s at the factory, if it was created", s.suffixOf(s.attemptNumber()))
}
