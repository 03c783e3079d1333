package controllertest

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// trained is a job whose training succeeded.
func trained() *classifierv1alpha1.ClassifierTrainingJob {
	job := &classifierv1alpha1.ClassifierTrainingJob{ObjectMeta: metav1.ObjectMeta{Name: "job", UID: "uid", Generation: 2}}
	job.Status = classifierv1alpha1.ClassifierTrainingJobStatus{
		ObservedGeneration: new(int64(2)),
		State:              "SUCCESS",
		Attempt:            &classifierv1alpha1.Attempt{Number: 1},
		StartTime:          new(metav1.Unix(1, 0)),
		CompletionTime:     new(metav1.Unix(2, 0)),
		Model:              &classifierv1alpha1.ModelStatus{ID: "model"},
		RemoteJob:          &classifierv1alpha1.RemoteJob{ID: "remote"},
		Cost:               &classifierv1alpha1.Cost{Amount: "1", Currency: "EUR"},
		Progress:           &classifierv1alpha1.TrainingProgress{Percent: 100, Step: 20},
	}
	for _, kind := range []string{classifierv1alpha1.ConditionReady, classifierv1alpha1.ConditionFinished, classifierv1alpha1.ConditionComplete} {
		set(&job.Status, kind, metav1.ConditionTrue)
	}
	return job
}

type jobStatus = classifierv1alpha1.ClassifierTrainingJobStatus

func set(s *jobStatus, kind string, value metav1.ConditionStatus) {
	meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: kind, Status: value, Reason: "Reason", Message: "message", ObservedGeneration: 2})
}

// TestMonitorNotices shows the monitor a job as it should be, and then as it must not be.
func TestMonitorNotices(t *testing.T) {
	for _, test := range []struct {
		change func(s *jobStatus)
		want   string // in the verdict; empty: nothing is wrong
	}{
		{func(*jobStatus) {}, ""},
		{func(s *jobStatus) { s.Attempt.Number, s.Model, s.Progress = 2, nil, nil }, ""},
		{func(s *jobStatus) { s.Attempt.Marker, s.Model, s.Progress = "restored", nil, nil }, ""},
		{func(s *jobStatus) { meta.RemoveStatusCondition(&s.Conditions, classifierv1alpha1.ConditionReady) }, "there is no Ready"},
		{func(s *jobStatus) { s.Conditions = nil }, "there is no Ready"},
		{func(s *jobStatus) { s.State = "" }, "it has no state"},
		{func(s *jobStatus) { set(s, classifierv1alpha1.ConditionStalled, metav1.ConditionFalse) }, "Stalled is there although"},
		{func(s *jobStatus) { set(s, classifierv1alpha1.ConditionReconciling, metav1.ConditionTrue) }, "Reconciling beside Ready"},
		{func(s *jobStatus) {
			set(s, classifierv1alpha1.ConditionReady, metav1.ConditionFalse)
			set(s, classifierv1alpha1.ConditionReconciling, metav1.ConditionTrue)
			s.Conditions[3].ObservedGeneration = 1
		}, "Reconciling speaks of another generation"},
		{func(s *jobStatus) {
			set(s, classifierv1alpha1.ConditionReady, metav1.ConditionFalse)
			set(s, classifierv1alpha1.ConditionReconciling, metav1.ConditionTrue)
			set(s, classifierv1alpha1.ConditionStalled, metav1.ConditionTrue)
		}, "Reconciling beside Stalled"},
		{func(s *jobStatus) { set(s, classifierv1alpha1.ConditionFailed, metav1.ConditionTrue) }, "Complete beside Failed"},
		{func(s *jobStatus) { set(s, classifierv1alpha1.ConditionComplete, metav1.ConditionFalse) }, "Finished is not Complete or Failed"},
		{func(s *jobStatus) { s.Conditions[1].ObservedGeneration = 3 }, "Finished speaks of a later generation"},
		{func(s *jobStatus) { s.Conditions[1].Message = "" }, "Finished has no reason or message"},
		{func(s *jobStatus) { s.Conditions[1].Reason = "Another" }, "it was Finished (Reason) and no longer is"},
		{func(s *jobStatus) { s.Conditions = s.Conditions[:2] }, "it was Complete (Reason) and no longer is"},
		{func(s *jobStatus) { s.StartTime = nil }, "startTime was lost"},
		{func(s *jobStatus) { s.CompletionTime = new(metav1.Unix(3, 0)) }, "completionTime was lost"},
		{func(s *jobStatus) { s.Model.ID = "another" }, "model was lost"},
		{func(s *jobStatus) { s.RemoteJob.ID = "another" }, "remoteJob was lost"},
		{func(s *jobStatus) { s.Cost = nil }, "cost was lost"},
		{func(s *jobStatus) { s.Progress.Step-- }, "progress was lost"},
		{func(s *jobStatus) { s.Binding = &classifierv1alpha1.BindingStatus{Name: "hunter2"} }, "it shows a secret"},
		{func(s *jobStatus) { s.ObservedGeneration = nil }, "kstatus says Current"},
	} {
		t.Run(test.want, func(t *testing.T) {
			m := &Monitor{end: func() {}, jobs: map[types.UID]*classifierv1alpha1.ClassifierTrainingJob{}}
			m.Forbid("hunter2")
			changed := trained()
			test.change(&changed.Status)
			events := watch.NewFakeWithChanSize(2, false)
			events.Add(trained())
			events.Modify(changed)
			events.Stop()
			if err := m.follow(events); err != nil {
				t.Error(err)
			}
			if verdict := fmt.Sprint(m.stop()); test.want == "" && verdict != "<nil>" || !strings.Contains(verdict, test.want) {
				t.Errorf("the verdict is %s", verdict)
			}
		})
	}
}
