package controller

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

// TestUploadSurvivesACrashAnywhere crashes the operator right before and right
// after each of its calls and writes, and restarts it. The factory ends up with
// one file a split.
func TestUploadSurvivesACrashAnywhere(t *testing.T) {
	t.Parallel()
	counted := runWithCrash(t, 0, false)
	if counted < 6 {
		t.Fatalf("only %d side effects were seen; nothing was proved", counted)
	}
	for effect := 1; effect <= counted; effect++ {
		for _, after := range []bool{false, true} {
			runWithCrash(t, effect, after)
		}
	}
	t.Logf("%d side effects, a crash before and after each", counted)
}

// runWithCrash brings a split dataset to the factory, with a crash at the nth
// side effect, and returns how many there were.
func runWithCrash(t *testing.T, nth int, after bool) int {
	t.Helper()
	d := newDriver(t)
	crash := &crashPoint{nth: int64(nth), after: after}
	d.factory.crashAt(crash)
	direct := d.datasets.client
	d.datasets.client = crash.intercept(t)
	dataset := driven(d.inlineDataset("data", sentiments(60)))
	dataset.Spec.Preparation.Split = &classifierv1alpha1.DatasetSplit{ValidationPercent: new(int32(30)), TestPercent: new(int32(20))}
	d.Create(dataset)
	for range 3 {
		_, _ = d.pass(dataset)
	}
	if crash.nth > 0 && !crash.dead.Load() {
		t.Fatalf("the crash at side effect %d did not happen", nth)
	}

	d.factory.behave()
	d.datasets.client = direct
	d = d.restarted()
	d.settle(dataset, classifierv1alpha1.ReasonUploaded)
	digests := map[string]int{}
	for _, file := range d.remoteFiles() {
		digests[file.Filename]++
	}
	if len(digests) != 3 || len(d.remoteFiles()) != 3 {
		t.Errorf("after a crash at side effect %d (after it: %t) the factory has %v", nth, after, digests)
	}
	for _, file := range dataset.Status.Files {
		if digests[file.Name] != 1 {
			t.Errorf("after a crash at side effect %d (after it: %t) %s is there %d times", nth, after, file.Name, digests[file.Name])
		}
	}
	return int(crash.count.Load())
}

// crashPoint counts side effects and ends the operator at one of them: from then
// on nothing that it does reaches anybody.
type crashPoint struct {
	nth   int64
	after bool
	count atomic.Int64
	dead  atomic.Bool
}

var errCrashed = errors.New("the operator crashed")

// happens lets a side effect happen, unless the operator is dead by then.
func (c *crashPoint) happens(effect func() error) error {
	if c.dead.Load() {
		return errCrashed
	}
	if c.count.Add(1) != c.nth {
		return effect()
	}
	c.dead.Store(true)
	if c.after {
		_ = effect()
	}
	return errCrashed
}

func (s *testFactory) crashAt(crash *crashPoint) {
	interfere := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		answer := httptest.NewRecorder()
		if crash.happens(func() error { real.ServeHTTP(answer, r); return nil }) != nil {
			panic(http.ErrAbortHandler)
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}
	s.interfere.Store(&interfere)
}

