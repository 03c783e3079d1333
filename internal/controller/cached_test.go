package controller

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestCacheHasOutlinesOfSettledObjects puts datasets with inline samples into the cache.
func TestCacheHasOutlinesOfSettledObjects(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason     string
		generation int64
		ready      metav1.ConditionStatus
		outline    bool
	}{
		{"it is uploaded", 1, metav1.ConditionTrue, true},
		{"it is under way", 1, metav1.ConditionFalse, false},
		{"its spec has changed", 2, metav1.ConditionTrue, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			data := &classifierv1alpha1.ClassifierDataset{ObjectMeta: metav1.ObjectMeta{Generation: test.generation}}
			data.Spec.Source.Inline = &classifierv1alpha1.InlineSource{Data: sentiments(1)}
			data.Status.Conditions = []metav1.Condition{{Type: classifierv1alpha1.ConditionReady, Status: test.ready, ObservedGeneration: 1}}
			cached, err := lighten(data.DeepCopy())
			if err != nil {
				t.Fatal(err)
			}
			if isOutline := cached.(*classifierv1alpha1.ClassifierDataset).Spec.Source.Inline == nil; isOutline != test.outline {
				t.Errorf("the cache has an outline: %t", isOutline)
			}
		})
	}
}

// TestOutlineTellsWhatIsAskedOfIt compares the answers of settled objects with those of
// their outlines.
func TestOutlineTellsWhatIsAskedOfIt(t *testing.T) {
	t.Parallel()
	settled := []metav1.Condition{
		{Type: classifierv1alpha1.ConditionValidated, Status: metav1.ConditionTrue, ObservedGeneration: 1},
		{Type: classifierv1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: "Tested", Message: "as it is", ObservedGeneration: 1},
		{Type: classifierv1alpha1.ConditionFinished, Status: metav1.ConditionTrue, ObservedGeneration: 1},
		{Type: classifierv1alpha1.ConditionInputsCurrent, Status: metav1.ConditionTrue, Message: "they are", ObservedGeneration: 1},
	}
	marks := marks{cluster: "cluster"}
	data := &classifierv1alpha1.ClassifierDataset{ObjectMeta: metav1.ObjectMeta{
		Name: "data", Namespace: "space", UID: "1", ResourceVersion: "7", Generation: 1,
		Annotations: map[string]string{classifierv1alpha1.ReconcileRequestAnnotation: "now"},
	}}
	data.Spec.Source.ConfigMaps = []classifierv1alpha1.ConfigMapSource{{Name: "texts", Key: "a"}}
	data.Status.Conditions = settled
	data.Status.Files = []classifierv1alpha1.DatasetFile{{
		Split: classifierv1alpha1.SplitTrain, ID: "id", Name: marks.filePrefix("1") + "digest.jsonl", Digest: "digest", InputSketch: "sketch",
	}}
	job := &classifierv1alpha1.ClassifierTrainingJob{ObjectMeta: *data.ObjectMeta.DeepCopy()}
	job.Spec.Training.Datasets = []classifierv1alpha1.TrainingDataset{{Name: "data"}}
	job.Spec.Training.ValidationDatasets = []classifierv1alpha1.DatasetReference{{Name: "other"}}
	job.Status.Conditions = settled
	job.Status.Attempt = &classifierv1alpha1.Attempt{Number: 2, Marker: marks.jobMarker("1", 2)}
	job.Status.RemoteJob = &classifierv1alpha1.RemoteJob{ID: "id", State: string(mistral.JobSuccess)}
	job.Status.Inputs = []classifierv1alpha1.PinnedInput{{Dataset: "data", Split: classifierv1alpha1.SplitTrain, Digest: "digest", FileID: "id"}}

	type answers struct {
		Settled, Ready, Owned, Pins, LacksFile bool
		RequestedAt, Version, NotReady, State  string
		Names, Digests                         []string
		Woken                                  int
	}
	ofDataset := func(data *classifierv1alpha1.ClassifierDataset) (a answers) {
		a.Settled, a.Ready, a.Owned = isSettled(data), isReady(data), marks.ownsFiles(data.UID, &data.Status)
		a.RequestedAt, a.Version, a.NotReady = requestedAt(data), data.ResourceVersion, notReady(data).message
		a.Names = configMapNames(data)
		for _, file := range data.Status.Files {
			a.Digests = append(a.Digests, string(file.Split), file.Digest, file.ID)
		}
		return a
	}
	ofJob := func(job *classifierv1alpha1.ClassifierTrainingJob) (a answers) {
		a.Settled, a.Pins, a.LacksFile = isSettled(job), pinsInputs(job), waitsForLostFile(job)
		a.Owned = marks.ownsAttempt(job.UID, job.Status.Attempt)
		a.RequestedAt, a.Version, a.State = requestedAt(job), job.ResourceVersion, stateLabel(job.Status.RemoteJob)
		a.Names, a.Woken = datasetNames(job), len(datasetsUnpinnedBy(t.Context(), job))
		for _, input := range job.Status.Inputs {
			a.Digests = append(a.Digests, input.Dataset, string(input.Split), input.Digest)
		}
		return a
	}
	if got, want := ofDataset(outlineOfDataset(data)), ofDataset(data); !equality.Semantic.DeepEqual(got, want) {
		t.Errorf("the outline of a dataset tells %+v, the whole %+v", got, want)
	}
	if got, want := ofJob(outlineOfJob(job)), ofJob(job); !equality.Semantic.DeepEqual(got, want) {
		t.Errorf("the outline of a job tells %+v, the whole %+v", got, want)
	}
	if got := outlineOfConditions(settled); !slices.Equal(got, settled[1:]) {
		t.Errorf("the conditions of an outline are %+v", got)
	}
}

