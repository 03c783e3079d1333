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
		resolved, err = r.lookAtSource(ctx, scope)
	}
	if scope.due {
		r.looks.record(scope, resolved, err)
	}
	scope.source = resolved
	if err != nil {
		return scope.unreadable(err)
	}
	scope.sourceReady = &finding{good: true, reason: classifierv1alpha1.ReasonSourceReady, message: readable(resolved)}
	return proceed(), nil
}

func readable(resolved source.Source) string {
	message := "the source can be read"
	if leftOut := source.LeftOut(resolved); leftOut != "" {
		message += "; " + leftOut
	}
	return message
}

// lookAtSource says so if that takes long and nothing was said of the dataset yet.
func (r *DatasetReconciler) lookAtSource(ctx context.Context, scope *datasetScope) (source.Source, error) {
	if readyOf(scope.status.Conditions).Reason == classifierv1alpha1.ReasonPending {
		stop := r.reportProgress(ctx, scope, func() outcome {
			return wait(0, classifierv1alpha1.ReasonProgressing, "looking at the source")
		})
		defer stop()
	}
	return source.Resolve(ctx, r.sources, scope.object.Namespace, scope.object.Spec.Source)
}

// unreadable is the outcome of a source that cannot be read: one that is not
// there, or that does not let the operator in. It is looked at again when an event
// tells of it, and with object storage within a minute.
func (s *datasetScope) unreadable(err error) (outcome, error) {
	if missing, ok := errors.AsType[*source.NotFoundError](err); ok {
		reason := classifierv1alpha1.ReasonSourceNotFound
		if missing.Key != "" {
			reason = classifierv1alpha1.ReasonSourceKeyNotFound
		}
		s.sourceReady = &finding{reason: reason, message: missing.Error()}
		return wait(0, reason, missing.Error()), nil
	}
	if failed, ok := errors.AsType[*source.Error](err); ok {
		reason := storageReasons[failed.Reason]
		s.sourceReady = &finding{reason: reason, message: failed.Message}
		if failed.Reason == source.ReasonInvalidURL || failed.Reason == source.ReasonAddressRefused {
			return stop(reason, failed.Message), nil
		}
		return wait(0, reason, failed.Message), nil
	}
	return outcome{}, err
}

// storageReasons are the conditions' words for what object storage fails with.
var storageReasons = map[source.Reason]string{
	source.ReasonInvalidURL:          classifierv1alpha1.ReasonSourceInvalidURL,
	source.ReasonNotFound:            classifierv1alpha1.ReasonSourceNotFound,
	source.ReasonBucketNotFound:      classifierv1alpha1.ReasonSourceBucketNotFound,
	source.ReasonCredentialsNotFound: classifierv1alpha1.ReasonSourceCredentialsNotFound,
	source.ReasonInvalidCredentials:  classifierv1alpha1.ReasonSourceInvalidCredentials,
	source.ReasonExpiredCredentials:  classifierv1alpha1.ReasonSourceExpiredCredentials,
	source.ReasonAccessDenied:        classifierv1alpha1.ReasonSourceAccessDenied,
	source.ReasonWrongRegion:         classifierv1alpha1.ReasonSourceWrongRegion,
	source.ReasonArchived:            classifierv1alpha1.ReasonSourceArchived,
	source.ReasonTooLarge:            classifierv1alpha1.ReasonSourceTooLarge,
	source.ReasonAddressRefused:      classifierv1alpha1.ReasonSourceAddressRefused,
	source.ReasonUnreachable:         classifierv1alpha1.ReasonSourceUnreachable,
	source.ReasonStorageFailed:       classifierv1alpha1.ReasonSourceUnreachable,
}
