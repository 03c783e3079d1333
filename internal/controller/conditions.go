package controller

import (
	"errors"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/samples"
)

// maxMessageBytes keeps a message within what the API accepts, and readable.
const maxMessageBytes = 1024

// conditions are the conditions of an object while a pass composes them.
type conditions struct {
	list       *[]metav1.Condition
	generation int64
	now        metav1.Time
}

func (c conditions) set(kind string, status metav1.ConditionStatus, reason, message string) {
	if len(message) > maxMessageBytes {
		message = samples.Cut(message, maxMessageBytes-3) + "..."
	}
	meta.SetStatusCondition(c.list, metav1.Condition{
		Type:               kind,
		Status:             status,
		Reason:             reason,
		Message:            message,
		ObservedGeneration: c.generation,
		LastTransitionTime: c.now, // kept from before unless the status changes
	})
}

func (c conditions) setTrue(kind, reason, message string) {
	c.set(kind, metav1.ConditionTrue, reason, message)
}

func (c conditions) setFalse(kind, reason, message string) {
	c.set(kind, metav1.ConditionFalse, reason, message)
}

func (c conditions) setFinding(kind string, found *finding) {
	switch {
	case found == nil:
	case found.good:
		c.setTrue(kind, found.reason, found.message)
	default:
		c.setFalse(kind, found.reason, found.message)
	}
}

func (c conditions) remove(kind string) { meta.RemoveStatusCondition(c.list, kind) }

func (c conditions) isTrue(kind string) bool { return meta.IsStatusConditionTrue(*c.list, kind) }

// observe repeats every condition for the generation that this pass looked at.
func (c conditions) observe() {
	for i := range *c.list {
		(*c.list)[i].ObservedGeneration = c.generation
	}
}

// summarise sets Ready, Reconciling and Stalled, as kstatus reads them.
func (c conditions) summarise(result outcome, ready, message string) {
	// A condition that stays is not removed and set again: that would look like a transition.
	if result.verdict != waits {
		c.remove(classifierv1alpha1.ConditionReconciling)
	}
	if result.verdict != stops {
		c.remove(classifierv1alpha1.ConditionStalled)
	}
	switch result.verdict {
	case proceeds:
		c.setTrue(classifierv1alpha1.ConditionReady, ready, message)
	case waits:
		c.setFalse(classifierv1alpha1.ConditionReady, result.reason, result.message)
		c.setTrue(classifierv1alpha1.ConditionReconciling, result.reason, result.message)
	case stops:
		c.setFalse(classifierv1alpha1.ConditionReady, result.reason, result.message)
		c.setTrue(classifierv1alpha1.ConditionStalled, result.reason, result.message)
	}
}

// finding is what a pass found out about something, as a condition says it.
type finding struct {
	good            bool
	reason, message string
}

// contact is what a pass learnt of the factory.
type contact struct {
	called bool
	err    error // of the last call, if it failed
}

// learn takes in how a call went and passes its error on.
func (c *contact) learn(err error) error {
	c.called, c.err = true, err
	return err
}

// setFactoryReachable leaves the condition as it is if the pass learnt nothing.
func (c conditions) setFactoryReachable(seen contact) {
	if !seen.called {
		return
	}
	if closed := (*connection.ClosedError)(nil); errors.As(seen.err, &closed) && closed.Cause == nil {
		return // the operator's own limit is no word on the factory
	}
	if seen.err != nil {
		judged := classify(seen.err)
		if judged.reason == classifierv1alpha1.ReasonInternalError {
			return
		}
		if judged.concernsConnection() {
			c.setFalse(classifierv1alpha1.ConditionFactoryReachable, judged.reason, judged.message)
			return
		}
	}
	c.setTrue(classifierv1alpha1.ConditionFactoryReachable, classifierv1alpha1.ReasonReachable, "the factory answers")
}
