package controller

import (
	"context"
	"errors"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

// resolveSource looks whether the source is there and which revision it has.
func (r *DatasetReconciler) resolveSource(ctx context.Context, scope *datasetScope) (outcome, error) {
	resolved, err := source.Resolve(ctx, r.sources, scope.object.Namespace, scope.object.Spec.Source)
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
