package controller

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

func TestFilesAreUsedAsTheirSplitsSay(t *testing.T) {
	const train, validation, test = classifierv1alpha1.SplitTrain, classifierv1alpha1.SplitValidation, classifierv1alpha1.SplitTest
	datasets := map[string][]classifierv1alpha1.Split{
		"whole":     {train},
		"halves":    {train, validation},
		"split":     {train, validation, test},
		"untouched": {train, test},
	}
	for _, use := range []struct {
		training, validation []string
		want                 string
		reason               string
	}{
		{[]string{"whole"}, nil, "[whole/Train as Train]", "a dataset that is not split is trained on"},
		{[]string{"halves"}, nil, "[halves/Train as Train halves/Validation as Validation]", "its own Validation file is used when no other is named"},
		{[]string{"split"}, nil, "[split/Train as Train split/Validation as Validation]", "Test files are kept from the training"},
		{[]string{"untouched"}, nil, "[untouched/Train as Train]", "Test files are kept from the training"},
		{[]string{"whole", "halves"}, nil, "[whole/Train as Train halves/Train as Train halves/Validation as Validation]", "in the order of the spec"},
		{[]string{"halves"}, []string{"whole"}, "[halves/Train as Train whole/Train as Validation]", "named ones take the place of the own one"},
		{[]string{"whole"}, []string{"split"}, "[whole/Train as Train split/Validation as Validation]", "of a split dataset only the Validation file is for validation"},
		{[]string{"whole"}, []string{"untouched"}, "[whole/Train as Train]", "and none if it has none: its Train file was not made for that"},
	} {
		training := classifierv1alpha1.Training{}
		for _, name := range use.training {
			training.Datasets = append(training.Datasets, classifierv1alpha1.TrainingDataset{Name: name})
		}
		for _, name := range use.validation {
			training.ValidationDatasets = append(training.ValidationDatasets, classifierv1alpha1.DatasetReference{Name: name})
		}
		got := []string{}
		for _, wanted := range wantedInputs(training) {
			var files []classifierv1alpha1.DatasetFile
			for _, split := range datasets[wanted.dataset] {
				files = append(files, classifierv1alpha1.DatasetFile{Split: split, ID: string(split), Digest: "digest of " + string(split)})
			}
			for _, input := range wanted.pin(files) {
				if input.Digest != "digest of "+input.FileID {
					t.Errorf("the digest %q is pinned for the file %s", input.Digest, input.FileID)
				}
				got = append(got, fmt.Sprintf("%s/%s as %s", input.Dataset, input.FileID, input.Split))
			}
		}
		if fmt.Sprint(got) != use.want {
			t.Errorf("got %v, want %s: %s", got, use.want, use.reason)
		}
	}
}

// TestChangedDatasetIsSaidAndTouchesNoRun edits the data of jobs that were
// submitted: they keep what they were submitted with, and say so.
func TestChangedDatasetIsSaidAndTouchesNoRun(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data := f.inlineDataset("data", sentiments(20))
	f.Create(data)
	finished, waiting := f.trainingJob("finished", "data"), f.trainingJob("waiting", "data")
	waiting.Spec.Suspend = new(true)
	f.Create(finished)
	f.Create(waiting)
	f.waitUntilReady(finished)
	f.waitFor(waiting, classifierv1alpha1.ConditionReady, metav1.ConditionFalse, classifierv1alpha1.ReasonSuspended)
	for _, job := range []*classifierv1alpha1.ClassifierTrainingJob{finished, waiting} {
		f.waitFor(job, classifierv1alpha1.ConditionInputsCurrent, metav1.ConditionTrue, classifierv1alpha1.ReasonInputsCurrent)
	}
	pinned := finished.Status.Inputs

	f.Edit(data, func() { data.Spec.Source.Inline.Data = sentiments(24) })
	for _, job := range []*classifierv1alpha1.ClassifierTrainingJob{finished, waiting} {
		f.waitFor(job, classifierv1alpha1.ConditionInputsCurrent, metav1.ConditionFalse, classifierv1alpha1.ReasonDatasetChanged)
		if !equality.Semantic.DeepEqual(job.Status.Inputs, pinned) {
			t.Errorf("%s has other inputs now: %+v", job.Name, job.Status.Inputs)
		}
	}
	f.waitUntilReady(finished)

	f.Edit(data, func() { data.Spec.Source.Inline.Data = sentiments(20) })
	f.waitFor(finished, classifierv1alpha1.ConditionInputsCurrent, metav1.ConditionTrue, classifierv1alpha1.ReasonInputsCurrent)
}

// TestDeletedDatasetIsSaid holds that a dataset which is gone is not taken for one
// that stayed the same.
func TestDeletedDatasetIsSaid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	job := f.trainingJob("job", "gone")
	job.Status.Attempt = &classifierv1alpha1.Attempt{Number: 1}
	reader := fake.NewClientBuilder().WithScheme(cluster.Scheme).WithObjects(job).
		WithIndex(job, datasetIndex, datasetNames).Build()
	reconciler := &TrainingJobReconciler{client: reader, live: reader}
	found, err := reconciler.compareInputs(t.Context(), job)
	if err != nil || found == nil || found.good || found.reason != classifierv1alpha1.ReasonDatasetChanged {
		t.Errorf("found %+v: %v", found, err)
	}
	gone := f.inlineDataset("gone", "")
	if woken := reconciler.jobsOfDataset(t.Context(), gone); len(woken) != 1 {
		t.Errorf("these are woken: %v", woken)
	}
	told := conditions{list: &job.Status.Conditions, now: metav1.Now()}
	told.setFinding(classifierv1alpha1.ConditionInputsCurrent, found)
	if err := reader.Update(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if woken := reconciler.jobsOfDataset(t.Context(), gone); len(woken) != 0 {
		t.Errorf("what is said already wakes %v", woken)
	}
}

// TestDatasetThatTheCacheLacksIsNotSaidToBeDeleted asks in an operator that has just
// started, whose cache has no settled dataset yet.
func TestDatasetThatTheCacheLacksIsNotSaidToBeDeleted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	job := f.trainingJob("job", "data")
	empty := fake.NewClientBuilder().WithScheme(cluster.Scheme).Build()
	live := fake.NewClientBuilder().WithScheme(cluster.Scheme).WithObjects(f.inlineDataset("data", "")).Build()
	reconciler := &TrainingJobReconciler{client: empty, live: live}
	if found, err := reconciler.compareInputs(t.Context(), job); found != nil || err != nil {
		t.Errorf("found %+v: %v", found, err)
	}
}
