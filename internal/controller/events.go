package controller

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// untold are conditions whose changes are told by another one's.
var untold = map[string]bool{
	classifierv1alpha1.ConditionReady:            true,
	classifierv1alpha1.ConditionReconciling:      true,
	classifierv1alpha1.ConditionFinished:         true,
	classifierv1alpha1.ConditionFactoryReachable: true,
}

// untoldReasons are turns to wait for, and steps on the way that the event of the next
// one implies.
var untoldReasons = map[string]bool{
	classifierv1alpha1.ReasonWaiting:            true,
	classifierv1alpha1.ReasonRateLimited:        true,
	classifierv1alpha1.ReasonSourceReady:        true,
	classifierv1alpha1.ReasonValid:              true,
	classifierv1alpha1.ReasonDatasetsReady:      true,
	classifierv1alpha1.ReasonAwaitingValidation: true,
}

// tell records an event for each condition that changed. It comes after the
// status was written, so that an event never speaks of what was lost.
func tell(recorder events.EventRecorder, object runtime.Object, before, after []metav1.Condition) {
	told := map[string]bool{}
	for _, condition := range after {
		previous := meta.FindStatusCondition(before, condition.Type)
		known := previous != nil && previous.Status == condition.Status && previous.Reason == condition.Reason
		if previous == nil && condition.Reason == classifierv1alpha1.ReasonInputsCurrent {
			continue // what was just pinned can be nothing else
		}
		// One reason is one event, though several conditions have it.
		if untold[condition.Type] || untoldReasons[condition.Reason] || known || told[condition.Reason] {
			continue
		}
		told[condition.Reason] = true
		recorder.Eventf(object, nil, eventType(condition), condition.Reason, "Reconcile", "%s", condition.Message)
	}
}

// tellForgotten records that a status was dropped because it was not the object's own.
func tellForgotten(ctx context.Context, recorder events.EventRecorder, object runtime.Object, message string) {
	if message == "" {
		return
	}
	ctrl.LoggerFrom(ctx).Info("the status was another object's and is forgotten", "message", message)
	recorder.Eventf(object, nil, corev1.EventTypeWarning, classifierv1alpha1.ReasonStatusForgotten, "Reconcile", "%s", message)
}

// eventType is Warning where somebody may have to act.
func eventType(condition metav1.Condition) string {
	switch condition.Reason {
	case classifierv1alpha1.ReasonStartedUnasked, classifierv1alpha1.ReasonDatasetsOverlap:
		return corev1.EventTypeWarning
	}
	bad := condition.Type == classifierv1alpha1.ConditionFailed || condition.Type == classifierv1alpha1.ConditionStalled
	if (condition.Status == metav1.ConditionTrue) == bad && !isWaiting(condition.Reason) {
		return corev1.EventTypeWarning
	}
	return corev1.EventTypeNormal
}

// isWaiting tells the reasons for which a condition is not yet True from those
// for which it is False.
func isWaiting(reason string) bool {
	switch reason {
	case classifierv1alpha1.ReasonPending,
		classifierv1alpha1.ReasonProgressing,
		classifierv1alpha1.ReasonWaiting,
		classifierv1alpha1.ReasonPreparing,
		classifierv1alpha1.ReasonStagingFull,
		classifierv1alpha1.ReasonRateLimited,
		classifierv1alpha1.ReasonSuspended,
		classifierv1alpha1.ReasonUploading,
		classifierv1alpha1.ReasonDatasetNotReady,
		classifierv1alpha1.ReasonSubmitting,
		classifierv1alpha1.ReasonAwaitingValidation,
		classifierv1alpha1.ReasonAwaitingStart,
		classifierv1alpha1.ReasonDatasetChanged,
		classifierv1alpha1.ReasonTraining,
		classifierv1alpha1.ReasonDeleting:
		return true
	}
	return false
}
