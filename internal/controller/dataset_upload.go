package controller

import (
	"context"
	"errors"
	"slices"
	"time"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// errIncomplete is an upload that the server says has another size.
var errIncomplete = errors.New("the uploaded file has not the size of the samples")

// upload brings every planned file to the factory that is not there yet.
func (r *DatasetReconciler) upload(ctx context.Context, scope *datasetScope) (outcome, error) {
	if scope.isUploaded() {
		return proceed(), nil
	}
	if err := r.connect(ctx, scope); err != nil {
		return outcome{}, err
	}
	// From here on something may be left at the factory.
	if err := addFinalizer(ctx, r.client, scope.object); err != nil {
		return outcome{}, err
	}
	for i := range scope.status.Files {
		file := &scope.status.Files[i]
		if file.ID != "" {
			continue
		}
		result, err := r.uploadFile(ctx, scope, file)
		if err != nil || result.verdict != proceeds {
			return result, err
		}
	}
	scope.forgetReturned()
	return proceed(), nil
}

// connect finds the connection once a pass.
func (r *DatasetReconciler) connect(ctx context.Context, scope *datasetScope) (err error) {
	if scope.connection != nil {
		return nil
	}
	scope.connection, err = r.connections.get(ctx, scope.object.Namespace, scope.object.Spec.ConnectionSecretRef)
	if err != nil {
		_ = scope.factory.learn(err)
	}
	return err
}

// uploadFile adopts a file of the name that is there already, or uploads it. An
// upload whose record was lost in a crash is thus never repeated.
func (r *DatasetReconciler) uploadFile(ctx context.Context, scope *datasetScope, file *classifierv1alpha1.DatasetFile) (outcome, error) {
	request := fingerprint(file.Digest, scope.requestedAt(), scope.connection.ID())
	if err := r.refusals.check(scope.object.UID, request); err != nil {
		return outcome{}, scope.factory.learn(err)
	}
	uploaded, err := findFile(ctx, scope.connection, file)
	if err == nil && uploaded == nil {
		if result, err := r.restage(ctx, scope, file); err != nil || result.verdict != proceeds {
			return result, err
		}
		uploaded, err = r.send(ctx, scope, file)
	}
	_ = scope.factory.learn(err)
	if r.refusals.learn(scope.object.UID, request, err) != nil {
		return outcome{}, err
	}
	file.ID = uploaded.ID
	file.UploadedAt = unixTime(uploaded.CreatedAt)
	if uploaded.ExpiresAt != nil {
		file.ExpiresAt = unixTime(*uploaded.ExpiresAt)
	}
	return proceed(), nil
}

// findFile looks for a file of the planned name and size.
func findFile(ctx context.Context, factory *connection.Connection, planned *classifierv1alpha1.DatasetFile) (*mistral.File, error) {
	files, err := listFiles(ctx, factory, planned.Name)
	if err != nil {
		return nil, err
	}
	for i := range files {
		if files[i].Filename == planned.Name && hasSize(&files[i], planned.SizeBytes) {
			return &files[i], nil
		}
	}
	return nil, nil
}

// hasSize is also true of a file whose size the server does not say.
func hasSize(file *mistral.File, bytes int64) bool {
	return file.Bytes == 0 || file.Bytes == bytes
}

// listFiles gives the files with a part of their names.
func listFiles(ctx context.Context, factory *connection.Connection, search string) ([]mistral.File, error) {
	var files []mistral.File
	for page := 0; ; page++ {
		list, err := factory.ListFiles(ctx, mistral.FileFilter{Page: page, PageSize: pageSize, Search: search})
		if err != nil {
			return nil, err
		}
		files = append(files, list.Data...)
		if len(list.Data) < pageSize {
			return files, nil
		}
	}
}

// restage makes sure that the samples are on disk: the pass that planned the
// file may have been an earlier one.
func (r *DatasetReconciler) restage(ctx context.Context, scope *datasetScope, file *classifierv1alpha1.DatasetFile) (outcome, error) {
	if scope.staged == nil {
		if result, err := r.stage(ctx, scope); err != nil || result.verdict != proceeds {
			return result, err
		}
	}
	if "sha256:"+scope.staged.report.Digest != file.Digest {
		return wait(time.Second, classifierv1alpha1.ReasonProgressing, "the source changed while it was read; reading it again"), nil
	}
	return proceed(), nil
}

func (r *DatasetReconciler) send(ctx context.Context, scope *datasetScope, file *classifierv1alpha1.DatasetFile) (*mistral.File, error) {
	uploaded, err := scope.connection.UploadFile(ctx, mistral.Upload{
		Filename: file.Name,
		Size:     file.SizeBytes,
		Content:  scope.staged.reader(),
		Purpose:  mistral.PurposeFineTune,
	})
	if err != nil {
		return nil, err
	}
	if !hasSize(uploaded, file.SizeBytes) {
		return nil, errors.Join(errIncomplete, scope.connection.DeleteFile(ctx, uploaded.ID))
	}
	return uploaded, nil
}

// forgetReturned takes a revision out of the history whose files are in use again.
func (s *datasetScope) forgetReturned() {
	s.status.History = slices.DeleteFunc(s.status.History, func(revision classifierv1alpha1.DatasetRevision) bool {
		return slices.ContainsFunc(s.status.Files, func(file classifierv1alpha1.DatasetFile) bool {
			return slices.Contains(revision.FileIDs, file.ID)
		})
	})
}
