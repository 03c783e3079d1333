package controller

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	// modelRecheck, with a quarter of it at random and maxListAge, is how long it may take
	// until a model is noticed to be gone: less than ten minutes.
	modelRecheck = 6 * time.Minute
	// lostModelRecheck is the same for one that may come back.
	lostModelRecheck = 2 * time.Minute
	// maxListAge is how old a list may be that somebody else asked for.
	maxListAge = 2 * time.Minute
)

// checkModel looks whether what is published is there. One that is not may come back,
// but not without somebody's doing.
func (r *TrainingJobReconciler) checkModel(ctx context.Context, scope *jobScope) (outcome, error) {
	if !scope.hasModel() {
		return proceed(), nil
	}
	problem := scope.knownModelProblem()
	if requested, due := r.looks.due(scope, ""); due {
		problem = r.lookAtModel(ctx, scope, requested, problem)
	}
	if problem != nil {
		return stop(problem.reason, problem.message).looksAgain(r.looks.untilNext(scope)), nil
	}
	if r.keys.of(scope.object.UID).lost {
		if result, err := r.publish(ctx, scope); err != nil || result.verdict != proceeds {
			return result, err
		}
	}
	return proceed().looksAgain(r.looks.untilNext(scope)), nil
}

// hasModel reports whether the training ended in success.
func (s *jobScope) hasModel() bool {
	return s.isOver() && s.status.Model != nil && s.failure == nil &&
		!meta.IsStatusConditionTrue(s.status.Conditions, classifierv1alpha1.ConditionFailed)
}

// knownModelProblem is what the status says of the model.
func (s *jobScope) knownModelProblem() *finding {
	stalled := meta.FindStatusCondition(s.written.Conditions, classifierv1alpha1.ConditionStalled)
	if stalled == nil || stalled.Reason != classifierv1alpha1.ReasonModelMissing && stalled.Reason != classifierv1alpha1.ReasonModelArchived {
		return nil
	}
	return &finding{reason: stalled.Reason, message: stalled.Message}
}

// lookAtModel gives what is wrong with the model; nil if nothing is. As long as the
// factory does not say how things are, they are as they were.
func (r *TrainingJobReconciler) lookAtModel(ctx context.Context, scope *jobScope, requested time.Time, known *finding) *finding {
	if scope.written.CompletionTime == nil {
		// The factory named the model a moment ago.
		r.looks.looked(scope, modelRecheck+rand.N(modelRecheck/4))
		return nil
	}
	since := r.listedSince(scope, requested)
	problem, err := r.askForModel(ctx, scope, since, known)
	if err == nil && problem == nil {
		err = r.checkKey(ctx, scope, since)
	}
	if wait, ok := notYet(err); ok {
		scope.unserved = true
		r.looks.again(scope, wait)
		return known
	}
	if err != nil {
		problem = known
	}
	if problem != nil {
		r.looks.looked(scope, lostModelRecheck+rand.N(lostModelRecheck/4))
		return problem
	}
	r.looks.looked(scope, modelRecheck+rand.N(modelRecheck/4))
	return nil
}

// listedSince is how new a list has to be.
func (r *TrainingJobReconciler) listedSince(scope *jobScope, requested time.Time) time.Time {
	since := scope.status.CompletionTime.Time
	for _, later := range []time.Time{requested, r.clock.Now().Add(-maxListAge)} {
		if later.After(since) {
			since = later
		}
	}
	return since
}

// askForModel looks into the list that all objects of a connection share. What is not
// in it is asked for by itself before it is taken to be missing: a list may lag, or
// show less than there is.
func (r *TrainingJobReconciler) askForModel(ctx context.Context, scope *jobScope, since time.Time, known *finding) (*finding, error) {
	if err := r.connect(ctx, scope); err != nil {
		return nil, err
	}
	models, err := scope.connection.Models(ctx, since)
	if tellsNoModels(err) {
		return nil, nil
	}
	if scope.factory.learn(err) != nil {
		return nil, err
	}
	id := scope.status.Model.ID
	archived, found := models[id]
	if !found && (known == nil || known.reason != classifierv1alpha1.ReasonModelMissing) {
		model, err := scope.connection.GetModel(ctx, id)
		if found = err == nil; found {
			archived = model.Archived != nil && *model.Archived
		} else if !mistral.IsNotFound(err) {
			return nil, scope.factory.learn(err)
		}
	}
	switch {
	case !found:
		return &finding{reason: classifierv1alpha1.ReasonModelMissing,
			message: fmt.Sprintf("model %s is no longer at the factory; restore it there, or train again with another ClassifierTrainingJob", id)}, nil
	case archived:
		return &finding{reason: classifierv1alpha1.ReasonModelArchived,
			message: fmt.Sprintf("model %s is archived and answers nobody; unarchive it at the factory", id)}, nil
	}
	return nil, nil
}

// tellsNoModels reports whether a server has no list of models. What it has is
// taken to be there.
func tellsNoModels(err error) bool {
	remote, ok := errors.AsType[*mistral.Error](err)
	return ok && (remote.StatusCode == http.StatusNotFound || remote.StatusCode == http.StatusMethodNotAllowed || remote.StatusCode == http.StatusNotImplemented)
}

// notYet reports whether a look has to be taken a little later, and when.
func notYet(err error) (time.Duration, bool) {
	if early, ok := errors.AsType[*connection.NotYetError](err); ok {
		return early.RetryAfter, true
	}
	if closed, ok := errors.AsType[*connection.ClosedError](err); ok && closed.Cause == nil {
		return closed.RetryAfter, true
	}
	return 0, false
}
