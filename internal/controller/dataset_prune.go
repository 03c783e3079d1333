package controller

import (
	"context"
	"slices"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// pruneRetry is how often it is tried again to delete what could not be.
const pruneRetry = 10 * time.Minute

// prune deletes the files of the oldest revisions beyond the limit. Those that an
// unfinished job reads stay until it has ended. That something cannot be deleted
// is no reason not to train on what is uploaded.
func (r *DatasetReconciler) prune(ctx context.Context, scope *datasetScope) (outcome, error) {
	scope.forgetReturned()
	limit := int(*scope.object.Spec.RevisionHistoryLimit)
	if len(scope.status.History) <= limit {
		return proceed(), nil
	}
	pinned, err := pinnedFiles(ctx, r.client, scope.object.Namespace)
	if err != nil {
		return outcome{}, err
	}
	var kept []classifierv1alpha1.DatasetRevision
	result := proceed()
	for i, revision := range scope.status.History {
		if i < limit || pinned.anyOf(revision.FileIDs) {
			kept = append(kept, revision)
			continue
		}
		if err := r.deleteRevision(ctx, scope, revision); err != nil {
			ctrl.LoggerFrom(ctx).Info("an earlier revision cannot be deleted", "digest", revision.Digest, "reason", classify(err).reason)
			kept = append(kept, revision)
			result = proceed().looksAgain(pruneRetry)
		}
	}
	scope.status.History = kept
	return result, nil
}

// forgetReturned takes the files out of the history that are in use again.
func (s *datasetScope) forgetReturned() {
	for i := range s.status.History {
		revision := &s.status.History[i]
		revision.FileIDs = slices.DeleteFunc(revision.FileIDs, s.uses)
	}
	s.status.History = slices.DeleteFunc(s.status.History, func(revision classifierv1alpha1.DatasetRevision) bool {
		return len(revision.FileIDs) == 0
	})
}

// uses reports whether a file is one of those that the dataset has now.
func (s *datasetScope) uses(id string) bool {
	return slices.ContainsFunc(s.status.Files, func(file classifierv1alpha1.DatasetFile) bool { return file.ID == id })
}

func (r *DatasetReconciler) deleteRevision(ctx context.Context, scope *datasetScope, revision classifierv1alpha1.DatasetRevision) error {
	if err := r.connect(ctx, scope); err != nil {
		return err
	}
	request := fingerprint(revision, scope.requestedAt(), scope.connection.ID())
	if err := r.refusals.check(scope.object.UID, request); err != nil {
		return err
	}
	for _, id := range revision.FileIDs {
		if err := scope.factory.learn(deleteFile(ctx, scope.connection, id)); err != nil {
			return r.refusals.learn(scope.object.UID, request, err)
		}
	}
	return nil
}

// deleteFile makes sure that a file is not there.
func deleteFile(ctx context.Context, factory *connection.Pass, id string) error {
	if err := factory.DeleteFile(ctx, id); !mistral.IsNotFound(err) {
		return err
	}
	return nil
}

// fileIDs is a set of files.
type fileIDs map[string]bool

func (f fileIDs) anyOf(ids []string) bool {
	for _, id := range ids {
		if f[id] {
			return true
		}
	}
	return false
}

// pinnedFiles are the files that unfinished jobs read.
func pinnedFiles(ctx context.Context, reader client.Reader, namespace string) (fileIDs, error) {
	jobs := &classifierv1alpha1.ClassifierTrainingJobList{}
	if err := reader.List(ctx, jobs, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	pinned := fileIDs{}
	for i := range jobs.Items {
		if !pinsInputs(&jobs.Items[i]) {
			continue
		}
		for _, input := range jobs.Items[i].Status.Inputs {
			pinned[input.FileID] = true
		}
	}
	return pinned, nil
}
