package controller

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestCacheHasSamplesOfUnsettledDatasetsOnly puts datasets with inline samples into the cache.
func TestCacheHasSamplesOfUnsettledDatasetsOnly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason     string
		generation int64
		ready      metav1.ConditionStatus
		lightened  bool
	}{
		{"it is uploaded", 1, metav1.ConditionTrue, true},
		{"it is under way", 1, metav1.ConditionFalse, false},
		{"its spec has changed", 2, metav1.ConditionTrue, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			data := &classifierv1alpha1.ClassifierDataset{ObjectMeta: metav1.ObjectMeta{Generation: test.generation}}
			data.Spec.Source.Inline = &classifierv1alpha1.InlineSource{Data: sentiments(1)}
			data.Status.Conditions = []metav1.Condition{{
				Type: classifierv1alpha1.ConditionReady, Status: test.ready, Reason: "Tested", Message: "as it is", ObservedGeneration: 1,
			}}
			want := data.Status.Conditions[0]
			if _, err := lighten(data); err != nil {
				t.Fatal(err)
			}
			if isLightened(data) != test.lightened {
				t.Errorf("it is lightened: %t", isLightened(data))
			}
			if got := data.Status.Conditions; len(got) != 1 || got[0] != want {
				t.Errorf("its conditions are %+v", got)
			}
		})
	}
}
