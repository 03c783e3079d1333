package controller

import (
	"errors"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
)

// TestPatienceEnds holds when a wait becomes a stop, and that a pass comes in time.
func TestPatienceEnds(t *testing.T) {
	began := time.Unix(1_800_000_000, 0)
	lost := errors.New("lost")
	waitWith := func(after time.Duration, reason string, err error) outcome {
		result := wait(after, reason, "m")
		result.err = err
		return result
	}
	for _, test := range []struct {
		result  outcome
		kind    string // the condition that is False
		lasted  time.Duration
		verdict verdict
		after   time.Duration
		why     string
	}{
		{waitWith(credentialRecheck, classifierv1alpha1.ReasonUnauthorized, nil), classifierv1alpha1.ConditionFactoryReachable, 0, waits, credentialRecheck, "the Secret may be corrected"},
		{waitWith(0, classifierv1alpha1.ReasonSourceAccessDenied, nil), classifierv1alpha1.ConditionSourceReady, time.Minute, waits, 2 * time.Minute, "there is a look when it is time"},
		{waitWith(0, classifierv1alpha1.ReasonUnreachable, lost), classifierv1alpha1.ConditionFactoryReachable, time.Minute, waits, 0, "the queue knows better when"},
		{waitWith(0, classifierv1alpha1.ReasonUnreachable, lost), classifierv1alpha1.ConditionFactoryReachable, 2 * time.Minute, waits, stallRecheck, "the queue would come too late"},
		{waitWith(0, classifierv1alpha1.ReasonUnreachable, lost), classifierv1alpha1.ConditionFactoryReachable, stallAfter - time.Second, waits, time.Second, "that is the time"},
		{waitWith(0, classifierv1alpha1.ReasonUnreachable, lost), classifierv1alpha1.ConditionFactoryReachable, stallAfter, stops, 0, "it has lasted long enough, and is tried again as ever"},
		{waitWith(0, classifierv1alpha1.ReasonCredentialsNotFound, nil), classifierv1alpha1.ConditionSubmitted, stallAfter, stops, 0, "nobody creates the Secret"},
		{waitWith(0, classifierv1alpha1.ReasonSourceNotFound, nil), classifierv1alpha1.ConditionSourceReady, time.Hour, waits, 0, "somebody may yet create it"},
		{waitWith(0, classifierv1alpha1.ReasonRateLimited, nil), classifierv1alpha1.ConditionFactoryReachable, time.Hour, waits, 0, "it is only too soon"},
		{waitWith(0, classifierv1alpha1.ReasonTraining, nil), classifierv1alpha1.ConditionFactoryReachable, time.Hour, waits, 0, "nothing stands in the way"},
		{proceed(), classifierv1alpha1.ConditionFactoryReachable, time.Hour, proceeds, 0, "what is done is done"},
	} {
		list := []metav1.Condition{{Type: test.kind, Status: metav1.ConditionFalse, LastTransitionTime: metav1.NewTime(began)}}
		all := conditions{list: &list, now: metav1.NewTime(began.Add(test.lasted))}
		got := all.losePatience(test.result)
		if got.verdict != test.verdict || got.after != test.after || got.reason != test.result.reason || !errors.Is(got.err, test.result.err) {
			t.Errorf("%s after %s: got %+v, because %s", test.result.reason, test.lasted, got, test.why)
		}
	}
}

// TestTroubleStallsADataset lets trouble last, across restarts of the operator, and end.
func TestTroubleStallsADataset(t *testing.T) {
	t.Parallel()
	secret := func(name string) *corev1.Secret { return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}} }
	for _, trouble := range []struct {
		name, reason string
		begin, end   func(d *driver)
	}{
		{"the key is refused", classifierv1alpha1.ReasonUnauthorized,
			func(d *driver) { d.factory.answer("", "/", http.StatusUnauthorized) }, func(d *driver) { d.factory.behave() }},
		{"it must be paid", classifierv1alpha1.ReasonForbidden,
			func(d *driver) { d.factory.answer("", "/", http.StatusPaymentRequired) }, func(d *driver) { d.factory.behave() }},
		{"uploads are not allowed", classifierv1alpha1.ReasonForbidden,
			func(d *driver) { d.factory.answer(http.MethodPost, "/v1/files", http.StatusForbidden) }, func(d *driver) { d.factory.behave() }},
		{"the factory fails", classifierv1alpha1.ReasonUnreachable,
			func(d *driver) { d.factory.answer("", "/", http.StatusServiceUnavailable) }, func(d *driver) { d.factory.behave() }},
		{"something else answers", classifierv1alpha1.ReasonUnreachable,
			func(d *driver) { d.factory.answer("", "/", http.StatusNotFound) }, func(d *driver) { d.factory.behave() }},
		{"the Secret is missing", classifierv1alpha1.ReasonConnectionNotFound,
			func(d *driver) { d.Delete(d.connection("")) }, func(d *driver) { d.Create(d.connection(d.apiKey)) }},
		{"the Secret is empty", classifierv1alpha1.ReasonConnectionInvalid,
			func(d *driver) {
				empty := secret(connectionSecret)
				d.Edit(empty, func() { empty.Data = nil })
			},
			func(d *driver) {
				empty := secret(connectionSecret)
				d.Edit(empty, func() { empty.StringData = d.connection(d.apiKey).StringData })
			}},
		{"the address is refused", classifierv1alpha1.ReasonAddressRefused,
			func(d *driver) { d.moveTo(connectionSecret, "http://10.0.0.1") }, func(d *driver) { d.moveTo(connectionSecret, d.factory.URL) }},
	} {
		t.Run(trouble.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			trouble.begin(d)
			data, job := driven(d.inlineDataset("data", sentiments(20))), driven(d.trainingJob("job", "data"))
			d.Create(data)
			d.Create(job)
			d.settle(data, trouble.reason)
			if meta.IsStatusConditionTrue(data.Status.Conditions, classifierv1alpha1.ConditionStalled) {
				t.Fatal("it is Stalled at once")
			}
			since := controllertest.Condition(data, classifierv1alpha1.ConditionFactoryReachable).LastTransitionTime
			for _, passed := range []time.Duration{stallAfter - 5*time.Second, stallAfter, time.Hour} {
				d = d.restarted()
				d.datasets.clock = testclock.NewFakeClock(since.Add(passed))
				result, _ := d.pass(data)
				d.Get("data", data)
				stalled := controllertest.Condition(data, classifierv1alpha1.ConditionStalled)
				if (stalled.Status == metav1.ConditionTrue) != (passed >= stallAfter) || stalled.Status == metav1.ConditionTrue && stalled.Reason != trouble.reason {
					t.Errorf("after %s: %+v", passed, data.Status.Conditions)
				}
				if passed < stallAfter && (result.RequeueAfter == 0 || result.RequeueAfter > 5*time.Second) {
					t.Errorf("the next look comes after %s", result.RequeueAfter)
				}
			}
			if _, err := d.pass(job); err != nil {
				t.Error(err)
			}
			trouble.end(d)
			d = d.restarted()
			d.settle(data, classifierv1alpha1.ReasonUploaded)
			if meta.FindStatusCondition(data.Status.Conditions, classifierv1alpha1.ConditionStalled) != nil {
				t.Errorf("it is Stalled still: %+v", data.Status.Conditions)
			}
		})
	}
}

