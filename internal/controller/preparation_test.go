package controller

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestSplitDatasetIsTrainedAndValidatedOn goes from one source to a model that
// was steered by its validation split, and never saw its test split.
func TestSplitDatasetIsTrainedAndValidatedOn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.configMap("intents", map[string]string{"data": quickstart(t, "intents-train.jsonl")})
	dataset := f.dataset("intents", "intents", "data")
	dataset.Spec.Preparation.Split = &classifierv1alpha1.DatasetSplit{ValidationPercent: new(int32(15)), TestPercent: new(int32(10))}
	f.Create(dataset)
	job := f.trainingJob("intents", "intents")
	f.Create(job)
	f.waitUntilReady(job)

	f.Get("intents", dataset)
	samples, fileIDs := int64(0), map[classifierv1alpha1.Split]string{}
	for _, file := range dataset.Status.Files {
		samples += file.Samples
		fileIDs[file.Split] = file.ID
	}
	if samples != 420 || len(fileIDs) != 3 {
		t.Errorf("420 samples were split into %+v", dataset.Status.Files)
	}
	for _, label := range dataset.Status.Targets[0].Labels {
		if *label.Train+*label.Validation+*label.Test != label.Samples {
			t.Errorf("of %d samples of %s %d, %d and %d are in a file", label.Samples, label.Name, *label.Train, *label.Validation, *label.Test)
		}
	}
	remote := f.remoteJobs()[0]
	if got, want := fmt.Sprint(remote.TrainingFiles, remote.ValidationFiles), fmt.Sprintf("[%s] [%s]", fileIDs["Train"], fileIDs["Validation"]); got != want {
		t.Errorf("the job reads %s, want %s", got, want)
	}
}

// TestRareLabelDoesNotBreakTraining has a label whose only sample the split sets aside
// for validation. A factory would refuse to validate on what it was not taught.
func TestRareLabelDoesNotBreakTraining(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data := f.inlineDataset("data", sentiments(60)+`{"text": "c", "labels": {"sentiment": "rare"}}`)
	data.Spec.Preparation.Split = &classifierv1alpha1.DatasetSplit{ValidationPercent: new(int32(50))}
	data.Spec.Preparation.Seed = new(int64(7))
	f.Create(data)
	job := f.trainingJob("job", "data")
	f.Create(job)
	f.waitUntilReady(job)
	f.Get("data", data)
	if got := data.Status; got.Samples.Dropped != 1 || len(got.Files) != 2 || got.Files[0].Samples+got.Files[1].Samples != 60 {
		t.Errorf("the samples are %+v in %+v", got.Samples, got.Files)
	}
}

// TestStratifiedSplitTrainsTheRarest keeps the only sample of a label for the training.
func TestStratifiedSplitTrainsTheRarest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data := f.inlineDataset("data", sentiments(60)+`{"text": "c", "labels": {"sentiment": "rare"}}`)
	data.Spec.Preparation.Split = &classifierv1alpha1.DatasetSplit{Method: classifierv1alpha1.SplitStratified, ValidationPercent: new(int32(50))}
	data.Spec.Preparation.Seed = new(int64(7))
	f.Create(data)
	f.waitUntilReady(data)
	labels := map[string]string{}
	for _, label := range data.Status.Targets[0].Labels {
		labels[label.Name] = fmt.Sprint(label.Samples, *label.Train, *label.Validation)
	}
	if got := data.Status; got.Samples.Dropped != 0 || labels["rare"] != "1 1 0" || got.Files[0].Samples+got.Files[1].Samples != 61 {
		t.Errorf("the samples are %+v in %+v, the labels %v", got.Samples, got.Files, labels)
	}
}

func TestCompressedCSVIsADataset(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var rows strings.Builder
	rows.WriteString("utterance,intent,tags\r\n")
	for i := range 20 {
		fmt.Fprintf(&rows, "\"Well, where is\nparcel %d?\",%s,%s\r\n", i, []string{"track", "cancel"}[i%2], []string{"a|b", "b"}[i%2])
	}
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	if _, err := writer.Write([]byte(rows.String())); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	f.Create(&corev1.ConfigMap{
		ObjectMeta: f.ObjectMeta("csv"),
		BinaryData: map[string][]byte{"data.csv.gz": compressed.Bytes()},
	})
	// The same part twice: each is decompressed, and its header left out, by itself.
	dataset := f.dataset("csv", "csv", "data.csv.gz", "data.csv.gz")
	dataset.Spec.Preparation.Duplicates = classifierv1alpha1.DuplicatesDrop
	dataset.Spec.CSV = &classifierv1alpha1.CSVOptions{
		TextColumn: "utterance",
		LabelColumns: []classifierv1alpha1.CSVLabelColumn{
			{Column: "intent"},
			{Column: "tags", Target: "tag", Separator: "|"},
		},
	}
	f.Create(dataset)
	f.waitUntilReady(dataset)
	status := dataset.Status
	if status.Samples.Total != 40 || status.Samples.Duplicate != 20 || status.Files[0].Samples != 20 || len(status.Targets) != 2 {
		t.Errorf("20 rows twice became %+v and %+v", status.Samples, status.Files)
	}
}

func TestInvalidSamplesAreSkippedUpToTheCeiling(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	configMap := f.configMap("noisy", map[string]string{"data": sentiments(19) + "not JSON\n"})
	dataset := f.dataset("noisy", "noisy", "data")
	dataset.Spec.Preparation.InvalidSamples = classifierv1alpha1.InvalidSamplesSkip
	dataset.Spec.Preparation.MaxInvalidPercent = new(int32(5))
	f.Create(dataset)
	f.waitUntilReady(dataset)
	if got := dataset.Status; got.Samples.Invalid != 1 || got.Files[0].Samples != 19 || got.InvalidSamples[0].Line != 20 {
		t.Errorf("one bad row of twenty gave %+v, %+v and %+v", got.Samples, got.Files, got.InvalidSamples)
	}
	f.Edit(configMap, func() { configMap.Data["data"] += "nor is this\n" })
	f.waitFor(dataset, classifierv1alpha1.ConditionValidated, metav1.ConditionFalse, classifierv1alpha1.ReasonInvalidSamples)
}

func TestDoubtfulSamplesAreWarnedOf(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	dataset := f.inlineDataset("doubtful", sentiments(40)+strings.ReplaceAll(sentiments(1), "positive", "positiv")+"no JSON\n")
	dataset.Spec.Preparation.InvalidSamples = classifierv1alpha1.InvalidSamplesSkip
	f.Create(dataset)
	condition := f.waitFor(dataset, classifierv1alpha1.ConditionValidated, metav1.ConditionTrue, classifierv1alpha1.ReasonValidWithWarnings)
	for _, want := range []string{"41 samples are valid, 1 are skipped", "SimilarLabels"} {
		if !strings.Contains(condition.Message, want) {
			t.Errorf("the message does not say %q: %s", want, condition.Message)
		}
	}
	if told := fmt.Sprint(dataset.Status.Warnings); !strings.Contains(told, `"positiv"`) {
		t.Errorf("no warning names the misspelt label: %s", told)
	}
	report := dataset.Status.Report
	if report == nil || len(report.Invalid) != 1 || report.Invalid[0].Samples != 1 || report.Contradicting != 1 || report.Examined != 41 || report.Bytes.Max == 0 {
		t.Errorf("the report is %+v", report)
	}
	f.waitUntilReady(dataset)
}
