package controller

import (
	"context"
	"fmt"
	"math/big"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// start starts a validated job, once.
func (r *TrainingJobReconciler) start(ctx context.Context, scope *jobScope) (outcome, error) {
	if !scope.mayStart() {
		return proceed(), nil
	}
	if held := scope.held(); held.verdict != proceeds {
		return held, nil
	}
	request := fingerprint("start", scope.object.Generation, scope.requestedAt(), scope.status.RemoteJob.ID, scope.connection.ID())
	if err := r.refusals.check(scope.object.UID, request); err != nil {
		return outcome{}, scope.factory.learn(err)
	}
	result, err := r.startValidated(ctx, scope)
	return result, r.refusals.learn(scope.object.UID, request, err)
}

// startValidated starts the job if it still is VALIDATED, and may be started:
// what was observed may be old.
func (r *TrainingJobReconciler) startValidated(ctx context.Context, scope *jobScope) (outcome, error) {
	now := metav1.NewTime(r.clock.Now())
	job, err := scope.connection.GetJob(ctx, scope.status.RemoteJob.ID)
	if mistral.IsNotFound(err) {
		scope.missing()
		return proceed(), nil
	}
	if scope.factory.learn(err) != nil {
		return outcome{}, err
	}
	scope.observe(job, now)
	if !scope.mayStart() {
		return proceed(), nil
	}
	if held := scope.held(); held.verdict != proceeds {
		return held, nil
	}
	return proceed(), r.startRecorded(ctx, scope, now)
}

// startRecorded writes down that the job is about to be started: a job that runs
// without that was started by somebody else. A shutdown interrupts neither.
func (r *TrainingJobReconciler) startRecorded(ctx context.Context, scope *jobScope, now metav1.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if scope.status.Attempt.StartTime == nil {
		scope.status.Attempt.StartTime = &now
		if err := r.writeStatus(ctx, scope); err != nil {
			return err
		}
	}
	job, err := scope.connection.StartJob(ctx, scope.status.RemoteJob.ID)
	if scope.factory.learn(err) != nil {
		return err
	}
	scope.observe(job, now)
	return nil
}

// mayStart reports whether the job is the operator's to start now.
func (s *jobScope) mayStart() bool {
	return !s.isOver() && !s.isImported() && !s.remoteMissing && s.state() == mistral.JobValidated
}

// held says why a validated job is not started, if there is a reason.
func (s *jobScope) held() outcome {
	if isTrue(s.object.Spec.Suspend) {
		return wait(0, classifierv1alpha1.ReasonSuspended, "the job is validated and waits for spec.suspend to be false")
	}
	limit, cost := s.object.Spec.MaxCost, s.status.Cost
	switch {
	case limit == nil:
		return proceed()
	case cost == nil:
		return stop(classifierv1alpha1.ReasonCostUnknown, "the factory gave no estimate of the cost; remove spec.maxCost to start the job nevertheless")
	case isZero(cost.Amount):
		return proceed()
	case cost.Currency != limit.Currency:
		return stop(classifierv1alpha1.ReasonBudgetExceeded,
			fmt.Sprintf("the factory's estimate is in %s, spec.maxCost in %s", cost.Currency, limit.Currency))
	case compare(cost.Amount, limit.Amount) > 0:
		return stop(classifierv1alpha1.ReasonBudgetExceeded,
			fmt.Sprintf("the estimate of %s %s is above spec.maxCost, %s %s", cost.Amount, cost.Currency, limit.Amount, limit.Currency))
	}
	return proceed()
}

func isZero(amount classifierv1alpha1.Decimal) bool { return compare(amount, "0") == 0 }

// compare compares amounts of money as they are written, without rounding. The
// schema lets no other than decimals through.
func compare(a, b classifierv1alpha1.Decimal) int {
	x, _ := new(big.Rat).SetString(string(a))
	y, _ := new(big.Rat).SetString(string(b))
	if x == nil || y == nil {
		return 1
	}
	return x.Cmp(y)
}
