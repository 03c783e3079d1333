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
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// unsettledFirst lets an operator that starts look first at what still waits for it. Most
// of what it is told of has been done for long.
func unsettledFirst() handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, created event.CreateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			request := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(created.Object)}
			byPriority, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request])
			if !ok {
				queue.Add(request)
				return
			}
			priority := 0
			if isSettled(created.Object) {
				priority = handler.LowPriority
			}
			byPriority.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, request)
		},
	}
}

// afterCreation passes what becomes of objects that the operator knows.
func afterCreation() predicate.Predicate {
	return predicate.Funcs{CreateFunc: func(event.CreateEvent) bool { return false }}
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