func (c *crashPoint) intercept(t *testing.T) client.Client {
	t.Helper()
	direct, err := client.NewWithWatch(cluster.Operator, client.Options{Scheme: cluster.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	return interceptor.NewClient(direct, interceptor.Funcs{
		Patch: func(ctx context.Context, w client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
			return c.happens(func() error { return w.Patch(ctx, object, patch, options...) })
		},
		SubResourceApply: func(ctx context.Context, w client.Client, name string, object runtime.ApplyConfiguration, options ...client.SubResourceApplyOption) error {
			return c.happens(func() error { return w.SubResource(name).Apply(ctx, object, options...) })
		},
	})
}

// TestVanishedFileIsUploadedAgain deletes a file at the factory. It is back after
// the next look, which comes by itself or when a user asks for it.
func TestVanishedFileIsUploadedAgain(t *testing.T) {
	t.Parallel()
	for _, look := range []struct {
		name string
		make func(*driver, *classifierv1alpha1.ClassifierDataset)
	}{
		{"when it is due", func(d *driver, dataset *classifierv1alpha1.ClassifierDataset) {
			interval := time.Duration(dataset.Spec.RefreshIntervalSeconds) * time.Second
			d.datasets.looks.clock = testclock.NewFakeClock(time.Now().Add(2 * interval))
		}},
		{"when it is asked for", func(d *driver, dataset *classifierv1alpha1.ClassifierDataset) {
			d.Edit(dataset, func() {
				dataset.Annotations = map[string]string{classifierv1alpha1.ReconcileRequestAnnotation: "now"}
			})
		}},
	} {
		t.Run(look.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			dataset := d.inlineDataset("data", sentiments(20))
			d.ready(dataset)
			if err := d.api.DeleteFile(d.ctx, dataset.Status.Files[0].ID); err != nil {
				t.Fatal(err)
			}
			look.make(d, dataset)
			d.settle(dataset, classifierv1alpha1.ReasonUploaded)
			if files := d.remoteFiles(); len(files) != 1 || files[0].ID != dataset.Status.Files[0].ID {
				t.Errorf("the factory has %+v, the status %+v", files, dataset.Status.Files)
			}
		})
	}
}

// TestFactoryThatIsAwayDoesNotUnmakeADataset holds that a dataset that is
// uploaded stays Ready while the factory is only checked on.
func TestFactoryThatIsAwayDoesNotUnmakeADataset(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	dataset := d.inlineDataset("data", sentiments(20))
	d.ready(dataset)
	d.factory.answer("", "/", http.StatusBadGateway)
	d.datasets.looks.clock = testclock.NewFakeClock(time.Now().Add(time.Hour))
	if _, err := d.pass(dataset); err != nil {
		t.Fatal(err)
	}
	d.Get(dataset.Name, dataset)
	if !isReady(dataset) {
		t.Errorf("the conditions are %+v", dataset.Status.Conditions)
	}
}

// TestExpiringFileIsReplaced rewrites what the factory says of a file's expiry.
func TestExpiringFileIsReplaced(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	dataset := d.inlineDataset("data", sentiments(20))
	d.ready(dataset)
	expiring := dataset.Status.Files[0].ID
	soon := time.Now().Add(time.Hour).Unix()
	d.factory.distort("/v1/files", func(answer map[string]any) {
		files, _ := answer["data"].([]any)
		for _, file := range files {
			if file := file.(map[string]any); file["id"] == expiring {
				file["expires_at"] = soon
			}
		}
	})
	d.datasets.looks.clock = testclock.NewFakeClock(time.Now().Add(time.Hour))
	d.settle(dataset, classifierv1alpha1.ReasonUploaded)
	if files := d.remoteFiles(); len(files) != 1 || files[0].ID == expiring || !strings.HasPrefix(files[0].Filename, "classifier-dataset-") {
		t.Errorf("the factory has %+v, and %s was about to expire", files, expiring)
	}
}

// TestTouchedConfigMapCostsNoCall changes a ConfigMap, but not the samples, while the
// factory is away.
func TestTouchedConfigMapCostsNoCall(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	samples := d.configMap("samples", map[string]string{"data": sentiments(20)})
	data := d.dataset("data", "samples", "data")
	d.ready(data)
	before := data.Status.Source.Revision
	d.factory.answer("", "/", http.StatusBadGateway)
	calls := d.factory.calls.Load()
	d.Edit(samples, func() { samples.Labels = map[string]string{"touched": "true"} })
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	if got := d.factory.calls.Load() - calls; got != 0 || data.Status.Source.Revision == before {
		t.Errorf("%d calls were made, the source is %+v", got, data.Status.Source)
	}
}

// TestFilesThatCanNoLongerBeMadeAreReplaced takes files that another version of the
// operator, or one with other limits, planned of the same source.
func TestFilesThatCanNoLongerBeMadeAreReplaced(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := d.inlineDataset("data", sentiments(20))
	d.ready(data)
	file := data.Status.Files[0]
	if err := d.api.DeleteFile(d.ctx, file.ID); err != nil {
		t.Fatal(err)
	}
	before := data.DeepCopy()
	data.Status.Files[0].Digest = "sha256:" + strings.Repeat("0", 64)
	if err := cluster.Admin.Status().Patch(d.ctx, data, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	d = d.restarted() // and looks for its files
	d.settle(data, classifierv1alpha1.ReasonProgressing)
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	if got := data.Status.Files; got[0].Digest != file.Digest || len(d.remoteFiles()) != 1 {
		t.Errorf("the dataset has %+v, the factory %+v", got, d.remoteFiles())
	}
}

// TestNothingIsReadThatCannotBeUploaded holds that who waits for others' uploads does
// not read its samples over and over.
func TestNothingIsReadThatCannotBeUploaded(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.configMap("samples", map[string]string{"data": sentiments(20)})
	data := driven(d.dataset("data", "samples", "data"))
	d.Create(data)
	occupy(d.datasets.uploads)
	d.settleAfterShortWait(data, classifierv1alpha1.ReasonWaiting)
	var reads atomic.Int64
	d.datasets.sources.Live = interceptor.NewClient(d.datasets.sources.Live.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
			reads.Add(1)
			return c.Get(ctx, key, object, options...)
		},
	})
	d.settle(data, classifierv1alpha1.ReasonWaiting)
	if reads.Load() != 0 {
		t.Errorf("the ConfigMap was read %d times", reads.Load())
	}
	d.datasets.uploads.Forget(turns.Who{Namespace: "0"})
	d.settle(data, classifierv1alpha1.ReasonUploaded)
}

