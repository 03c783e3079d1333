package samples

import (
	"encoding/json"
	"fmt"
	"strings"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
)

const (
	// What the API allows of warnings, and what they may take of a status together.
	maxWarnings        = 32
	maxWarningBytes    = 512
	maxAllWarningBytes = 4 << 10
	// maxReasons is what the API allows, and more than there are.
	maxReasons = 48
	// maxSuspects and what is left of their names keep the report under 8 KiB.
	maxSuspects         = 8
	maxSuspectNameBytes = 64
	// maxReportListBytes is for each list of the full report: with all that a status has
	// it stays far below the 1 MiB of a ConfigMap.
	maxReportListBytes = 256 << 10
)

// describeWarnings tells the warnings as far as there is room for them.
func describeWarnings(warnings []dataset.Warning) (described []classifierv1alpha1.DatasetWarning) {
	room := maxAllWarningBytes
	for i, warning := range warnings {
		message := Cut(warning.Detail, maxWarningBytes)
		if room -= len(message); room < 0 || len(described) == maxWarnings-1 && i < len(warnings)-1 {
			return append(described, classifierv1alpha1.DatasetWarning{
				Reason:  "MoreWarnings",
				Message: fmt.Sprintf("there are %d more; spec.report has them written to a ConfigMap", len(warnings)-i),
			})
		}
		described = append(described, classifierv1alpha1.DatasetWarning{Reason: string(warning.Reason), Message: message})
	}
	return described
}

// describeReport puts into the status what is to be known of the samples.
func describeReport(prepared *dataset.Prepared, status *classifierv1alpha1.ClassifierDatasetStatus) {
	found := &prepared.Findings
	report := &classifierv1alpha1.DatasetReport{
		Invalid:       describeReasons(prepared.Report.Reasons()),
		Duplicate:     int64(found.Duplicates),
		Contradicting: int64(found.Contradictions),
		Bytes:         describeLengths(found.Bytes),
		Words:         describeLengths(found.Words),
		TooLong:       int64(found.TooLong),
		Examined:      int64(found.Examined),
		SuspectLabels: int64(found.SuspectCount),
	}
	for _, split := range []dataset.Split{dataset.Train, dataset.Validation, dataset.Test} {
		if repeats, ok := found.NearDuplicates.Splits[split]; ok {
			report.Repeats = append(report.Repeats, classifierv1alpha1.RepeatCount{
				Split:    classifierv1alpha1.Split(split),
				Examined: int64(repeats.Examined),
				Same:     int64(repeats.Same),
				Near:     int64(repeats.Near),
			})
		}
	}
	for _, suspect := range found.Suspects[:min(len(found.Suspects), maxSuspects)] {
		report.Suspects = append(report.Suspects, classifierv1alpha1.LabelSuspect{
			Part:      cutStart(suspect.Sample.Part, maxPartBytes),
			Line:      int64(suspect.Sample.Line),
			Target:    Cut(suspect.Target, maxSuspectNameBytes),
			Given:     Cut(suspect.Given, maxSuspectNameBytes),
			Suggested: Cut(suspect.Suggested, maxSuspectNameBytes),
		})
	}
	if earlier := status.Report; earlier != nil {
		report.ConfigMapName = earlier.ConfigMapName
	}
	status.Report = report
}

func describeReasons(counts []dataset.ReasonCount) (described []classifierv1alpha1.ReasonCount) {
	for _, count := range counts[:min(len(counts), maxReasons)] {
		described = append(described, classifierv1alpha1.ReasonCount{Reason: string(count.Reason), Samples: int64(count.Samples)})
	}
	return described
}

// describeLengths leaves out the lengths of nothing.
func describeLengths(lengths dataset.Lengths) *classifierv1alpha1.LengthSummary {
	if lengths.Max == 0 {
		return nil
	}
	return &classifierv1alpha1.LengthSummary{
		Min:    int64(lengths.Min),
		Median: int64(lengths.Median),
		P95:    int64(lengths.P95),
		Max:    int64(lengths.Max),
	}
}

// fullReport is what report.json has.
type fullReport struct {
	*classifierv1alpha1.DatasetReport

	Samples  *classifierv1alpha1.SampleCounts   `json:"samples"`
	Warnings []dataset.Warning                  `json:"warnings"`
	Pairs    []samplePair                       `json:"repeatedSamples"`
	Suspects []labelSuspect                     `json:"suspects"`
	Targets  []classifierv1alpha1.TargetStatus  `json:"targets"`
	Rejected []classifierv1alpha1.InvalidSample `json:"invalidSamples"`
}

// samplePair is a sample of a file, and one of Train that it repeats.
type samplePair struct {
	Split  dataset.Split `json:"split"`
	Part   string        `json:"part,omitempty"`
	Line   int           `json:"line"`
	OfPart string        `json:"ofPart,omitempty"`
	OfLine int           `json:"ofLine"`
	Same   bool          `json:"same"`
}

// labelSuspect is a sample whose label those of similar samples speak against.
type labelSuspect struct {
	Part       string  `json:"part,omitempty"`
	Line       int     `json:"line"`
	Target     string  `json:"target"`
	Given      string  `json:"given"`
	Suggested  string  `json:"suggested"`
	Confidence float64 `json:"confidence"`
}

// EncodeReport makes report.json, in which the lists of the status that Describe has
// written go on as far as there is room.
func EncodeReport(prepared *dataset.Prepared, status *classifierv1alpha1.ClassifierDatasetStatus) ([]byte, error) {
	found := &prepared.Findings
	essence := status.Report.DeepCopy()
	essence.ConfigMapName = ""
	full := fullReport{
		DatasetReport: essence,
		Samples:       status.Samples,
		Targets:       status.Targets,
		Rejected:      status.InvalidSamples,
	}
	room := listRoom(maxReportListBytes)
	for _, warning := range prepared.Warnings {
		if room.takes(len(warning.Reason) + len(warning.Detail)) {
			full.Warnings = append(full.Warnings, warning)
		}
	}
	room = maxReportListBytes
	for _, pair := range found.NearDuplicates.Pairs {
		if room.takes(len(pair.Sample.Part) + len(pair.Other.Part)) {
			full.Pairs = append(full.Pairs, samplePair{Split: pair.Split, Part: pair.Sample.Part, Line: pair.Sample.Line, OfPart: pair.Other.Part, OfLine: pair.Other.Line, Same: pair.Same})
		}
	}
	room = maxReportListBytes
	for _, suspect := range found.Suspects {
		if room.takes(len(suspect.Sample.Part) + len(suspect.Target) + len(suspect.Given) + len(suspect.Suggested)) {
			full.Suspects = append(full.Suspects, labelSuspect{Part: suspect.Sample.Part, Line: suspect.Sample.Line,
				Target: suspect.Target, Given: suspect.Given, Suggested: suspect.Suggested, Confidence: suspect.Confidence})
		}
	}
	return json.MarshalIndent(full, "", " ")
}

// listRoom is how many bytes a list may yet have.
type listRoom int

// entryOverhead is what an entry of a list weighs beside its names.
const entryOverhead = 160

func (r *listRoom) takes(size int) bool {
	*r -= listRoom(size + entryOverhead)
	return *r >= 0
}

// cutStart cuts the start of a text that is too long: names differ at their end.
func cutStart(text string, length int) string {
	return strings.ToValidUTF8(text[max(0, len(text)-length):], "")
}
