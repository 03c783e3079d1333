package controller

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestFailureIsToldOnce holds that an end which shows in several conditions is
// one line in `kubectl describe`, and that nothing is left watching the job.
func TestFailureIsToldOnce(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(4)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.Training.Targets = []classifierv1alpha1.TrainingTarget{{Name: "sentiment", Labels: []string{"happy", "sad"}}}
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonValidationFailed)
	told := d.told()
	if err := containsReason(told, classifierv1alpha1.ReasonValidationFailed, 1); err != nil {
		t.Error(err)
	}
	var warnings []string
	for _, event := range told {
		if strings.HasPrefix(event, "Warning") {
			warnings = append(warnings, event)
		}
	}
	if len(warnings) != 1 {
		t.Errorf("the warnings are %q", warnings)
	}
	if len(d.jobs.watched) != 0 {
		t.Errorf("the failed job is still watched: %+v", d.jobs.watched)
	}
}

// containsReason holds how many of the recorded events have a reason.
func containsReason(told []string, reason string, want int) error {
	got := 0
	for _, event := range told {
		if fields := strings.Fields(event); len(fields) > 1 && fields[1] == reason {
			got++
		}
	}
	if got != want {
		return fmt.Errorf("%d events have the reason %s, want %d: %q", got, reason, want, told)
	}
	return nil
}

func TestEventsTellWhatChanged(t *testing.T) {
	condition := func(kind string, status metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: "it is so"}
	}
	for _, test := range []struct {
		reason        string
		before, after []metav1.Condition
		want          []string
	}{
		{
			"what becomes true is told",
			nil,
			[]metav1.Condition{condition(classifierv1alpha1.ConditionUploaded, metav1.ConditionTrue, classifierv1alpha1.ReasonUploaded)},
			[]string{"Normal Uploaded it is so"},
		}, {
			"what stays is not told again",
			[]metav1.Condition{condition(classifierv1alpha1.ConditionUploaded, metav1.ConditionTrue, classifierv1alpha1.ReasonUploaded)},
			[]metav1.Condition{condition(classifierv1alpha1.ConditionUploaded, metav1.ConditionTrue, classifierv1alpha1.ReasonUploaded)},
			nil,
		}, {
			"another message is no news, or progress would be a stream of events",
			[]metav1.Condition{{Type: classifierv1alpha1.ConditionStarted, Status: metav1.ConditionFalse, Reason: classifierv1alpha1.ReasonSuspended, Message: "it was so"}},
			[]metav1.Condition{condition(classifierv1alpha1.ConditionStarted, metav1.ConditionFalse, classifierv1alpha1.ReasonSuspended)},
			nil,
		}, {
			"another reason is news",
			[]metav1.Condition{condition(classifierv1alpha1.ConditionUploaded, metav1.ConditionFalse, classifierv1alpha1.ReasonUnauthorized)},
			[]metav1.Condition{condition(classifierv1alpha1.ConditionUploaded, metav1.ConditionFalse, classifierv1alpha1.ReasonForbidden)},
			[]string{"Warning Forbidden it is so"},
		}, {
			"to wait for something is nothing to be warned of",
			nil,
			[]metav1.Condition{condition(classifierv1alpha1.ConditionStarted, metav1.ConditionFalse, classifierv1alpha1.ReasonAwaitingStart)},
			[]string{"Normal AwaitingStart it is so"},
		}, {
			"a failure is one warning, though four conditions have it",
			nil,
			[]metav1.Condition{
				condition(classifierv1alpha1.ConditionStarted, metav1.ConditionFalse, classifierv1alpha1.ReasonValidationFailed),
				condition(classifierv1alpha1.ConditionFailed, metav1.ConditionTrue, classifierv1alpha1.ReasonValidationFailed),
				condition(classifierv1alpha1.ConditionFinished, metav1.ConditionTrue, classifierv1alpha1.ReasonValidationFailed),
				condition(classifierv1alpha1.ConditionStalled, metav1.ConditionTrue, classifierv1alpha1.ReasonValidationFailed),
			},
			[]string{"Warning ValidationFailed it is so"},
		}, {
			"these are summaries of the others, and the factory's reachability shows in what it stops",
			nil,
			[]metav1.Condition{
				condition(classifierv1alpha1.ConditionReady, metav1.ConditionFalse, classifierv1alpha1.ReasonUnreachable),
				condition(classifierv1alpha1.ConditionReconciling, metav1.ConditionTrue, classifierv1alpha1.ReasonUnreachable),
				condition(classifierv1alpha1.ConditionFinished, metav1.ConditionTrue, classifierv1alpha1.ReasonSucceeded),
				condition(classifierv1alpha1.ConditionFactoryReachable, metav1.ConditionFalse, classifierv1alpha1.ReasonUnreachable),
			},
			nil,
		},
	} {
		recorder := events.NewFakeRecorder(10)
		tell(recorder, &classifierv1alpha1.ClassifierTrainingJob{}, test.before, test.after)
		d := &driver{recorder: recorder}
		if got := d.told(); fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("got %q, want %q: %s", got, test.want, test.reason)
		}
	}
}

// TestLostFactoryIsToldWhereItStopsSomething takes the factory away and gives it back.
func TestLostFactoryIsToldWhereItStopsSomething(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := driven(d.inlineDataset("data", sentiments(4)))
	d.Create(data)
	d.factory.answer("", "/", http.StatusBadGateway)
	d.settle(data, classifierv1alpha1.ReasonUnreachable)
	d.factory.behave()
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	told := d.told()
	for reason, want := range map[string]int{
		classifierv1alpha1.ReasonUnreachable: 1,
		classifierv1alpha1.ReasonReachable:   0,
		classifierv1alpha1.ReasonUploaded:    1,
	} {
		if err := containsReason(told, reason, want); err != nil {
			t.Error(err)
		}
	}
}
