package controller

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/samples"
)

// TestReportIsPublishedAndRemoved follows a report through its life: asked for after the
// upload, deleted by hand, under another name, and no longer asked for.
func TestReportIsPublishedAndRemoved(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := driven(d.inlineDataset("data", sentiments(20)))
	d.Create(data)
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	request := func(name string) {
		d.Edit(data, func() {
			data.Spec.Report = nil
			if name != "" {
				data.Spec.Report = &classifierv1alpha1.DatasetReportRequest{ConfigMapName: name}
			}
		})
		d.settle(data, classifierv1alpha1.ReasonUploaded)
	}
	request("report")
	configMap := &corev1.ConfigMap{}
	d.Get("report", configMap)
	var report struct {
		Examined int
		Samples  struct{ Total int }
		Targets  []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(configMap.Data[reportKey]), &report); err != nil || report.Examined != 20 || report.Samples.Total != 20 || len(report.Targets) != 1 {
		t.Errorf("%v: the report is %s", err, configMap.Data[reportKey])
	}
	if !metav1.IsControlledBy(configMap, data) {
		t.Errorf("it is owned by %+v", configMap.OwnerReferences)
	}
	assertReport(t, data, metav1.ConditionTrue, classifierv1alpha1.ReasonReportPublished)

	d.Delete(configMap)
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	d.Get("report", configMap)

	request("elsewhere")
	d.Get("elsewhere", configMap)
	request("")
	list := &corev1.ConfigMapList{}
	d.List(list)
	for _, left := range list.Items {
		if metav1.IsControlledBy(&left, data) {
			t.Errorf("%s is left", left.Name)
		}
	}
	if data.Status.Report == nil || data.Status.Report.ConfigMapName != "" || meta.FindStatusCondition(data.Status.Conditions, classifierv1alpha1.ConditionReportPublished) != nil {
		t.Errorf("the status is %+v", data.Status)
	}
}

// TestForeignConfigMapIsNotTouched has ConfigMaps in the way of a report.
func TestForeignConfigMapIsNotTouched(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, reason string }{
		{"other", "it is somebody else's"},
		{"source", "it is the dataset's own source"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			content := map[string]string{"data": sentiments(20)}
			configMap := d.configMap(test.name, content)
			if test.name != "source" {
				d.configMap("source", content)
			}
			data := d.dataset("data", "source", "data")
			data.Spec.Report = &classifierv1alpha1.DatasetReportRequest{ConfigMapName: test.name}
			data = driven(data)
			d.Create(data)
			d.settle(data, classifierv1alpha1.ReasonUploaded)
			assertReport(t, data, metav1.ConditionFalse, classifierv1alpha1.ReasonConfigMapConflict)
			d.Get(test.name, configMap)
			if len(configMap.Data) != 1 || len(configMap.OwnerReferences) > 0 {
				t.Errorf("%s, and it became %+v", test.reason, configMap)
			}
			d.Edit(data, func() { data.Spec.Report = nil })
			d.settle(data, classifierv1alpha1.ReasonUploaded)
			d.Get(test.name, configMap)
		})
	}
}

func assertReport(t *testing.T, data *classifierv1alpha1.ClassifierDataset, status metav1.ConditionStatus, reason string) {
	t.Helper()
	if condition := meta.FindStatusCondition(data.Status.Conditions, classifierv1alpha1.ConditionReportPublished); condition == nil || condition.Status != status || condition.Reason != reason {
		t.Errorf("the condition is %+v, want %s %s", condition, status, reason)
	}
}

// TestFullReportFitsAConfigMap fills every list with the longest names.
func TestFullReportFitsAConfigMap(t *testing.T) {
	long := strings.Repeat("x", 256)
	scope := longestReport(long, nil)
	encoded, err := samples.EncodeReport(scope.prepared, scope.status)
	if err != nil || len(encoded) > 1<<20-64<<10 {
		t.Errorf("it has %d bytes: %v", len(encoded), err)
	}
}

