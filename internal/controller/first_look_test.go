package controller

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestOperatorThatStartsLooksFirstAtWhatWaitsForIt lists finished objects and one that is
// not.
func TestOperatorThatStartsLooksFirstAtWhatWaitsForIt(t *testing.T) {
	condition := func(kind string, status metav1.ConditionStatus) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, ObservedGeneration: 1}
	}
	ready := []metav1.Condition{condition(classifierv1alpha1.ConditionReady, metav1.ConditionTrue)}
	dataset := func(generation int64, conditions []metav1.Condition) client.Object {
		data := &classifierv1alpha1.ClassifierDataset{ObjectMeta: metav1.ObjectMeta{Name: "waits", Generation: generation}}
		data.Status.Conditions = conditions
		return data
	}
	job := func(conditions []metav1.Condition) client.Object {
		job := &classifierv1alpha1.ClassifierTrainingJob{ObjectMeta: metav1.ObjectMeta{Name: "waits", Generation: 1}}
		job.Status.Conditions = conditions
		return job
	}
	deleted := dataset(1, ready)
	deleted.SetDeletionTimestamp(&metav1.Time{Time: time.Now()})
	failed := []metav1.Condition{condition(classifierv1alpha1.ConditionReady, metav1.ConditionFalse), condition(classifierv1alpha1.ConditionFinished, metav1.ConditionTrue)}
	for _, test := range []struct {
		name   string
		object client.Object
		first  bool
	}{
		{"a dataset that nobody has looked at", dataset(1, nil), true},
		{"a dataset that is Ready", dataset(1, ready), false},
		{"a dataset whose spec has changed", dataset(2, ready), true},
		{"a dataset that is being deleted", deleted, true},
		{"a job under way", job([]metav1.Condition{condition(classifierv1alpha1.ConditionReady, metav1.ConditionFalse)}), true},
		{"a job that is published", job(ready), false},
		{"a job that failed", job(failed), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			queue := priorityqueue.New[reconcile.Request]("test")
			defer queue.ShutDown()
			done := dataset(1, ready)
			done.SetName("done")
			for _, object := range []client.Object{done, test.object} {
				listed := event.CreateEvent{Object: object, IsInInitialList: true}
				(&handler.EnqueueRequestForObject{}).Create(t.Context(), listed, queue)
				unsettledFirst().Create(t.Context(), listed, queue)
			}
			want := types.NamespacedName{Name: "done"}
			if test.first {
				want.Name = "waits"
			}
			if got, _, _ := queue.GetWithPriority(); got.NamespacedName != want {
				t.Errorf("the first to be looked at is %s", got.Name)
			}
		})
	}
}

// TestOperatorThatStartsLooksByAndByAtWhatIsDone, unless something becomes of it.
func TestOperatorThatStartsLooksByAndByAtWhatIsDone(t *testing.T) {
	const objects = 1000
	queue := priorityqueue.New[reconcile.Request]("test")
	defer queue.ShutDown()
	looks, began := unsettledFirst(), time.Now()
	for i := range objects {
		data := &classifierv1alpha1.ClassifierDataset{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("done%d", i), Generation: 1}}
		data.Status.Conditions = []metav1.Condition{{Type: classifierv1alpha1.ConditionReady, Status: metav1.ConditionTrue, ObservedGeneration: 1}}
		looks.Create(t.Context(), event.CreateEvent{Object: data, IsInInitialList: true}, queue)
	}
	changed := reconcile.Request{NamespacedName: types.NamespacedName{Name: fmt.Sprintf("done%d", objects-1)}}
	queue.Add(changed)
	if first, _, _ := queue.GetWithPriority(); first != changed {
		t.Errorf("the first to be looked at is %s", first.Name)
	}
	looked := 0
	for ; queue.Len() > 0; looked++ {
		done, _, _ := queue.GetWithPriority()
		queue.Done(done)
	}
	if most := settledAtOnce + settledASecond*(1+int(time.Since(began).Seconds())); looked < settledAtOnce/2 || looked > most {
		t.Errorf("%d are looked at at once, want %d at most", looked, most)
	}
}
