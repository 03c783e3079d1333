package controller

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/marks"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// expiryMargin is how long before its expiry a file is uploaded again: a training
// that starts now must still find it when it ends.
const expiryMargin = 24 * time.Hour

// errAltered is an upload of which the factory says that it holds something else.
var errAltered = errors.New("the factory holds something else than was sent: its size or digest differs")

// upload brings every planned file to the factory that is not there. Now and
// then it also makes sure of those that are: a file may be deleted, or expire.
func (r *DatasetReconciler) upload(ctx context.Context, scope *datasetScope) (outcome, error) {
	if scope.isUploaded() && !scope.due {
		return proceed(), nil
	}
	if err := r.connect(ctx, scope); err != nil {
		if scope.isUploaded() {
			return proceed(), nil // what is uploaded needs no connection
		}
		return outcome{}, err
	}
	// From here on something may be left at the factory.
	if err := addFinalizer(ctx, r.client, scope.object); err != nil {
		return outcome{}, err
	}
	all := proceed()
	for i := range scope.status.Files {
		result, err := r.uploadFile(ctx, scope, &scope.status.Files[i])
		if err != nil || result.verdict != proceeds {
			return result, err
		}
		all.after = soonest(all.after, result.after)
	}
	return all, nil
}

// connect finds the connection once a pass.
func (r *DatasetReconciler) connect(ctx context.Context, scope *datasetScope) error {
	if scope.connection != nil {
		return nil
	}
	made, err := r.connections.get(ctx, scope.object.Namespace, scope.object.Spec.ConnectionSecretRef)
	if err != nil {
		return scope.factory.learn(err)
	}
	scope.connection = r.connections.begin(made, r.caller(scope.name()))
	scope.connection.WhenSlow(func(ctx context.Context) { r.tellSlow(ctx, scope) })
	return nil
}

// uploadFile adopts a file of the name that is there already, or sends it. An
// upload whose record was lost in a crash is thus never repeated.
func (r *DatasetReconciler) uploadFile(ctx context.Context, scope *datasetScope, file *classifierv1alpha1.DatasetFile) (outcome, error) {
	if file.ID != "" && !scope.due {
		return proceed(), nil
	}
	request := fingerprint(file.Digest, scope.requestedAt(), scope.connection.ID())
	if err := r.refusals.check(scope.object.UID, request); err != nil {
		return outcome{}, scope.factory.learn(err)
	}
	found, err := r.lastingFile(ctx, scope, file)
	if wait, ok := notYet(err); ok && file.ID != "" {
		scope.unserved = true
		r.looks.again(scope, wait)
		return proceed().looksAgain(wait), nil
	}
	_ = scope.factory.learn(err)
	switch {
	case err != nil && file.ID != "":
		// What was uploaded is taken to be there until the factory says otherwise.
		return proceed(), nil
	case err != nil:
		return outcome{}, r.refusals.learn(scope.object.UID, request, err)
	case found == nil:
		file.ID = ""
		if result, err := r.checkLimits(ctx, scope); err != nil || result.verdict != proceeds {
			return result, err
		}
		return r.sendFile(ctx, scope, file, request)
	case file.ID == "":
		r.metrics.uploads.WithLabelValues(outcomeAdopted).Inc()
	}
	describeFile(file, found)
	return proceed(), nil
}

// sendFile uploads a file that is not there.
func (r *DatasetReconciler) sendFile(ctx context.Context, scope *datasetScope, file *classifierv1alpha1.DatasetFile, request string) (outcome, error) {
	who := whoOf(scope.name())
	if !r.uploads.Enter(who, 1, r.alarm.of(scope.name())) {
		return r.waitForSlot(scope, "waiting for its turn: other datasets are being uploaded"), nil
	}
	defer r.uploads.Leave(who)
	if result, err := r.reread(ctx, scope, file); err != nil || result.verdict != proceeds {
		return result, err
	}
	sent, err := r.send(ctx, scope, file)
	r.metrics.uploaded(file.SizeBytes, err)
	if errors.Is(err, errAltered) {
		ctrl.LoggerFrom(ctx).Error(err, "uploading", "file", file.Name)
		return wait(slowRetry, classifierv1alpha1.ReasonUploadAltered, errAltered.Error()+"; the file is sent again in a minute"), nil
	}
	_ = scope.factory.learn(err)
	if r.refusals.learn(scope.object.UID, request, err) != nil {
		return outcome{}, err
	}
	describeFile(file, sent)
	return proceed(), nil
}

// describeFile puts into the status how the factory has a file.
func describeFile(file *classifierv1alpha1.DatasetFile, remote *mistral.File) {
	file.ID, file.UploadedAt, file.ExpiresAt = remote.ID, unixTime(remote.CreatedAt), nil
	if remote.ExpiresAt != nil {
		file.ExpiresAt = unixTime(*remote.ExpiresAt)
	}
}

