package controller

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// setConditions derives the conditions from what the pass observed, and gives the
// outcome as they tell it.
func (s *jobScope) setConditions(result outcome, now metav1.Time) outcome {
	s.status.ObservedGeneration = &s.object.Generation
	if !s.unserved {
		s.status.LastHandledReconcileAt = s.requestedAt()
	}
	all := conditions{list: &s.status.Conditions, generation: s.object.Generation, now: now}
	all.observe()
	all.setFinding(classifierv1alpha1.ConditionDatasetsReady, s.inputs)
	all.setFinding(classifierv1alpha1.ConditionInputsCurrent, s.stale)
	s.setSubmitted(all, result)
	s.setStarted(all, result)
	s.setFinished(all)
	all.setFinding(classifierv1alpha1.ConditionOutputPublished, s.output)
	all.setFactoryReachable(s.factory)
	result = all.losePatience(result)
	all.summarise(result, classifierv1alpha1.ReasonPublished, "the model is trained and its ID is published")
	s.setState()
	return result
}

// setSubmitting says what the job is made of before it costs anything.
func (s *jobScope) setSubmitting(now metav1.Time) {
	s.status.ObservedGeneration = &s.object.Generation
	all := conditions{list: &s.status.Conditions, generation: s.object.Generation, now: now}
	all.observe()
	all.setFinding(classifierv1alpha1.ConditionDatasetsReady, s.inputs)
	all.summarise(wait(0, classifierv1alpha1.ReasonSubmitting, "the job is being created"), "", "")
	s.setState()
}

func (s *jobScope) setSubmitted(all conditions, result outcome) {
	switch {
	case s.remoteMissing:
		all.setFalse(classifierv1alpha1.ConditionSubmitted, classifierv1alpha1.ReasonRemoteJobMissing, "the factory does not know the job")
	case s.isFinished():
	case s.remote == nil && !s.missingSince().IsZero():
		// It is missing until it is seen again.
	case s.status.RemoteJob != nil:
		all.setTrue(classifierv1alpha1.ConditionSubmitted, classifierv1alpha1.ReasonSubmitted, "the factory has job "+s.status.RemoteJob.ID)
	case all.isTrue(classifierv1alpha1.ConditionDatasetsReady):
		all.setFalse(classifierv1alpha1.ConditionSubmitted, result.reason, result.message)
	}
}

func (s *jobScope) setStarted(all conditions, result outcome) {
	switch {
	case s.startedUnasked:
		all.setTrue(classifierv1alpha1.ConditionStarted, classifierv1alpha1.ReasonStartedUnasked,
			"the job was started, but not by the operator: by somebody at the factory, or by a factory that ignores auto_start")
	case !s.isOver() && s.failureOf(s.attemptNumber()) != nil:
		all.setFalse(classifierv1alpha1.ConditionStarted, result.reason, result.message)
	case s.isStarted() && !all.isTrue(classifierv1alpha1.ConditionStarted):
		all.setTrue(classifierv1alpha1.ConditionStarted, classifierv1alpha1.ReasonStarted, "the factory was told to start the job")
	case !s.isStarted() && (s.status.RemoteJob != nil || s.attemptNumber() > 1):
		all.setFalse(classifierv1alpha1.ConditionStarted, result.reason, result.message)
	}
}

// setFinished sets what never changes again.
func (s *jobScope) setFinished(all conditions) {
	switch {
	case s.isFinished() || !s.isOver():
	case s.failure != nil:
		all.setTrue(classifierv1alpha1.ConditionFailed, s.failure.reason, s.failure.message)
		all.setTrue(classifierv1alpha1.ConditionFinished, s.failure.reason, s.failure.message)
	default:
		const message = "the training ended in success"
		all.setTrue(classifierv1alpha1.ConditionComplete, classifierv1alpha1.ReasonSucceeded, message)
		all.setTrue(classifierv1alpha1.ConditionFinished, classifierv1alpha1.ReasonSucceeded, message)
	}
}