// TestSamplesThatWaitAMomentAreKept holds that samples are read once if their turn comes
// soon, and that what is kept of them is given back in every other case.
func TestSamplesThatWaitAMomentAreKept(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		then  func(*driver, *classifierv1alpha1.ClassifierDataset)
		reads int64
	}{
		{"its turn comes", func(d *driver, data *classifierv1alpha1.ClassifierDataset) {
			d.datasets.uploads.Forget(turns.Who{Namespace: "0"})
			d.settle(data, classifierv1alpha1.ReasonUploaded)
		}, 1},
		{"the source changes", func(d *driver, data *classifierv1alpha1.ClassifierDataset) {
			samples := &corev1.ConfigMap{}
			d.Get("samples", samples)
			d.Edit(samples, func() { samples.Data["data"] = sentiments(22) })
			d.datasets.uploads.Forget(turns.Who{Namespace: "0"})
			d.settle(data, classifierv1alpha1.ReasonUploaded)
		}, 2},
		{"its turn does not come", func(d *driver, data *classifierv1alpha1.ClassifierDataset) {
			d.settleAfterShortWait(data, classifierv1alpha1.ReasonWaiting)
		}, 1},
		{"it is suspended", func(d *driver, data *classifierv1alpha1.ClassifierDataset) {
			d.Edit(data, func() { data.Spec.Suspend = new(true) })
			d.settle(data, classifierv1alpha1.ReasonSuspended)
		}, 1},
		{"it is deleted", func(d *driver, data *classifierv1alpha1.ClassifierDataset) {
			d.Delete(data)
			d.passUntilGone(data)
			_, _ = d.pass(data)
		}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			var reads atomic.Int64
			d.datasets.sources.Live = interceptor.NewClient(d.datasets.sources.Live.(client.WithWatch), interceptor.Funcs{
				Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
					reads.Add(1)
					return c.Get(ctx, key, object, options...)
				},
			})
			d.configMap("samples", map[string]string{"data": sentiments(20)})
			data := driven(d.dataset("data", "samples", "data"))
			d.Create(data)
			occupy(d.datasets.uploads)
			for range 3 {
				if _, err := d.pass(data); err != nil {
					t.Fatal(err)
				}
			}
			if len(d.datasets.kept.of) != 1 {
				t.Fatal("nothing is kept")
			}
			test.then(d, data)
			if got := reads.Load(); got != test.reads {
				t.Errorf("the ConfigMap was read %d times, want %d", got, test.reads)
			}
			whole := turns.Who{Namespace: "other"}
			if len(d.datasets.kept.of) != 0 || !d.datasets.staging.line.Enter(whole, DefaultStagingBytes, nil) {
				t.Error("something is kept for nobody")
			}
		})
	}
}

// TestUploadThatBrokeOffIsNotShownAsGoingOn crashes the operator while it sends a file,
// and suspends the dataset before it is back, or refuses the file then.
func TestUploadThatBrokeOffIsNotShownAsGoingOn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason string
		next   func(*driver, *classifierv1alpha1.ClassifierDataset)
	}{
		{classifierv1alpha1.ReasonSuspended, func(d *driver, data *classifierv1alpha1.ClassifierDataset) {
			d.Edit(data, func() { data.Spec.Suspend = new(true) })
		}},
		{classifierv1alpha1.ReasonRejected, func(d *driver, _ *classifierv1alpha1.ClassifierDataset) { d.factory.refuseUploadsAfter(0) }},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			occupy(d.datasets.uploads)
			data := driven(d.inlineDataset("data", sentiments(20)))
			d.Create(data)
			d.settleAfterShortWait(data, classifierv1alpha1.ReasonWaiting)
			before := data.DeepCopy()
			data.Status.Files[0].UploadedBytes = new(int64(1))
			if _, err := writeStatus(d.ctx, d.datasets.client, data, &before.Status, &data.Status); err != nil {
				t.Fatal(err)
			}
			d = d.restarted()
			test.next(d, data)
			d.settle(data, test.reason)
			if got := data.Status.Files[0]; got.UploadedBytes != nil {
				t.Errorf("the file is %+v", got)
			}
			if got := meta.FindStatusCondition(data.Status.Conditions, classifierv1alpha1.ConditionUploaded); got.Status != metav1.ConditionFalse || got.Reason != test.reason {
				t.Errorf("Uploaded is %+v", got)
			}
		})
	}
}

// TestConnectionIsPointedAtAnotherFactory changes the Secret, which nobody watches. The
// next look finds out that the files are not there.
func TestConnectionIsPointedAtAnotherFactory(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := d.inlineDataset("data", sentiments(20))
	d.ready(data)
	before := data.Status.Files[0]
	other := startFactory(t, d.apiKey)
	secret := &corev1.Secret{}
	secret.Name = connectionSecret
	d.Edit(secret, func() { secret.StringData = map[string]string{connectionURIKey: other.URL} })
	d.Edit(data, func() { data.Annotations = map[string]string{classifierv1alpha1.ReconcileRequestAnnotation: "now"} })
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	after := data.Status.Files[0]
	if after.ID == before.ID || after.Digest != before.Digest || len(data.Status.History) != 0 {
		t.Errorf("the dataset had %+v and has %+v", before, data.Status)
	}
	if _, err := other.client(t, d.apiKey, d.Namespace.Name).GetFile(d.ctx, after.ID); err != nil {
		t.Error(err)
	}
}
