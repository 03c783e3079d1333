package controller

import (
	"cmp"
	"context"
	"slices"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/marks"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// surplusLook is whether it was looked for jobs beside the one that a status names.
type surplusLook struct {
	marker string // of the status' attempt
	done   bool
}

// cancelSurplus looks once for other jobs of this object when its own has ended: a
// list that lagged for longer than creationGrace may show one only now. What keeps it
// from looking keeps nobody from using the model.
func (r *TrainingJobReconciler) cancelSurplus(ctx context.Context, scope *jobScope) (outcome, error) {
	if scope.isImported() || !r.owesSurplusLook(scope) {
		return proceed(), nil
	}
	err := r.connect(ctx, scope)
	if err == nil {
		err = r.lookForSurplus(ctx, scope)
	}
	r.noteSurplusLook(scope, err == nil)
	if err != nil {
		judged := classify(err)
		ctrl.LoggerFrom(ctx).Info("surplus jobs cannot be looked for; trying again later", "reason", judged.reason)
		return proceed().looksAgain(cmp.Or(judged.retryAfter, slowRetry)), nil
	}
	return proceed(), nil
}

// owesSurplusLook reports whether this pass saw the job end, or could not look in the
// one that did. A status that was not this object's is a reason, too, if the object
// had created something before it came.
func (r *TrainingJobReconciler) owesSurplusLook(scope *jobScope) bool {
	if scope.status.Attempt == nil || !scope.hasEnded() {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	last, looked := r.surplus[scope.object.UID]
	looked = looked && last.marker == scope.status.Attempt.Marker
	switch {
	case looked:
		return !last.done
	case scope.isRestored():
		return controllerutil.ContainsFinalizer(scope.object, finalizer)
	}
	before := &jobScope{object: scope.object, status: scope.written}
	return !before.hasEnded()
}

// hasEnded reports whether nothing more is to come of the current try.
func (s *jobScope) hasEnded() bool { return s.isOver() || s.state().Finished() }

func (r *TrainingJobReconciler) noteSurplusLook(scope *jobScope, done bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.surplus[scope.object.UID] = surplusLook{marker: scope.status.Attempt.Marker, done: done}
}

func (r *TrainingJobReconciler) lookForSurplus(ctx context.Context, scope *jobScope) error {
	jobs, err := scope.otherJobs(ctx, scope.connection)
	if err != nil {
		return err
	}
	return r.cancelUnfinished(ctx, scope, scope.connection, jobs)
}

// otherJobs are those with a marker of this object's, other than the one that its status names.
func (s *jobScope) otherJobs(ctx context.Context, factory *connection.Pass) ([]mistral.Job, error) {
	// Of a status that was not this object's, or was reset, it is not known how many tries there were.
	last, known := int32(marks.MaxAttempts), s.status.Attempt != nil && !s.isRestored()
	if known {
		last = s.status.Attempt.Number
	}
	var all []mistral.Job
	for attempt := int32(1); attempt <= last; attempt++ {
		jobs, err := findJobs(ctx, factory, s.suffixOf(attempt))
		if err != nil {
			return nil, err
		}
		if len(jobs) == 0 && !known {
			break
		}
		all = append(all, jobs...)
	}
	return slices.DeleteFunc(all, func(job mistral.Job) bool { return s.status.RemoteJob != nil && job.ID == s.status.RemoteJob.ID }), nil
}

// cancelUnfinished cancels jobs that nobody follows.
func (r *TrainingJobReconciler) cancelUnfinished(ctx context.Context, scope *jobScope, factory *connection.Pass, jobs []mistral.Job) error {
	for _, surplus := range jobs {
		if surplus.Status.Finished() || surplus.Status == mistral.JobCancellationRequested {
			continue
		}
		_, err := factory.CancelJob(ctx, surplus.ID)
		if mistral.IsConflict(err) || mistral.IsNotFound(err) {
			continue // it ended meanwhile
		}
		if scope.factory.learn(err) != nil {
			return err
		}
		r.metrics.orphans.WithLabelValues(outcomeCancelled).Inc()
		ctrl.LoggerFrom(ctx).Info("cancelled a surplus job", "job", surplus.ID)
	}
	return nil
}
