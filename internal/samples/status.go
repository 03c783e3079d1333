package samples

import (
	"math"
	"strings"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
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
)

// Describe puts into the status what the samples are. Split is what the spec asks for.
func Describe(prepared *dataset.Prepared, split *classifierv1alpha1.DatasetSplit, status *classifierv1alpha1.ClassifierDatasetStatus) {
	report := &prepared.Report
	status.InputType = classifierv1alpha1.InputType(report.InputType)
	status.Samples = &classifierv1alpha1.SampleCounts{
		Total:     int64(report.Samples + report.Invalid),
		Invalid:   int64(report.Invalid),
		Duplicate: int64(prepared.Duplicates),
		Dropped:   int64(prepared.Dropped),
		Filtered:  int64(report.Filtered),
	}
	targets := prepared.Targets
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
	describeSplit(prepared, split, status.Targets)
	status.LabelCount = new(count32(labels))
	status.InvalidSamples = nil
	for _, invalid := range report.InvalidSamples {
		status.InvalidSamples = append(status.InvalidSamples, classifierv1alpha1.InvalidSample{
			Part:   cutStart(invalid.Part, maxPartBytes),
			Line:   int64(invalid.Line),
			Column: int64(invalid.Column),
			Reason: string(invalid.Reason),
			Detail: Cut(invalid.Detail, maxDetailBytes),
		})
	}
	status.Warnings = describeWarnings(prepared.Warnings)
	describeReport(prepared, status)
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
func describeSplit(prepared *dataset.Prepared, split *classifierv1alpha1.DatasetSplit, described []classifierv1alpha1.TargetStatus) {
	if split == nil || prepared.Report.Problem != nil {
		return
	}
	counts := map[classifierv1alpha1.Split]map[[2]string]int64{}
	for _, file := range prepared.Files {
		counts[classifierv1alpha1.Split(file.Split)] = countsOf(file.Targets)
	}
	for i := range described {
		target := &described[i]
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

// Cut shortens a text without splitting a character, which the API server would
// replace, so that the status never were what was written.
func Cut(text string, length int) string {
	return strings.ToValidUTF8(text[:min(len(text), length)], "")
}
