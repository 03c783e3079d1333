package controller

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

const (
	// maxLabelBytes is how much of a status its labels may take, over all targets.
	// With everything else at its longest the status stays under 64 KiB.
	maxLabelBytes = 18 << 10
	// labelOverhead is what a label weighs beside its name.
	labelOverhead = len(`{"name":"","samples":10000000,"train":10000000,"validation":10000000,"test":10000000},`)
	// What the API allows. Flags may allow more, of which the status lists what fits.
	maxTargets      = 20
	maxTargetLabels = 256
	maxNameBytes    = 256
	// maxPartBytes and maxDetailBytes are less than that: a status has ten invalid samples.
	maxPartBytes   = 128
	maxDetailBytes = 192
	// maxHistory is what the API allows. More pile up only while files cannot be
	// deleted; those that are forgotten go with the dataset, which finds them by name.
	maxHistory = 64
)

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
	samples := dataset.NewPartsReader(countedParts{content, &read}, datasetOptions(&scope.object.Spec), scope.room, r.limits)
	defer func() { _ = samples.Close() }()
	stop := r.reportProgress(ctx, scope, scope.preparing(&read))
	prepared, err := dataset.Prepare(ctx, samples, preparationOf(scope.object.Spec.Preparation), scope.room, r.limits)
	stop()
	if err != nil {
		return r.unread(scope, err)
	}
	scope.prepared, scope.sourceBytes = prepared, samples.SizeBytes()
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
	report := &prepared.Report
	switch {
	case report.Problem != nil && report.Problem.Reason == dataset.TooManyInvalid:
		first := report.InvalidSamples[0]
		return &finding{
			reason: classifierv1alpha1.ReasonInvalidSamples,
			message: fmt.Sprintf("%s; the first: %s%s (%s). Correct the source",
				report.Problem.Detail, first.Place(), first.Detail, first.Reason),
		}
	case report.Problem != nil:
		return &finding{
			reason:  classifierv1alpha1.ReasonInvalidDataset,
			message: report.Problem.Error(),
		}
	}
	message := fmt.Sprintf("%d samples are valid, %d are skipped as invalid", report.Samples, report.Invalid)
	if len(prepared.Warnings) == 0 {
		return &finding{good: true, reason: classifierv1alpha1.ReasonValid, message: message}
	}
	return &finding{
		good:    true,
		reason:  classifierv1alpha1.ReasonValidWithWarnings,
		message: fmt.Sprintf("%s; status.warnings says more: %s", message, strings.Join(warningReasons(prepared.Warnings), ", ")),
	}
}

// warningReasons names each reason once.
func warningReasons(warnings []dataset.Warning) (reasons []string) {
	for _, warning := range warnings {
		if reason := string(warning.Reason); !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

// describe puts into the status what the samples are.
func (s *datasetScope) describe() {
	status, report := s.status, &s.prepared.Report
	status.Source = &classifierv1alpha1.SourceStatus{Revision: s.revision(), SizeBytes: s.sourceBytes}
	status.InputType = classifierv1alpha1.InputType(report.InputType)
	status.Samples = &classifierv1alpha1.SampleCounts{
		Total:     int64(report.Samples + report.Invalid),
		Invalid:   int64(report.Invalid),
		Duplicate: int64(s.prepared.Duplicates),
		Dropped:   int64(s.prepared.Dropped),
	}
	targets := s.prepared.Targets
	if report.Problem != nil {
		targets = report.Targets
	}
	status.Targets = nil
	labels := 0
	for _, target := range targets {
		labels += len(target.Labels)
		if len(status.Targets) < maxTargets && len(target.Name) <= maxNameBytes {
			status.Targets = append(status.Targets, describeTarget(target, maxLabelBytes/len(targets)))
		}
	}
	s.describeSplit()
	status.LabelCount = new(count32(labels))
	status.InvalidSamples = nil
	for _, invalid := range report.InvalidSamples {
		status.InvalidSamples = append(status.InvalidSamples, classifierv1alpha1.InvalidSample{
			Part:   cutStart(invalid.Part, maxPartBytes),
			Line:   int64(invalid.Line),
			Column: int64(invalid.Column),
			Reason: string(invalid.Reason),
			Detail: cut(invalid.Detail, maxDetailBytes),
		})
	}
	status.Warnings = describeWarnings(s.prepared.Warnings)
	s.describeReport()
}

// describeTarget lists the target's labels as far as there is room for them.
func describeTarget(target dataset.Target, room int) classifierv1alpha1.TargetStatus {
	described := classifierv1alpha1.TargetStatus{
		Name:       target.Name,
		Type:       classifierv1alpha1.TargetType(target.Type),
		LabelCount: count32(len(target.Labels)),
	}
	for _, label := range target.Labels {
		if len(label.Name) > maxNameBytes {
			continue
		}
		if room -= len(label.Name) + labelOverhead; room < 0 || len(described.Labels) == maxTargetLabels {
			break
		}
		described.Labels = append(described.Labels, classifierv1alpha1.LabelStatus{
			Name:    label.Name,
			Samples: int64(label.Samples),
		})
	}
	return described
}

// describeSplit says of the labels how many of their samples are in which of the files
// that the spec asks for.
func (s *datasetScope) describeSplit() {
	split := s.object.Spec.Preparation.Split
	if split == nil || s.prepared.Report.Problem != nil {
		return
	}
	counts := map[classifierv1alpha1.Split]map[[2]string]int64{}
	for _, file := range s.prepared.Files {
		counts[classifierv1alpha1.Split(file.Split)] = countsOf(file.Targets)
	}
	for i := range s.status.Targets {
		target := &s.status.Targets[i]
		for j := range target.Labels {
			label := &target.Labels[j]
			name := [2]string{target.Name, label.Name}
			label.Train = new(counts[classifierv1alpha1.SplitTrain][name])
			if intOr0(split.ValidationPercent) > 0 {
				label.Validation = new(counts[classifierv1alpha1.SplitValidation][name])
			}
			if intOr0(split.TestPercent) > 0 {
				label.Test = new(counts[classifierv1alpha1.SplitTest][name])
			}
		}
	}
}

// countsOf are the samples of labels, by the names of target and label.
func countsOf(targets []dataset.Target) map[[2]string]int64 {
	counts := map[[2]string]int64{}
	for _, target := range targets {
		for _, label := range target.Labels {
			counts[[2]string{target.Name, label.Name}] = int64(label.Samples)
		}
	}
	return counts
}

// count32 is a count as the API has it; none that the limits allow is cut.
func count32(count int) int32 {
	if count < 0 || count > math.MaxInt32 {
		return math.MaxInt32
	}
	return int32(count)
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
