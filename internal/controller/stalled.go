package controller

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

const (
	// stallAfter is how long trouble may pass by itself, such as a factory that restarts,
	// before the object says that somebody has to act. It is tried again all the same.
	stallAfter = 3 * time.Minute
	// stallRecheck is how often that is tried shortly before that time.
	stallRecheck = 30 * time.Second
)

// troubles are what mostly somebody has to repair, each with the conditions of which
// one is False because of it. Statuses survive a restart: they tell since when.
var troubles = map[string][]string{
	classifierv1alpha1.ReasonConnectionNotFound: {classifierv1alpha1.ConditionFactoryReachable},
	classifierv1alpha1.ReasonConnectionInvalid:  {classifierv1alpha1.ConditionFactoryReachable},
	classifierv1alpha1.ReasonUnreachable:        {classifierv1alpha1.ConditionFactoryReachable},
	classifierv1alpha1.ReasonAddressRefused:     {classifierv1alpha1.ConditionFactoryReachable},
	classifierv1alpha1.ReasonUnauthorized:       {classifierv1alpha1.ConditionFactoryReachable},
	classifierv1alpha1.ReasonForbidden:          {classifierv1alpha1.ConditionFactoryReachable},

	classifierv1alpha1.ReasonSourceBucketNotFound:      {classifierv1alpha1.ConditionSourceReady},
	classifierv1alpha1.ReasonSourceCredentialsNotFound: {classifierv1alpha1.ConditionSourceReady},
	classifierv1alpha1.ReasonSourceInvalidCredentials:  {classifierv1alpha1.ConditionSourceReady},
	classifierv1alpha1.ReasonSourceExpiredCredentials:  {classifierv1alpha1.ConditionSourceReady},
	classifierv1alpha1.ReasonSourceAccessDenied:        {classifierv1alpha1.ConditionSourceReady},
	classifierv1alpha1.ReasonSourceWrongRegion:         {classifierv1alpha1.ConditionSourceReady},
	classifierv1alpha1.ReasonSourceArchived:            {classifierv1alpha1.ConditionSourceReady},
	classifierv1alpha1.ReasonSourceTooLarge:            {classifierv1alpha1.ConditionSourceReady},
	classifierv1alpha1.ReasonSourceUnreachable:         {classifierv1alpha1.ConditionSourceReady},

	// A first try is not Submitted then, and another one not Started.
	classifierv1alpha1.ReasonCredentialsNotFound: {classifierv1alpha1.ConditionSubmitted, classifierv1alpha1.ConditionStarted},
	classifierv1alpha1.ReasonCredentialsInvalid:  {classifierv1alpha1.ConditionSubmitted, classifierv1alpha1.ConditionStarted},
}

// losePatience makes a wait for what somebody has to repair a stop, when it has lasted
// too long. Until then it sees to it that there is a look at that time.
func (c conditions) losePatience(result outcome) outcome {
	since, troubled := c.troubledSince(result.reason)
	if result.verdict != waits || !troubled {
		return result
	}
	lasted := c.now.Sub(since.Time)
	left := stallAfter - lasted
	switch {
	case left <= 0:
		result.verdict = stops
	case result.err == nil:
		result.after = soonest(result.after, left)
	case left < lasted:
		// The queue's back-off, which doubles, would look too late.
		result.after = soonest(result.after, min(left, stallRecheck))
	}
	return result
}

// troubledSince is when the trouble of a reason began.
func (c conditions) troubledSince(reason string) (since metav1.Time, troubled bool) {
	for _, kind := range troubles[reason] {
		broken := meta.FindStatusCondition(*c.list, kind)
		if broken == nil || broken.Status != metav1.ConditionFalse {
			continue
		}
		if troubled = true; since.Before(&broken.LastTransitionTime) {
			since = broken.LastTransitionTime
		}
	}
	return since, troubled
}
