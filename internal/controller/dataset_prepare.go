package controller

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

// maxStatusLabels is how many labels a status lists over all targets: at the
// longest names that is a tenth of what an object may weigh.
const maxStatusLabels = 256

// maxHistory is what the API allows. More pile up only while files cannot be
// deleted; those that are forgotten go with the dataset, which finds them by name.
const maxHistory = 64

// prepare reads and validates the samples unless the status speaks of them already.
func (r *DatasetReconciler) prepare(ctx context.Context, scope *datasetScope) (outcome, error) {
	if scope.isPrepared() {
		return scope.asValidatedBefore(), nil
	}
	if result, err := r.stage(ctx, scope); err != nil || result.verdict != proceeds {
		return result, err
	}
	report := &scope.staged.report
	scope.describe(report)
	scope.validation = judge(report)
	if !scope.validation.good {
		return stop(scope.validation.reason, scope.validation.message), nil
	}
	scope.plan(report)
	return proceed(), nil
}

// stage puts the samples on disk.
func (r *DatasetReconciler) stage(ctx context.Context, scope *datasetScope) (outcome, error) {
	staged, err := stage(ctx, scope.source, r.directory, r.limits)
	if errors.Is(err, source.ErrChanged) {
		return wait(time.Second, classifierv1alpha1.ReasonProgressing, "the source changed while it was read; reading it again"), nil
	}
	if err != nil {
		return scope.sourceMissing(err)
	}
	scope.staged = staged
	return proceed(), nil
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

func judge(report *dataset.Report) *finding {
	switch {
	case report.Invalid > 0:
		first := report.InvalidSamples[0]
		return &finding{
			reason: classifierv1alpha1.ReasonInvalidSamples,
			message: fmt.Sprintf("%d of %d samples are invalid; the first: line %d: %s (%s). Correct the source",
				report.Invalid, report.Invalid+report.Samples, first.Line, first.Detail, first.Reason),
		}
	case report.Problem != nil:
		return &finding{
			reason:  classifierv1alpha1.ReasonInvalidDataset,
			message: report.Problem.Error(),
		}
	}
	return &finding{
		good:    true,
		reason:  classifierv1alpha1.ReasonValid,
		message: fmt.Sprintf("all %d samples are valid", report.Samples),
	}
}

// describe puts into the status what the samples are.
func (s *datasetScope) describe(report *dataset.Report) {
	status := s.status
	status.Source = &classifierv1alpha1.SourceStatus{Revision: s.revision(), SizeBytes: report.SizeBytes}
	status.InputType = classifierv1alpha1.InputType(report.InputType)
	status.Samples = &classifierv1alpha1.SampleCounts{
		Total:   int64(report.Samples + report.Invalid),
		Invalid: int64(report.Invalid),
	}
	status.Targets = nil
	labels := 0
	for _, target := range report.Targets {
		status.Targets = append(status.Targets, describeTarget(target, maxStatusLabels/len(report.Targets)))
		labels += len(target.Labels)
	}
	status.LabelCount = new(count32(labels))
	status.InvalidSamples = nil
	for _, invalid := range report.InvalidSamples {
		status.InvalidSamples = append(status.InvalidSamples, classifierv1alpha1.InvalidSample{
			Line:   int64(invalid.Line),
			Reason: string(invalid.Reason),
		})
	}
}

func describeTarget(target dataset.Target, maxLabels int) classifierv1alpha1.TargetStatus {
	described := classifierv1alpha1.TargetStatus{
		Name:       target.Name,
		Type:       classifierv1alpha1.TargetType(target.Type),
		LabelCount: count32(len(target.Labels)),
	}
	for _, label := range target.Labels[:min(len(target.Labels), maxLabels)] {
		described.Labels = append(described.Labels, classifierv1alpha1.LabelStatus{
			Name:    label.Name,
			Samples: int64(label.Samples),
		})
	}
	return described
}

// count32 is a count as the API has it; none that the limits allow is cut.
func count32(count int) int32 { return int32(min(count, math.MaxInt32)) }

// plan puts into the status which files there shall be. A file without an ID is
// yet to be uploaded.
func (s *datasetScope) plan(report *dataset.Report) {
	planned := classifierv1alpha1.DatasetFile{
		Split:     classifierv1alpha1.SplitTrain,
		Name:      s.fileName(report.Digest),
		Digest:    "sha256:" + report.Digest,
		Samples:   int64(report.Samples),
		SizeBytes: report.SizeBytes,
	}
	// Even a file that is known is looked for again: the connection may be another one now.
	if !slices.ContainsFunc(s.status.Files, func(file classifierv1alpha1.DatasetFile) bool { return file.Digest == planned.Digest }) {
		s.archive()
	}
	s.status.Files = []classifierv1alpha1.DatasetFile{planned}
}

// archive moves the files that are uploaded into the history.
func (s *datasetScope) archive() {
	if !s.isUploaded() {
		return
	}
	train := s.status.Files[0]
	revision := classifierv1alpha1.DatasetRevision{Digest: train.Digest, UploadedAt: train.UploadedAt}
	for _, file := range s.status.Files {
		revision.FileIDs = append(revision.FileIDs, file.ID)
	}
	history := slices.Insert(s.status.History, 0, revision)
	s.status.History = history[:min(len(history), maxHistory)]
}