// lastingFile is the planned file if it is there, and will be. One that the factory
// will soon delete is deleted, because uploading the same content again would only
// bring it back.
func (r *DatasetReconciler) lastingFile(ctx context.Context, scope *datasetScope, file *classifierv1alpha1.DatasetFile) (*mistral.File, error) {
	found, err := r.findFile(ctx, scope, file)
	if err != nil || found == nil || !expiresSoon(found, r.clock.Now()) {
		return found, err
	}
	pinned, err := pinnedFiles(ctx, r.client, scope.object.Namespace)
	if err != nil || pinned[found.ID] {
		return found, err
	}
	return nil, deleteFile(ctx, scope.connection, found.ID)
}

func expiresSoon(file *mistral.File, now time.Time) bool {
	return file.ExpiresAt != nil && time.Unix(*file.ExpiresAt, 0).Before(now.Add(expiryMargin))
}

// findFile looks for a file of the planned name and content. One that was uploaded is
// in the list that all datasets of a connection share; what is not in it is asked for
// by name.
func (r *DatasetReconciler) findFile(ctx context.Context, scope *datasetScope, planned *classifierv1alpha1.DatasetFile) (*mistral.File, error) {
	if planned.ID != "" {
		all, err := scope.connection.Files(ctx, marks.FileNames, r.looks.since(scope))
		if err != nil {
			return nil, err
		}
		if found := choose(all[planned.Name], planned); found != nil {
			return found, nil
		}
	}
	named, err := listFiles(ctx, scope.connection, planned.Name)
	return choose(named, planned), err
}

// choose gives the file of the planned name and content, of several the one that the
// status knows: jobs may read it.
func choose(files []mistral.File, planned *classifierv1alpha1.DatasetFile) (found *mistral.File) {
	for i := range files {
		if files[i].Filename == planned.Name && holds(&files[i], planned) && (found == nil || files[i].ID == planned.ID) {
			found = &files[i]
		}
	}
	return found
}

// holds reports whether the file's content is what was planned, as far as the server
// tells its size and digest. A signature tells nothing: how it is made is the
// server's own affair.
func holds(file *mistral.File, planned *classifierv1alpha1.DatasetFile) bool {
	if file.Bytes != 0 && file.Bytes != planned.SizeBytes {
		return false
	}
	return file.SHA256 == nil || strings.EqualFold("sha256:"+*file.SHA256, planned.Digest)
}

// listFiles gives the files with a part of their names.
func listFiles(ctx context.Context, factory *connection.Pass, search string) ([]mistral.File, error) {
	var files []mistral.File
	for page := 0; page < maxPages; page++ {
		list, err := factory.ListFiles(ctx, mistral.FileFilter{Page: page, PageSize: pageSize, Search: search})
		if err != nil {
			return nil, err
		}
		files = append(files, list.Data...)
		if len(list.Data) < pageSize {
			break
		}
	}
	return files, nil
}

// reread makes sure that the samples are on disk: the pass that planned the
// file may have been an earlier one.
func (r *DatasetReconciler) reread(ctx context.Context, scope *datasetScope, file *classifierv1alpha1.DatasetFile) (outcome, error) {
	if scope.prepared == nil {
		if result, err := r.read(ctx, scope); err != nil || result.verdict != proceeds {
			return result, err
		}
	}
	if scope.content(file) == nil {
		// Another version of the operator, or one with other limits, planned the file.
		scope.status.Source = nil
		return wait(time.Second, classifierv1alpha1.ReasonProgressing, "the samples are prepared in another way than before; preparing them again"), nil
	}
	return proceed(), nil
}

// content is a planned file as it was prepared; nil if something else was.
func (s *datasetScope) content(file *classifierv1alpha1.DatasetFile) io.Reader {
	for i := range s.prepared.Files {
		if prepared := &s.prepared.Files[i]; "sha256:"+prepared.Digest == file.Digest {
			return prepared.Content()
		}
	}
	return nil
}

// send uploads a file and makes sure that it arrived whole.
func (r *DatasetReconciler) send(ctx context.Context, scope *datasetScope, file *classifierv1alpha1.DatasetFile) (*mistral.File, error) {
	var sent atomic.Int64
	stop := r.reportProgress(ctx, scope, uploading(file, &sent))
	uploaded, err := scope.connection.UploadFile(ctx, mistral.Upload{
		Filename: file.Name,
		Size:     file.SizeBytes,
		Content:  countedReader{scope.content(file), &sent},
		Purpose:  mistral.PurposeFineTune,
	})
	stop()
	file.UploadedBytes = nil
	if err != nil {
		return nil, err
	}
	if !holds(uploaded, file) {
		return nil, errors.Join(errAltered, deleteFile(ctx, scope.connection, uploaded.ID))
	}
	return uploaded, nil
}
