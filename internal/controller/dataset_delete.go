package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// delete cleans up at the factory and lets the dataset go. It always ends: what
// cannot be done within cleanupBudget is left, and an event says so.
func (r *DatasetReconciler) delete(ctx context.Context, scope *datasetScope) outcome {
	if !controllerutil.ContainsFinalizer(scope.object, finalizer) {
		return proceed()
	}
	left, result := r.cleanUp(ctx, scope)
	if wait := cleanupLeft(scope.object, r.clock.Now()); result.verdict != proceeds && wait > 0 {
		return withinCleanup(result, wait)
	}
	r.refusals.forget(scope.object.UID)
	return letGo(ctx, r.client, r.recorder, scope.object, left)
}

// cleanUp deletes the files of all revisions. It says what is left if it cannot, or
// would be if nothing more were tried.
func (r *DatasetReconciler) cleanUp(ctx context.Context, scope *datasetScope) (string, outcome) {
	if scope.object.Spec.DeletionPolicy == classifierv1alpha1.DatasetRetain {
		return "", proceed()
	}
	left := fmt.Sprintf("the files at the factory whose names start with %s", r.marks.FilePrefix(scope.object.UID))
	made, err := r.connections.forCleanup(ctx, scope.object.Namespace, scope.object.Spec.ConnectionSecretRef)
	if unusable(err) {
		// Without a credential there is nothing to wait for.
		return left + ", because there is no connection to it any more", proceed()
	}
	if err != nil {
		return left, failed(err)
	}
	factory := r.connections.begin(made, r.caller(scope.name()))
	scope.connection = factory
	pinned, err := pinnedFiles(ctx, r.client, scope.object.Namespace)
	if err != nil {
		return left, failed(err)
	}
	// By name, too: a file whose upload was not recorded goes with the others.
	ids := scope.recordedFiles()
	for _, prefix := range r.marks.FilePrefixes(scope.object.UID) {
		files, err := listFiles(ctx, factory, prefix)
		if scope.factory.learn(err) != nil {
			return left, failed(err)
		}
		for _, file := range files {
			if strings.HasPrefix(file.Filename, prefix) && !slices.Contains(ids, file.ID) {
				ids = append(ids, file.ID)
			}
		}
	}
	inUse := false
	for _, id := range ids {
		if pinned[id] {
			inUse = true
			continue
		}
		if err := scope.factory.learn(deleteFile(ctx, factory, id)); err != nil {
			return left, failed(err)
		}
	}
	if inUse {
		return left + ", because an unfinished training job reads them",
			wait(0, classifierv1alpha1.ReasonDeleting, "an unfinished training job reads the files")
	}
	return "", proceed()
}

// recordedFiles are the files that the status knows. A list that lags does not
// show the latest.
func (s *datasetScope) recordedFiles() []string {
	var ids []string
	for _, file := range s.status.Files {
		if file.ID != "" {
			ids = append(ids, file.ID)
		}
	}
	for _, revision := range s.status.History {
		ids = append(ids, revision.FileIDs...)
	}
	return ids
}
