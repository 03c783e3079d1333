package controller

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

const (
	// finalizer is on an object while something at the factory may be its own.
	finalizer = "classifierfactory.dev/factory-cleanup"

	// cleanupBudget is how long a deleted object is kept for cleaning up. A factory
	// that restarts is back in it; a namespace that is deleted does not hang for long.
	cleanupBudget = 2 * time.Minute
	// cleanupRecheck is how often something is asked for that no event tells.
	cleanupRecheck = 5 * time.Second
)

// addFinalizer must come before the first remote write.
func addFinalizer(ctx context.Context, writer client.Client, object client.Object) error {
	if controllerutil.ContainsFinalizer(object, finalizer) {
		return nil
	}
	return patchFinalizers(ctx, writer, object, controllerutil.AddFinalizer)
}

func patchFinalizers(ctx context.Context, writer client.Client, object client.Object, change func(client.Object, string) bool) error {
	// A copy takes the server's answer, so that the status composed so far stays.
	changed := object.DeepCopyObject().(client.Object)
	change(changed, finalizer)
	patch := client.MergeFromWithOptions(object, client.MergeFromWithOptimisticLock{})
	if err := writer.Patch(ctx, changed, patch, fieldOwner); err != nil {
		return err
	}
	object.SetFinalizers(changed.GetFinalizers())
	object.SetResourceVersion(changed.GetResourceVersion())
	return nil
}

// letGo removes the finalizer. What is left at the factory is told in an event.
func letGo(ctx context.Context, writer client.Client, recorder events.EventRecorder, object client.Object, left string) outcome {
	if err := patchFinalizers(ctx, writer, object, controllerutil.RemoveFinalizer); client.IgnoreNotFound(err) != nil {
		return failed(err)
	}
	controllerutil.RemoveFinalizer(object, finalizer)
	if left != "" {
		recorder.Eventf(object, nil, corev1.EventTypeWarning, classifierv1alpha1.ReasonDeletionIncomplete, "Delete", "left behind: %s", left)
	}
	return proceed()
}

// cleanupLeft is how long a deleted object is kept yet.
func cleanupLeft(object client.Object, now time.Time) time.Duration {
	return object.GetDeletionTimestamp().Add(cleanupBudget).Sub(now)
}

// withinCleanup tries again soon, whatever the factory asks for: the object must go.
func withinCleanup(result outcome, left time.Duration) outcome {
	return result.looksAgain(min(cleanupRecheck, left))
}

// unusable reports whether a connection is not to be had, other than for a moment.
func unusable(err error) bool {
	var reason *secretError
	return errors.As(err, &reason)
}