// TestSettlingWakesNobody holds that an outline in place of a whole object is no news to
// the reconcilers, which made it one by their last write.
func TestSettlingWakesNobody(t *testing.T) {
	t.Parallel()
	annotations := map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}"}
	ready := []metav1.Condition{{Type: classifierv1alpha1.ConditionReady, Status: metav1.ConditionTrue}}
	for _, test := range []struct {
		before, after client.Object
		predicate     predicate.Predicate
	}{
		{
			&classifierv1alpha1.ClassifierDataset{ObjectMeta: metav1.ObjectMeta{Annotations: annotations}},
			&classifierv1alpha1.ClassifierDataset{
				ObjectMeta: metav1.ObjectMeta{Annotations: annotations},
				Status:     classifierv1alpha1.ClassifierDatasetStatus{Conditions: ready},
			},
			predicate.Or(changedByUser(), (&DatasetReconciler{}).statusRestored()),
		},
		{
			&classifierv1alpha1.ClassifierTrainingJob{ObjectMeta: metav1.ObjectMeta{Annotations: annotations}},
			&classifierv1alpha1.ClassifierTrainingJob{
				ObjectMeta: metav1.ObjectMeta{Annotations: annotations},
				Status:     classifierv1alpha1.ClassifierTrainingJobStatus{Conditions: ready},
			},
			predicate.Or(changedByUser(), (&TrainingJobReconciler{}).statusRestored()),
		},
	} {
		before, _ := lighten(test.before)
		after, _ := lighten(test.after)
		if test.predicate.Update(event.UpdateEvent{ObjectOld: before.(client.Object), ObjectNew: after.(client.Object)}) {
			t.Errorf("%T is looked at again when it is settled", test.after)
		}
	}
}

// TestWholeObjectHasNothingOfItsOutline reads an object from which something was taken
// since the cache heard of it.
func TestWholeObjectHasNothingOfItsOutline(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data := f.inlineDataset("data", sentiments(1))
	data.Spec.Suspend = new(true)
	f.Create(data)
	cached := data.DeepCopy()
	cached.Annotations = map[string]string{classifierv1alpha1.ReconcileRequestAnnotation: "taken away"}
	cached.Status.Conditions = []metav1.Condition{{Type: classifierv1alpha1.ConditionReady, Status: metav1.ConditionTrue, ObservedGeneration: data.Generation}}
	if err := readWhole(t.Context(), cluster.Admin, cached); err != nil {
		t.Fatal(err)
	}
	if cached.UID != data.UID || len(cached.Annotations) > 0 || isSettled(cached) {
		t.Errorf("it is %+v", cached)
	}
}