// longestReport has every list filled, with these names and targets.
func longestReport(name string, targets []dataset.Target) *datasetScope {
	scope := newDatasetScope(&classifierv1alpha1.ClassifierDataset{})
	position := dataset.Position{Part: name, Line: 1_000_000_000}
	found := dataset.Findings{Duplicates: 10_000_000, Contradictions: 10_000_000, TooLong: 10_000_000, Examined: 10_000_000, SuspectCount: 10_000_000,
		Bytes: dataset.Lengths{Min: 1 << 20, Median: 1 << 20, P95: 1 << 20, Max: 1 << 20}}
	found.Words, found.NearDuplicates.Splits = found.Bytes, map[dataset.Split]dataset.Repeats{}
	for _, split := range []dataset.Split{dataset.Train, dataset.Validation, dataset.Test} {
		found.NearDuplicates.Splits[split] = dataset.Repeats{Examined: 10_000_000, Same: 10_000_000, Near: 10_000_000}
	}
	scope.prepared = &dataset.Prepared{Findings: found, Targets: targets}
	for range 10 {
		scope.prepared.Report.InvalidSamples = append(scope.prepared.Report.InvalidSamples, dataset.InvalidSampleError{
			Part: name, Line: 1_000_000_000, Column: 1_000_000, Reason: "UnsupportedCompression", Detail: strings.Repeat(name, 2)})
	}
	for range 10_000 {
		scope.prepared.Findings.Suspects = append(scope.prepared.Findings.Suspects, dataset.LabelSuspect{Sample: position, Target: name, Given: name, Suggested: name, Confidence: 0.0123456789})
		scope.prepared.Findings.NearDuplicates.Pairs = append(scope.prepared.Findings.NearDuplicates.Pairs, dataset.SamplePair{Sample: position, Other: position, Split: dataset.Validation})
		scope.prepared.Warnings = append(scope.prepared.Warnings, dataset.Warning{Reason: "NearDuplicateSamples", Detail: name + name})
	}
	scope.status.Report = &classifierv1alpha1.DatasetReport{ConfigMapName: name[:253]}
	samples.Describe(scope.prepared, nil, scope.status)
	for i := range 48 {
		scope.status.Report.Invalid = append(scope.status.Report.Invalid, classifierv1alpha1.ReasonCount{Reason: fmt.Sprintf("UnsupportedCompression%d", i), Samples: 10_000_000})
	}
	return scope
}

// TestValidatingOnWhatIsTrainedOnIsSaid trains and validates on the same rows.
func TestValidatingOnWhatIsTrainedOnIsSaid(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	for i, name := range []string{"train", "same"} {
		data := driven(d.inlineDataset(name, sentiments(22-2*i)))
		d.Create(data)
		d.settle(data, classifierv1alpha1.ReasonUploaded)
	}
	job := d.trainingJob("job", "train")
	job.Spec.Training.ValidationDatasets = []classifierv1alpha1.DatasetReference{{Name: "same"}}
	job.Spec.Suspend = new(true)
	job = driven(job)
	told := ""
	d.Create(job)
	d.onStatusWrite(func(_ int64, write func() error) error {
		err := write()
		if told == "" && len(d.remoteJobs()) == 0 {
			written := &classifierv1alpha1.ClassifierTrainingJob{}
			d.Get("job", written)
			for _, condition := range written.Status.Conditions {
				if condition.Reason == classifierv1alpha1.ReasonDatasetsOverlap {
					told = condition.Message
				}
			}
		}
		return err
	})
	d.settle(job, classifierv1alpha1.ReasonSuspended)
	if !strings.Contains(told, "100 %") || !strings.Contains(told, "ClassifierDataset same") {
		t.Errorf("before the job was created this was said: %q", told)
	}
	condition := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionDatasetsReady)
	if condition == nil || condition.Reason != classifierv1alpha1.ReasonDatasetsOverlap || condition.Status != metav1.ConditionTrue {
		t.Errorf("after it was created the condition is %+v", condition)
	}
}
