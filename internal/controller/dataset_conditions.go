package controller

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// setConditions derives the conditions from what the pass observed, and gives the
// outcome as they tell it.
func (s *datasetScope) setConditions(result outcome, now metav1.Time) outcome {
	s.status.ObservedGeneration = &s.object.Generation
	if !s.unserved {
		s.status.LastHandledReconcileAt = s.requestedAt()
	}
	all := conditions{list: &s.status.Conditions, generation: s.object.Generation, now: now}
	all.setFinding(classifierv1alpha1.ConditionSourceReady, s.sourceReady)
	all.setFinding(classifierv1alpha1.ConditionValidated, s.validation)
	s.setUploaded(all, result)
	s.setReportPublished(all)
	all.setFactoryReachable(s.factory)
	told := all.losePatience(result)
	if s.staysReady(result) {
		told = proceed().looksAgain(result.after)
	}
	all.summarise(told, classifierv1alpha1.ReasonUploaded, s.readyMessage())
	s.setState()
	return told
}

// setUnderWay says how far a step is, in case that a crash makes it the last word of
// the pass. What goes with the rest of the status is told with it; what may yet turn
// out to be otherwise is told at the end.
func (s *datasetScope) setUnderWay(progress outcome, now metav1.Time) {
	s.status.ObservedGeneration = &s.object.Generation
	all := conditions{list: &s.status.Conditions, generation: s.object.Generation, now: now}
	all.setFinding(classifierv1alpha1.ConditionValidated, s.validation)
	all.summarise(progress, "", "")
	s.setState()
}

// staysReady reports whether what is uploaded can be trained on although the pass
// came to nothing: nobody wants another look, or the storage could not be asked
// whether there is something new. A storage that answers, and refuses, is believed.
func (s *datasetScope) staysReady(result outcome) bool {
	switch result.reason {
	case classifierv1alpha1.ReasonSuspended:
		return s.isUsable()
	case classifierv1alpha1.ReasonSourceUnreachable:
		return s.source == nil && s.isUsable()
	}
	return false
}

func (s *datasetScope) setUploaded(all conditions, result outcome) {
	switch {
	case s.validation != nil && !s.validation.good:
		all.setFalse(classifierv1alpha1.ConditionUploaded, s.validation.reason, "invalid samples are not uploaded")
	case len(s.status.Files) > 0 && !s.isUploaded():
		all.setFalse(classifierv1alpha1.ConditionUploaded, result.reason, result.message)
	case s.validation != nil && s.isUploaded():
		all.setTrue(classifierv1alpha1.ConditionUploaded, classifierv1alpha1.ReasonUploaded, s.readyMessage())
	}
}

func (s *datasetScope) setReportPublished(all conditions) {
	if s.object.Spec.Report == nil {
		all.remove(classifierv1alpha1.ConditionReportPublished)
		return
	}
	all.setFinding(classifierv1alpha1.ConditionReportPublished, s.report)
}

func (s *datasetScope) readyMessage() string {
	samples := int64(0)
	for _, file := range s.status.Files {
		samples += file.Samples
	}
	return fmt.Sprintf("%d samples are uploaded", samples)
}