// moveTo points a connection to another address.
func (d *driver) moveTo(connection, url string) {
	d.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: connection}}
	d.Edit(secret, func() { secret.StringData = map[string]string{connectionURIKey: url} })
}

// TestTroubleStallsAJob does the same to a job that is followed.
func TestTroubleStallsAJob(t *testing.T) {
	t.Parallel()
	d, job := validated(t)
	d = d.restarted()
	d.factory.answer("", "/", http.StatusUnauthorized)
	d.settle(job, classifierv1alpha1.ReasonUnauthorized)
	since := controllertest.Condition(job, classifierv1alpha1.ConditionFactoryReachable).LastTransitionTime
	for _, passed := range []time.Duration{stallAfter - time.Second, stallAfter} {
		d.jobsAt(since.Add(passed))
		_, _ = d.pass(job)
		d.Get("job", job)
		if got := meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionStalled); got != (passed == stallAfter) {
			t.Errorf("after %s: %+v", passed, job.Status.Conditions)
		}
	}
	if job.Status.State != classifierv1alpha1.ReasonUnauthorized {
		t.Errorf("the state is %s", job.Status.State)
	}
	d.factory.behave()
	d = d.restarted()
	d.resume(job)
	d.settle(job, classifierv1alpha1.ReasonPublished)
}

// TestMissingIntegrationKeyStallsAJob holds the same for the key of Weights & Biases.
func TestMissingIntegrationKeyStallsAJob(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.Training.WeightsAndBiases = &classifierv1alpha1.WeightsAndBiases{
		Project: "p", APIKeySecretRef: classifierv1alpha1.SecretKeyReference{Name: "wandb", Key: "api-key"},
	}
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonCredentialsNotFound)
	since := controllertest.Condition(job, classifierv1alpha1.ConditionSubmitted).LastTransitionTime
	d.jobsAt(since.Add(stallAfter))
	if _, err := d.pass(job); err != nil {
		t.Fatal(err)
	}
	d.Get("job", job)
	if got := controllertest.Condition(job, classifierv1alpha1.ConditionStalled); got.Reason != classifierv1alpha1.ReasonCredentialsNotFound {
		t.Errorf("Stalled is %+v", got)
	}
}

// TestRefusingStorageStallsADataset holds the same for object storage, and that a
// dataset which can be trained on stays Ready while the storage is merely away.
func TestRefusingStorageStallsADataset(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	storage := d.storage(sentiments(20))
	data := driven(d.storedDataset("data", storage))
	storage.status.Store(http.StatusForbidden)
	d.Create(data)
	d.settle(data, classifierv1alpha1.ReasonSourceAccessDenied)
	since := controllertest.Condition(data, classifierv1alpha1.ConditionSourceReady).LastTransitionTime
	d.datasets.clock = testclock.NewFakeClock(since.Add(stallAfter))
	if _, err := d.pass(data); err != nil {
		t.Fatal(err)
	}
	d.Get("data", data)
	if got := controllertest.Condition(data, classifierv1alpha1.ConditionStalled); got.Reason != classifierv1alpha1.ReasonSourceAccessDenied {
		t.Errorf("Stalled is %+v", got)
	}
	storage.status.Store(0)
	restart := func() {
		options := d.datasets.sources.ObjectStorage
		d = d.restarted()
		d.datasets.sources.ObjectStorage = options
	}
	restart()
	d.settle(data, classifierv1alpha1.ReasonUploaded)

	storage.status.Store(http.StatusServiceUnavailable)
	for _, passed := range []time.Duration{0, time.Hour} {
		restart()
		d.datasets.clock = testclock.NewFakeClock(time.Now().Add(passed))
		_, _ = d.pass(data)
		d.Get("data", data)
		if source := controllertest.Condition(data, classifierv1alpha1.ConditionSourceReady); !isReady(data) || source.Reason != classifierv1alpha1.ReasonSourceUnreachable {
			t.Errorf("after %s: %+v", passed, data.Status.Conditions)
		}
	}
}
