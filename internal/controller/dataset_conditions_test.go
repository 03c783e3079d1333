package controller

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestSuspendedDatasetIsReadyForWhatItHas holds that Ready speaks of the spec as
// it is: of what was uploaded for an earlier one nobody asked to train.
func TestSuspendedDatasetIsReadyForWhatItHas(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		edit  func(*classifierv1alpha1.ClassifierDatasetSpec)
		ready bool
	}{
		{"suspended", func(*classifierv1alpha1.ClassifierDatasetSpec) {}, true},
		{"suspended and given other limits", func(spec *classifierv1alpha1.ClassifierDatasetSpec) { spec.RevisionHistoryLimit = new(int32(7)) }, true},
		{"suspended and given other samples", func(spec *classifierv1alpha1.ClassifierDatasetSpec) { spec.Source.Inline.Data = sentiments(22) }, false},
		{"suspended and given another format", func(spec *classifierv1alpha1.ClassifierDatasetSpec) {
			spec.Format = classifierv1alpha1.FormatJSONL
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			data := d.inlineDataset("data", sentiments(20))
			d.ready(data)
			job := driven(d.trainingJob("job", "data"))
			d.Create(job)
			d.Edit(data, func() { data.Spec.Suspend = new(true); test.edit(&data.Spec) })
			if _, err := d.pass(data); err != nil {
				t.Fatal(err)
			}
			d.Get("data", data)
			if got := isReady(data); got != test.ready {
				t.Errorf("Ready is %t: %+v", got, data.Status.Conditions)
			}
			if _, err := d.pass(job); err != nil {
				t.Fatal(err)
			}
			d.Get("job", job)
			if got := len(d.remoteJobs()) == 1; got != test.ready || pinsInputs(job) != test.ready {
				t.Errorf("the job took the dataset: %t; its conditions are %+v", got, job.Status.Conditions)
			}
		})
	}
}

// TestInvalidContentDoesNotPassForUploaded spoils a dataset that was uploaded.
// What it has at the factory stays, for jobs may read it and the content come back.
func TestInvalidContentDoesNotPassForUploaded(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := d.inlineDataset("data", sentiments(20))
	data.Spec.RevisionHistoryLimit = new(int32(0))
	d.ready(data)
	file := data.Status.Files[0]
	d.Edit(data, func() { data.Spec.Source.Inline.Data = "{}" })
	d.settle(data, classifierv1alpha1.ReasonInvalidSamples)
	for _, kind := range []string{classifierv1alpha1.ConditionValidated, classifierv1alpha1.ConditionUploaded} {
		if condition := meta.FindStatusCondition(data.Status.Conditions, kind); condition == nil || condition.Status != metav1.ConditionFalse ||
			condition.Reason != classifierv1alpha1.ReasonInvalidSamples || condition.ObservedGeneration != data.Generation {
			t.Errorf("%s is %+v", kind, condition)
		}
	}
	if files := d.remoteFiles(); len(files) != 1 || files[0].ID != file.ID {
		t.Errorf("the factory has %+v", files)
	}
	d.Edit(data, func() { data.Spec.Source.Inline.Data = sentiments(20) })
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	if files := d.remoteFiles(); len(files) != 1 || data.Status.Files[0].ID != file.ID {
		t.Errorf("what is there was uploaded again: %+v", files)
	}
}
