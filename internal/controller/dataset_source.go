package controller

import (
	"context"
	"errors"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

// resolveSource looks whether the source is there and which revision it has.
// Object storage is asked only when that is due; everything else tells by events.
func (r *DatasetReconciler) resolveSource(ctx context.Context, scope *datasetScope) (outcome, error) {
	last, ok := r.looks.last(scope)
	scope.due = !ok
	resolved, err := last.source, last.err
	if scope.due || scope.object.Spec.Source.ObjectStorage == nil {
		resolved, err = source.Resolve(ctx, r.sources, scope.object.Namespace, scope.object.Spec.Source)
	}
	if scope.due {
		r.looks.record(scope, resolved, err)
	}
	if err != nil {
		return scope.sourceMissing(err)
	}
	scope.source = resolved
	return proceed(), nil
}

// sourceMissing waits for a source that is not there; its creation is an event.
func (s *datasetScope) sourceMissing(err error) (outcome, error) {
	var missing *source.NotFoundError
	if !errors.As(err, &missing) {
		return outcome{}, err
	}
	s.missing = missing
	return wait(0, missingReason(missing), missing.Error()), nil
}

func missingReason(missing *source.NotFoundError) string {
	if missing.Key != "" {
		return classifierv1alpha1.ReasonSourceKeyNotFound
	}
	return classifierv1alpha1.ReasonSourceNotFound
}
