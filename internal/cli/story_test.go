package cli

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

type conditions []metav1.Condition

func (c *conditions) set(kind string, status metav1.ConditionStatus, reason string) *conditions {
	*c = append(*c, metav1.Condition{Type: kind, Status: status, Reason: reason, Message: "message of " + reason})
	return c
}

func uploaded(name string) classifierv1alpha1.ClassifierDataset {
	dataset := classifierv1alpha1.ClassifierDataset{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name}}
	list := new(conditions).set("SourceReady", "True", "SourceReady").set("Validated", "True", "Valid").set("Uploaded", "True", "Uploaded").set("Ready", "True", "Uploaded")
	dataset.Status.Conditions = *list
	return dataset
}

func jobOn(datasets ...string) *classifierv1alpha1.ClassifierTrainingJob {
	job := &classifierv1alpha1.ClassifierTrainingJob{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "mail"}}
	for _, name := range datasets {
		job.Spec.Training.Datasets = append(job.Spec.Training.Datasets, classifierv1alpha1.TrainingDataset{Name: name})
	}
	return job
}

// TestStoryStopsWhereTheObjectDoes holds at which step a story says that it does not go on.
func TestStoryStopsWhereTheObjectDoes(t *testing.T) {
	broken := uploaded("b")
	broken.Status.Conditions = *new(conditions).set("SourceReady", "False", "SourceNotFound").set("Ready", "False", "SourceNotFound")
	useless := uploaded("a")
	useless.Status.Conditions = *new(conditions).set("SourceReady", "True", "SourceReady").set("Validated", "False", "InvalidDataset").
		set("Uploaded", "False", "InvalidDataset").set("Ready", "False", "InvalidDataset")
	waiting := new(conditions).set("DatasetsReady", "False", "DatasetNotReady").set("Ready", "False", "DatasetNotReady")
	submitted := func() *conditions {
		return new(conditions).set("DatasetsReady", "True", "DatasetsReady").set("Submitted", "True", "Submitted")
	}
	trained := func() *conditions {
		return submitted().set("Started", "True", "Started").set("Complete", "True", "Succeeded")
	}
	for _, test := range []struct {
		reason   string
		list     *conditions
		datasets []classifierv1alpha1.ClassifierDataset
		model    bool
		want     string // the marks of the steps
		next     string
	}{
		{"a dataset has no source", waiting, []classifierv1alpha1.ClassifierDataset{uploaded("a"), broken}, false,
			"source ✓ dataset ✓ upload ✓ source ✗ dataset ○ upload ○ job ○ start ○ model ○ Secret ○", "kubectl edit cds/b"},
		{"a dataset is no training data", waiting, []classifierv1alpha1.ClassifierDataset{useless}, false,
			"source ✓ dataset ✗ upload ○ job ○ start ○ model ○ Secret ○", "kubectl classifier lint"},
		{"a dataset is not there", new(conditions).set("DatasetsReady", "False", "DatasetNotFound").set("Ready", "False", "DatasetNotFound"), nil, false,
			"job ✗ start ○ model ○ Secret ○", "create the ClassifierDataset"},
		{"there is no connection", new(conditions).set("Ready", "False", "ConnectionNotFound"), []classifierv1alpha1.ClassifierDataset{uploaded("a")}, false,
			"source ✓ dataset ✓ upload ✓ job ✗ start ○ model ○ Secret ○", "connection of its own"},
		{"it waits for an approval", submitted().set("Started", "False", "Suspended").set("Ready", "False", "Suspended"), nil, false,
			"job ✓ start ✗ model ○ Secret ○", `"suspend":false`},
		{"it trains", submitted().set("Started", "True", "Started").set("Ready", "False", "Training"), nil, false,
			"job ✓ start ✓ model ● Secret ○", "kubectl classifier watch mail"},
		{"the training failed", submitted().set("Started", "True", "Started").set("Failed", "True", "TrainingFailed").set("Ready", "False", "TrainingFailed"), nil, false,
			"job ✓ start ✓ model ✗ Secret ○", "kubectl classifier retry mail"},
		{"the Secret is somebody else's", trained().set("OutputPublished", "False", "SecretConflict").set("Ready", "False", "SecretConflict"), nil, true,
			"job ✓ start ✓ model ✓ Secret ✗", "spec.output.secretName"},
		{"the model was deleted later", trained().set("OutputPublished", "True", "Published").set("Ready", "False", "ModelMissing"), nil, true,
			"job ✓ start ✓ model ✗ Secret ✓", "restore the model"},
		{"all is well", trained().set("OutputPublished", "True", "Published").set("Ready", "True", "Published"), nil, true,
			"job ✓ start ✓ model ✓ Secret ✓", "kubectl classifier try mail"},
		{"the data has changed since", trained().set("OutputPublished", "True", "Published").set("InputsCurrent", "False", "DatasetChanged").set("Ready", "True", "Published"), nil, true,
			"job ✓ start ✓ model ✓ Secret ✓", "to train on the samples as they are now"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			job := jobOn("a", "b")
			job.Status.Conditions = *test.list
			if test.model {
				job.Status.Model = &classifierv1alpha1.ModelStatus{ID: "ft:mail"}
			}
			told := jobStory(job, test.datasets)
			var marks []string
			for _, step := range told.Steps {
				marks = append(marks, step.Name, map[stepState]string{stepDone: "✓", stepBusy: "●", stepStuck: "✗", stepAhead: "○"}[step.State])
			}
			if got := strings.Join(marks, " "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if !strings.Contains(told.Next.Do, test.next) {
				t.Errorf("next is %q, want %q", told.Next.Do, test.next)
			}
		})
	}
}

// TestDeletedAndNotLetGo holds that whoever finds an object that stays is told how it goes.
func TestDeletedAndNotLetGo(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		reason     string
		ago        time.Duration
		finalizers []string
		want       bool
	}{
		{"the operator is at it", time.Minute, []string{finalizer}, false},
		{"there is no operator", time.Hour, []string{"example.com/other", finalizer}, true},
		{"somebody else holds it", time.Hour, []string{"example.com/other"}, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			dataset := uploaded("mail")
			dataset.Finalizers, dataset.DeletionTimestamp = test.finalizers, &metav1.Time{Time: now.Add(-test.ago)}
			told := datasetStory(&dataset)
			told.adviseOnDeletion(&dataset, now)
			if got := strings.Contains(told.Next.Do, "kubectl patch cds/mail -n team"); got != test.want {
				t.Errorf("the advice is %s", told.Next.Do)
			}
		})
	}
}
