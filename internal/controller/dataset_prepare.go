package controller

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/samples"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

// maxHistory is what the API allows. More pile up only while files cannot be
// deleted; those that are forgotten go with the dataset, which finds them by name.
const maxHistory = 64

// prepare reads, validates and prepares the samples unless the status speaks of
// them already.
func (r *DatasetReconciler) prepare(ctx context.Context, scope *datasetScope) (outcome, error) {
	if scope.isPrepared() {
		return scope.asValidatedBefore(), nil
	}
	if result, err := r.read(ctx, scope); err != nil || result.verdict != proceeds {
		return result, err
	}
	if !scope.validation.good {
		return stop(scope.validation.reason, scope.validation.message), nil
	}
	scope.plan()
	return proceed(), nil
}

// waitForSlot waits until others have done theirs.
func (r *DatasetReconciler) waitForSlot(scope *datasetScope, message string) outcome {
	scope.awaitsSlot = true
	result := wait(0, classifierv1alpha1.ReasonWaiting, message)
	if isSeen(scope.object) {
		return result
	}
	return result.briefly(shortWait - r.clock.Since(scope.object.CreationTimestamp.Time))
}

// read reads the source to its end. What came of it is on disk, in the scope and
// in the status.
func (r *DatasetReconciler) read(ctx context.Context, scope *datasetScope) (outcome, error) {
	who, wake := whoOf(scope.name()), r.alarm.of(scope.name())
	switch {
	case r.kept.restore(scope):
		scope.describe()
		scope.validation = judge(scope.prepared)
		return proceed(), nil
	case r.kept.drop(scope.name()): // they were of another revision
		r.staging.line.Leave(who)
	}
	if !r.preparations.Enter(who, 1, wake) {
		return r.waitForSlot(scope, "waiting for its turn: other datasets are being prepared"), nil
	}
	defer r.preparations.Leave(who)
	if result := r.staging.enter(scope, wake); result.verdict != proceeds {
		return result, nil
	}

	var read atomic.Int64
	content := scope.source.Open(ctx)
	defer func() { _ = content.Close() }()
	reader := dataset.NewPartsReader(countedParts{content, &read}, samples.Options(&scope.object.Spec), scope.room, r.limits)
	defer func() { _ = reader.Close() }()
	stop := r.reportProgress(ctx, scope, scope.preparing(&read))
	prepared, err := dataset.Prepare(ctx, reader, samples.Preparation(scope.object.Spec.Preparation), scope.room, r.limits)
	stop()
	if err != nil {
		return r.unread(scope, err)
	}
	scope.prepared, scope.sourceBytes = prepared, reader.SizeBytes()
	r.staging.learn(scope, scope.room.most)
	scope.describe()
	scope.validation = judge(scope.prepared)
	return proceed(), nil
}

// unread is the outcome of a source that could not be read to its end.
func (r *DatasetReconciler) unread(scope *datasetScope, err error) (outcome, error) {
	if errors.Is(err, source.ErrChanged) {
		r.looks.forget(scope.name())
		return wait(time.Second, classifierv1alpha1.ReasonProgressing, "the source changed while it was read; reading it again"), nil
	}
	if result, ok := r.staging.unstaged(scope, err); ok {
		return result, nil
	}
	r.looks.record(scope, scope.source, err)
	return scope.unreadable(err)
}

// asValidatedBefore repeats the verdict that the status has.
func (s *datasetScope) asValidatedBefore() outcome {
	validated := meta.FindStatusCondition(s.status.Conditions, classifierv1alpha1.ConditionValidated)
	if validated == nil {
		return proceed()
	}
	s.validation = &finding{good: validated.Status == metav1.ConditionTrue, reason: validated.Reason, message: validated.Message}
	if !s.validation.good {
		return stop(validated.Reason, validated.Message)
	}
	return proceed()
}

// judge says what the samples turned out to be.
func judge(prepared *dataset.Prepared) *finding {
	verdict := samples.Judge(prepared)
	return &finding{good: verdict.Good, reason: verdict.Reason, message: verdict.Message}
}

// describe puts into the status what the samples are.
func (s *datasetScope) describe() {
	s.status.Source = &classifierv1alpha1.SourceStatus{Revision: s.revision(), SizeBytes: s.sourceBytes}
	samples.Describe(s.prepared, s.object.Spec.Preparation.Split, s.status)
}

// plan puts into the status which files there shall be. One without an ID is yet to be
// uploaded; one that is known by its content is taken to be there.
func (s *datasetScope) plan() {
	earlier := s.status.Files
	s.status.Files = nil
	for _, file := range s.prepared.Files {
		planned := classifierv1alpha1.DatasetFile{
			Split:     classifierv1alpha1.Split(file.Split),
			Name:      s.fileName(file.Digest),
			Digest:    "sha256:" + file.Digest,
			Samples:   int64(file.Samples),
			SizeBytes: file.SizeBytes,
		}
		if file.Split != dataset.Test { // which no job reads
			planned.InputSketch = base64.StdEncoding.EncodeToString(file.Sketch)
		}
		for _, known := range earlier {
			if known.Digest == planned.Digest {
				planned.Name, planned.ID, planned.UploadedAt, planned.ExpiresAt = known.Name, known.ID, known.UploadedAt, known.ExpiresAt
			}
		}
		s.status.Files = append(s.status.Files, planned)
	}
	s.archive(earlier)
}

// archive moves those of the files into the history that are uploaded and in use no more.
func (s *datasetScope) archive(files []classifierv1alpha1.DatasetFile) {
	var revision classifierv1alpha1.DatasetRevision
	for _, file := range files {
		if file.ID != "" && !s.uses(file.ID) {
			revision.FileIDs = append(revision.FileIDs, file.ID)
		}
	}
	if len(revision.FileIDs) == 0 {
		return
	}
	revision.Digest, revision.UploadedAt = files[0].Digest, files[0].UploadedAt
	history := slices.Insert(s.status.History, 0, revision)
	s.status.History = history[:min(len(history), maxHistory)]
}
