package controller

import (
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestSecretOfAPurgedJobIsMissedSlowly loses the Secret of a job that the factory
// no longer has. It cannot be written again: that is said, and asked about no more
// often than a Secret is looked at anyway.
func TestSecretOfAPurgedJobIsMissedSlowly(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	d.Delete(&corev1.Secret{ObjectMeta: d.ObjectMeta("job")})
	d = d.restarted()
	d.factory.answer("", "/v1/fine_tuning/jobs/"+job.Status.RemoteJob.ID, http.StatusNotFound)
	calls := d.factory.calls.Load()
	for range 3 {
		result, err := d.pass(job)
		if err != nil || result.RequeueAfter != outputRecheck {
			t.Errorf("the Secret is missed again after %s: %v", result.RequeueAfter, err)
		}
	}
	if got := d.factory.calls.Load() - calls; got > 1 {
		t.Errorf("three passes made %d calls", got)
	}
	d.Get("job", job)
	if published := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionOutputPublished); published == nil || published.Status != metav1.ConditionFalse {
		t.Errorf("OutputPublished is %+v", published)
	}
	if !isFinished(job) || !meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionComplete) {
		t.Errorf("a job that was trained stays so: %+v", job.Status.Conditions)
	}
}
