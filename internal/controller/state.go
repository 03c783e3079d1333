package controller

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// setState says in one word how the dataset is.
func (s *datasetScope) setState() {
	s.status.State = readyOf(s.status.Conditions).Reason
}

// setState says in one word how the job is: the factory's, as long as it tells all
// that there is to tell.
func (s *jobScope) setState() {
	ready, state := readyOf(s.status.Conditions), s.state()
	stalled := meta.IsStatusConditionTrue(s.status.Conditions, classifierv1alpha1.ConditionStalled)
	endedAmiss := state.Finished() && ready.Status != metav1.ConditionTrue
	if s.status.State = string(state); state == "" || s.remoteMissing || stalled || endedAmiss {
		s.status.State = ready.Reason
	}
}

// readyOf is the condition that is always there.
func readyOf(list []metav1.Condition) metav1.Condition {
	if ready := meta.FindStatusCondition(list, classifierv1alpha1.ConditionReady); ready != nil {
		return *ready
	}
	return metav1.Condition{}
}

// logTransition logs what became of an object, but not how far it is.
func logTransition(ctx context.Context, from string, before []metav1.Condition, to string, after []metav1.Condition) {
	was, is := readyOf(before), readyOf(after)
	if from == to && was.Status == is.Status && was.Reason == is.Reason {
		return
	}
	ctrl.LoggerFrom(ctx).Info("transition", "from", from, "to", to, "ready", is.Status, "reason", is.Reason)
}
