package controller

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	// missingGrace is how long a factory may not know a job before that is believed:
	// one that was restored from a backup, or a replica that lags, finds it again.
	missingGrace = time.Minute
	// maxMissingRecheck is how often a job is looked for at least that stays missing.
	maxMissingRecheck = 10 * time.Minute
)

// missing takes in that the factory does not know the job. It is never created again
// in silence: somebody may have paid for it, and it may run at another tenant's.
func (s *jobScope) missing() {
	_ = s.factory.learn(nil)
	s.remoteMissing = true
}

// missingSince is when the factory was first seen not to know the job; zero if it is
// not known to be missing.
func (s *jobScope) missingSince() time.Time {
	submitted := meta.FindStatusCondition(s.status.Conditions, classifierv1alpha1.ConditionSubmitted)
	if submitted == nil || submitted.Status != metav1.ConditionFalse || submitted.Reason != classifierv1alpha1.ReasonRemoteJobMissing {
		return time.Time{}
	}
	return submitted.LastTransitionTime.Time
}

// isLost reports whether the job is missing for so long that it must be believed.
func (s *jobScope) isLost(now time.Time) bool {
	since := s.missingSince()
	return !since.IsZero() && now.Sub(since) >= missingGrace
}

// untilFound says how a pass ends whose job is missing.
func (s *jobScope) untilFound(now time.Time) outcome {
	message := fmt.Sprintf("the factory does not know job %s: it is gone, or the connection's key is another tenant's; "+
		"correct the key, or go on with a job that exists in another object with spec.importJobID", s.status.RemoteJob.ID)
	if s.isLost(now) {
		return stop(classifierv1alpha1.ReasonRemoteJobMissing, message).looksAgain(s.missingRecheck(now, time.Minute))
	}
	left := missingGrace
	if since := s.missingSince(); !since.IsZero() {
		left = missingGrace - now.Sub(since)
	}
	return wait(left, classifierv1alpha1.ReasonRemoteJobMissing, message)
}

// missingRecheck is a fifth of the time for which the job is missing, within limits:
// what was not found for long is looked for less and less often.
func (s *jobScope) missingRecheck(now time.Time, longest time.Duration) time.Duration {
	return min(max(now.Sub(s.missingSince())/5, credentialRecheck), longest)
}

// lookForLost asks for a job that is given up, from time to time and at once through
// another connection. It is not the poller's any more, which would ask for each such
// job whenever it looks.
func (r *TrainingJobReconciler) lookForLost(ctx context.Context, scope *jobScope) {
	r.unwatch(client.ObjectKeyFromObject(scope.object))
	scope.remoteMissing = true
	if _, due := r.looks.due(scope, scope.connection.ID()); !due {
		return
	}
	now := r.clock.Now()
	job, err := scope.connection.GetJob(ctx, scope.status.RemoteJob.ID)
	if wait, ok := notYet(err); ok {
		scope.unserved = true
		r.looks.again(scope, wait)
		return
	}
	r.looks.looked(scope, scope.missingRecheck(now, maxMissingRecheck))
	switch {
	case mistral.IsNotFound(err):
		scope.missing()
	case scope.factory.learn(err) == nil:
		scope.remoteMissing = false
		scope.observe(job, metav1.NewTime(now))
	}
}
