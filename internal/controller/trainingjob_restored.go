package controller

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// isRestored reports whether the status tells of the run of another object, of which
// this one is a copy: a backup tool restored it, or the cluster is a clone.
func (s *jobScope) isRestored() bool {
	switch {
	case s.isImported():
		return false // it is anybody's job in any case
	case s.status.Attempt == nil:
		return s.status.RemoteJob != nil || s.isOver()
	}
	return !s.marks.OwnsAttempt(s.object.UID, s.status.Attempt)
}

// judgeRestored decides what a status is worth that is not this object's. What it names
// is taken for done, or not at all: it is never started, cancelled or deleted.
func (r *TrainingJobReconciler) judgeRestored(ctx context.Context, scope *jobScope) (outcome, error) {
	if !scope.isRestored() || scope.isOver() {
		return proceed(), nil
	}
	done, err := r.restoredIsDone(ctx, scope)
	if err != nil {
		return outcome{}, err
	}
	if !done {
		scope.forgetRestored(metav1.NewTime(r.clock.Now()))
	}
	return proceed(), nil
}

// restoredIsDone reports whether the job that the status names has ended by itself. One
// that was cancelled, or whose original's operator goes on with it, is no run of this object's.
func (r *TrainingJobReconciler) restoredIsDone(ctx context.Context, scope *jobScope) (bool, error) {
	if scope.status.RemoteJob == nil {
		return false, nil
	}
	if err := r.connect(ctx, scope); err != nil {
		return false, err
	}
	job, err := scope.connection.GetJob(ctx, scope.status.RemoteJob.ID)
	if mistral.IsNotFound(err) {
		return false, nil
	}
	if scope.factory.learn(err) != nil {
		return false, err
	}
	if !job.Status.Finished() || job.Status == mistral.JobCancelled {
		return false, nil
	}
	now := metav1.NewTime(r.clock.Now())
	if attempt := scope.status.Attempt; attempt != nil && attempt.StartTime == nil && startedStates[job.Status] {
		attempt.StartTime = &now // by the original's operator
	}
	scope.observe(job, now)
	return true, nil
}

// requestedJob is what the spec tells of a job that the factory has forgotten.
func (s *jobScope) requestedJob() *mistral.DetailedJob {
	job := &mistral.DetailedJob{}
	for _, target := range s.object.Spec.Training.Targets {
		job.ClassifierTargets = append(job.ClassifierTargets, mistral.ClassifierTarget{
			Name: target.Name, Labels: target.Labels, LossFunction: lossFunctions[target.LossFunction],
		})
	}
	return job
}

// forgetRestored makes the status that of an object of which nothing has been done yet.
func (s *jobScope) forgetRestored(now metav1.Time) {
	named := "no job"
	if s.status.RemoteJob != nil {
		named = "job " + s.status.RemoteJob.ID
	}
	s.forgotten = fmt.Sprintf("the status was another object's, restored from a backup or in a clone of the cluster, and named %s, "+
		"which is left alone; this object gets a run of its own", named)
	*s.status, s.remote = classifierv1alpha1.ClassifierTrainingJobStatus{}, nil
	// The next write shows it with conditions.
	s.setConditions(wait(0, classifierv1alpha1.ReasonProgressing, "the status was another object's; beginning anew"), now)
}

// statusRestored passes a status that somebody else wrote: the reconciler's own writes
// are no news to it.
func (r *TrainingJobReconciler) statusRestored() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(update event.UpdateEvent) bool {
		before, after := update.ObjectOld.(*classifierv1alpha1.ClassifierTrainingJob), update.ObjectNew.(*classifierv1alpha1.ClassifierTrainingJob)
		was, is := before.Status.Attempt, after.Status.Attempt
		if is == nil {
			return was != nil
		}
		return (was == nil || was.Marker != is.Marker) && !r.marks.OwnsAttempt(after.UID, is)
	}}
}
