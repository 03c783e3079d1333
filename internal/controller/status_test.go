package controller

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

func TestRequestsAreRepeatedAsFarAsTheyFit(t *testing.T) {
	for _, test := range []struct{ annotation, want, reason string }{
		{"", "", "nobody asked"},
		{"2026-11-23T01:51:09Z", "2026-11-23T01:51:09Z", "what kubectl annotate mostly sets"},
		{strings.Repeat("x", 256), strings.Repeat("x", 256), "the longest that fits"},
		{strings.Repeat("x", 1000), strings.Repeat("x", 256), "annotations may be longer"},
		{strings.Repeat("€", 300), strings.Repeat("€", 85), "half a character is none"},
	} {
		object := &classifierv1alpha1.ClassifierDataset{ObjectMeta: metav1.ObjectMeta{
			Annotations: map[string]string{classifierv1alpha1.ReconcileRequestAnnotation: test.annotation},
		}}
		if got := requestedAt(object); got != test.want {
			t.Errorf("got %q, want %q: %s", got, test.want, test.reason)
		}
	}
	if got := requestedAt(&classifierv1alpha1.ClassifierDataset{}); got != "" {
		t.Errorf("got %q without annotations", got)
	}
}

// TestLongRequestsAreHandledOnce holds that an annotation of any length gets an
// answer that the API server takes, and gets it once.
func TestLongRequestsAreHandledOnce(t *testing.T) {
	t.Parallel()
	for _, request := range []struct{ name, text string }{
		{"in ASCII", strings.Repeat("x", 1000)},
		{"in characters of three bytes", strings.Repeat("€", 333)},
		{"in characters of four bytes", "x" + strings.Repeat("🏭", 249)},
	} {
		t.Run(request.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			data, job := driven(d.inlineDataset("data", sentiments(20))), driven(d.trainingJob("job", "data"))
			job.Spec.Suspend = new(true)
			for _, object := range []client.Object{data, job} {
				object.SetAnnotations(map[string]string{classifierv1alpha1.ReconcileRequestAnnotation: request.text})
				d.Create(object)
			}
			d.settle(data, classifierv1alpha1.ReasonUploaded)
			d.settle(job, classifierv1alpha1.ReasonSuspended)
			if got := data.Status.LastHandledReconcileAt; got == "" || !strings.HasPrefix(request.text, got) || got != job.Status.LastHandledReconcileAt {
				t.Errorf("the request is repeated as %q and %q", got, job.Status.LastHandledReconcileAt)
			}
			writes := d.writes.Load()
			for _, object := range []client.Object{data, job} {
				if _, err := d.pass(object); err != nil {
					t.Error(err)
				}
			}
			if got := d.writes.Load() - writes; got != 0 {
				t.Errorf("second passes made %d writes", got)
			}
		})
	}
}

// TestStatusOfSomebodyElseIsReplaced lets somebody else write a status, as a backup tool
// does that restores one: what the operator does not say itself must not stay.
func TestStatusOfSomebodyElseIsReplaced(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := driven(d.inlineDataset("data", sentiments(20)))
	d.Create(data)
	data.Status.InputType, data.Status.Conditions = classifierv1alpha1.InputChat, nil
	for _, kind := range []string{classifierv1alpha1.ConditionReady, classifierv1alpha1.ConditionReconciling} {
		data.Status.Conditions = append(data.Status.Conditions, metav1.Condition{
			Type: kind, Status: metav1.ConditionFalse, Reason: "Restored", Message: "restored", LastTransitionTime: metav1.Now(),
		})
	}
	data.Status.Conditions[1].Status = metav1.ConditionTrue
	if err := cluster.Admin.Status().Update(d.ctx, data); err != nil {
		t.Fatal(err)
	}
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	if slices.ContainsFunc(data.Status.Conditions, func(condition metav1.Condition) bool {
		return condition.Type == classifierv1alpha1.ConditionReconciling
	}) {
		t.Errorf("the conditions are %+v", data.Status.Conditions)
	}
	if data.Status.InputType != classifierv1alpha1.InputText {
		t.Errorf("the input type is %s", data.Status.InputType)
	}
	version := data.ResourceVersion
	if _, err := d.pass(data); err != nil {
		t.Error(err)
	}
	if d.Get("data", data); data.ResourceVersion != version {
		t.Error("the status is written again")
	}
}
