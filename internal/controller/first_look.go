package controller

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// unsettledFirst lets an operator that starts look first at what still waits for it. Its
// first list has every object, most of which have been done for long.
func unsettledFirst() handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, created event.CreateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			urgent, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request])
			if !ok || !created.IsInInitialList || isSettled(created.Object) {
				return
			}
			urgent.AddWithOpts(priorityqueue.AddOpts{Priority: new(0)}, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(created.Object)})
		},
	}
}

// isSettled reports whether nothing is to be done for an object but to look whether it
// still is as its status says.
func isSettled(object client.Object) bool {
	var conditions []metav1.Condition
	switch object := object.(type) {
	case *classifierv1alpha1.ClassifierDataset:
		conditions = object.Status.Conditions
	case *classifierv1alpha1.ClassifierTrainingJob:
		conditions = object.Status.Conditions
	}
	ready := readyOf(conditions)
	return object.GetDeletionTimestamp().IsZero() && ready.ObservedGeneration == object.GetGeneration() &&
		(ready.Status == metav1.ConditionTrue || meta.IsStatusConditionTrue(conditions, classifierv1alpha1.ConditionFinished))
}
