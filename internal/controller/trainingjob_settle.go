package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// Between the tries, as for the pods of a batch/v1 Job.
const (
	minBackoff = 10 * time.Second
	maxBackoff = 6 * time.Minute
)

// settle decides what follows when the factory has ended the job.
func (r *TrainingJobReconciler) settle(ctx context.Context, scope *jobScope) (outcome, error) {
	now := metav1.NewTime(r.clock.Now())
	switch state := scope.state(); {
	case scope.isOver():
	case scope.remote == nil && scope.failureOf(scope.attemptNumber()) == nil:
		// A list does not say how the job ended; the poller is about to ask.
	case state == mistral.JobSuccess:
		return scope.succeed(now), nil
	case state == mistral.JobFailed:
		return r.retry(ctx, scope, "the training broke off"+scope.cause())
	case state == mistral.JobFailedValidation:
		scope.fail(classifierv1alpha1.ReasonValidationFailed, "the factory found the data or the parameters unfit"+scope.cause(), now)
	case state == mistral.JobCancelled:
		scope.fail(classifierv1alpha1.ReasonCancelled, "the job was cancelled at the factory"+scope.cause(), now)
	}
	return proceed(), nil
}

func (s *jobScope) succeed(now metav1.Time) outcome {
	switch {
	case s.status.Model != nil:
		s.status.CompletionTime = &now
	case s.remote != nil && s.remote.FineTunedModel != nil && *s.remote.FineTunedModel != "":
		s.fail(classifierv1alpha1.ReasonModelUnusable, fmt.Sprintf("the factory gave the model an ID of more than %d bytes", maxModelIDLength), now)
	default:
		return wait(0, classifierv1alpha1.ReasonTraining, "the factory ended the training but names no model yet")
	}
	return proceed()
}

// retry creates another job after a pause, or ends it all. A try's failure is
// written down first, so that the pause survives a restart.
func (r *TrainingJobReconciler) retry(ctx context.Context, scope *jobScope, message string) (outcome, error) {
	now := metav1.NewTime(r.clock.Now())
	if !scope.mayRetry() {
		scope.fail(classifierv1alpha1.ReasonTrainingFailed, message, now)
		return proceed(), nil
	}
	spent, limit := scope.attemptNumber(), *scope.object.Spec.BackoffLimit
	failure := scope.noteFailure(classifierv1alpha1.ReasonTrainingFailed, message, now)
	if left := failure.Time.Add(backoff(spent)).Sub(now.Time); left > 0 {
		return wait(left, classifierv1alpha1.ReasonBackingOff,
			fmt.Sprintf("%s; try %d of %d starts %s later", failure.Message, spent+1, limit+1, backoff(spent))), nil
	}
	if err := r.connect(ctx, scope); err != nil {
		return outcome{}, err
	}
	// The same files: a retry is the same run.
	if result, err := r.createAgain(ctx, scope, spent+1); err != nil || result.verdict != proceeds {
		return result, err
	}
	// From now on it is the new job whose changes wake the object up.
	return r.observe(ctx, scope)
}

// mayRetry reports whether another try is left.
func (s *jobScope) mayRetry() bool {
	limit := s.object.Spec.BackoffLimit
	return limit != nil && s.attemptNumber() <= *limit && !s.isRestored()
}

// backoff is the pause after so many tries.
func backoff(tries int32) time.Duration {
	return min(minBackoff<<min(tries-1, 10), maxBackoff)
}

// attemptNumber of the current try; an imported job is the first and only one.
func (s *jobScope) attemptNumber() int32 {
	if s.status.Attempt == nil {
		return 1
	}
	return s.status.Attempt.Number
}

// noteFailure notes how the current try ended, once.
func (s *jobScope) noteFailure(reason, message string, now metav1.Time) classifierv1alpha1.AttemptFailure {
	number := s.attemptNumber()
	if noted := s.failureOf(number); noted != nil {
		return *noted
	}
	failure := classifierv1alpha1.AttemptFailure{Attempt: number, Reason: reason, Message: message, Time: now}
	s.status.Failures = append(s.status.Failures, failure)
	return failure
}

func (s *jobScope) failureOf(attempt int32) *classifierv1alpha1.AttemptFailure {
	index := slices.IndexFunc(s.status.Failures, func(failure classifierv1alpha1.AttemptFailure) bool { return failure.Attempt == attempt })
	if index < 0 {
		return nil
	}
	return &s.status.Failures[index]
}

// fail ends the job for good.
func (s *jobScope) fail(reason, message string, now metav1.Time) {
	s.noteFailure(reason, message, now)
	s.failure = &finding{reason: reason, message: message}
	s.status.CompletionTime = &now
}

// conclude says how the pass ends: in failure, in the factory's hands or ready.
func (r *TrainingJobReconciler) conclude(_ context.Context, scope *jobScope) (outcome, error) {
	if failed := meta.FindStatusCondition(scope.status.Conditions, classifierv1alpha1.ConditionFailed); failed != nil {
		return stop(failed.Reason, failed.Message), nil
	}
	if scope.failure != nil {
		return stop(scope.failure.reason, scope.failure.message), nil
	}
	switch {
	case scope.isOver():
		return proceed(), nil
	case scope.remoteMissing:
		return scope.untilFound(r.clock.Now()), nil
	}
	return scope.inHand(), nil
}

// inHand waits for the factory; the poller tells of changes.
func (s *jobScope) inHand() outcome {
	switch {
	case s.isStarted():
		message := "the factory has the job in hand"
		if isTrue(s.object.Spec.Suspend) {
			message += "; spec.suspend has no effect on a job that was started"
		}
		return wait(0, classifierv1alpha1.ReasonTraining, message)
	case s.isImported() && s.state() == mistral.JobValidated:
		return wait(0, classifierv1alpha1.ReasonAwaitingStart, "the imported job is validated; whoever created it has to start it")
	}
	return wait(0, classifierv1alpha1.ReasonAwaitingValidation, "the factory is looking at the data")
}

// shownCode is what a factory's word for a failure may look like to be shown: words
// such as NestingTooDeep or InvalidUTF8, which no key looks like. Its
// sentences are not: they may repeat samples or keys.
var shownCode = regexp.MustCompile(`^([A-Z][a-z]{1,15}){1,6}(UTF8|JSON)?$`)

// cause says what the factory's last event tells of a failure.
func (s *jobScope) cause() string {
	if s.remote == nil {
		return ""
	}
	update, found := lastUpdate(s.remote.Events)
	if !found || !shownCode.MatchString(update.Code) {
		return fmt.Sprintf(" (%s)", s.state())
	}
	said := update.Code
	if update.InvalidSamples > 0 {
		said += fmt.Sprintf(", %d invalid samples", update.InvalidSamples)
	}
	if lines := update.Lines; len(lines) > 0 {
		said += ", the first on lines " + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(lines[:min(len(lines), 10)])), ", "), "[]")
	}
	return fmt.Sprintf(" (%s: %s)", s.state(), said)
}

// lastUpdate is what the job's last change of state said. Servers send events in
// either order.
func lastUpdate(events []mistral.Event) (update mistral.StatusUpdate, found bool) {
	last := int64(-1)
	for _, event := range events {
		var data mistral.StatusUpdate
		if event.CreatedAt < last || json.Unmarshal(event.Data, &data) != nil || !data.Status.Finished() {
			continue
		}
		update, found, last = data, true, event.CreatedAt
	}
	return update, found
}
