package controller

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	testclock "k8s.io/utils/clock/testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

// testStorage is a server of S3 with one object, which anybody may read.
type testStorage struct {
	*httptest.Server
	status      atomic.Int32 // of all answers, if it is not 0
	cutsContent atomic.Bool  // after its first bytes
	version     atomic.Value // the object's ETag
}

func (d *driver) storage(content string) *testStorage {
	d.Helper()
	s := &testStorage{}
	s.version.Store(`"1"`)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := s.status.Load(); status != 0 {
			w.WriteHeader(int(status))
			return
		}
		w.Header().Set("ETag", s.version.Load().(string))
		if r.Method == http.MethodGet && s.cutsContent.Load() {
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write([]byte(content))
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, "", time.Unix(0, 0), strings.NewReader(content))
	}))
	d.Cleanup(s.Close)
	options := source.DefaultObjectStorageOptions()
	options.PrivateHosts = []string{"127.0.0.1"}
	d.datasets.sources.ObjectStorage = source.NewObjectStorage(options)
	return s
}

func (d *driver) storedDataset(name string, storage *testStorage) *classifierv1alpha1.ClassifierDataset {
	data := driven(d.dataset(name, ""))
	data.Spec.Source = classifierv1alpha1.DatasetSource{ObjectStorage: &classifierv1alpha1.ObjectStorageSource{
		URL: "s3://samples/train.jsonl", Endpoint: storage.URL,
	}}
	return data
}

// TestKeysMayEndWithBlankLines reads files that editors and exports made.
func TestKeysMayEndWithBlankLines(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.configMap("samples", map[string]string{"a": sentiments(4) + "\n", "b": sentiments(6) + " \r\n\n"})
	data := driven(d.dataset("data", "samples", "a", "b", "a"))
	d.Create(data)
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	if got := data.Status.Samples; got.Total != 14 || got.Invalid != 0 {
		t.Errorf("the samples are %+v", got)
	}
}

// TestStorageThatIsAwayDoesNotUnmakeADataset holds that what is uploaded can be
// trained on until the storage says that its source is another one, or none.
func TestStorageThatIsAwayDoesNotUnmakeADataset(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*driver, *testStorage, *classifierv1alpha1.ClassifierDataset)
		reason string // of SourceReady
		ready  bool
	}{
		{"the storage fails", func(_ *driver, s *testStorage, _ *classifierv1alpha1.ClassifierDataset) {
			s.status.Store(http.StatusServiceUnavailable)
		}, classifierv1alpha1.ReasonSourceUnreachable, true},
		{"the storage is away", func(_ *driver, s *testStorage, _ *classifierv1alpha1.ClassifierDataset) { s.Close() },
			classifierv1alpha1.ReasonSourceUnreachable, true},
		{"the storage refuses", func(_ *driver, s *testStorage, _ *classifierv1alpha1.ClassifierDataset) {
			s.status.Store(http.StatusForbidden)
		}, classifierv1alpha1.ReasonSourceAccessDenied, false},
		{"the storage fails, and the spec asks for something else", func(d *driver, s *testStorage, data *classifierv1alpha1.ClassifierDataset) {
			s.status.Store(http.StatusServiceUnavailable)
			d.Edit(data, func() { data.Spec.Preparation.Duplicates = classifierv1alpha1.DuplicatesDrop })
		}, classifierv1alpha1.ReasonSourceUnreachable, false},
		{"there is something new that cannot be read", func(_ *driver, s *testStorage, _ *classifierv1alpha1.ClassifierDataset) {
			s.version.Store(`"2"`)
			s.cutsContent.Store(true)
		}, classifierv1alpha1.ReasonSourceUnreachable, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			storage := d.storage(sentiments(20))
			data := d.storedDataset("data", storage)
			d.Create(data)
			d.settle(data, classifierv1alpha1.ReasonUploaded)

			test.change(d, storage, data)
			d.datasets.looks.clock = testclock.NewFakeClock(time.Now().Add(time.Hour))
			result, err := d.pass(data)
			if err != nil || result.RequeueAfter == 0 || result.RequeueAfter > slowRetry+slowRetry/10 {
				t.Errorf("the storage is looked at again after %s: %v", result.RequeueAfter, err)
			}
			d.Get("data", data)
			if got := meta.FindStatusCondition(data.Status.Conditions, classifierv1alpha1.ConditionSourceReady); got.Reason != test.reason {
				t.Errorf("SourceReady is %+v", got)
			}
			if isReady(data) != test.ready {
				t.Errorf("the conditions are %+v", data.Status.Conditions)
			}
			writes := d.writes.Load()
			if _, err := d.pass(data); err != nil || d.writes.Load() != writes {
				t.Errorf("a second pass made %d writes: %v", d.writes.Load()-writes, err)
			}
		})
	}
}

// TestPartThatCannotBeReadIsNotSkipped takes a broken key where the format has to be
// found out first.
func TestPartThatCannotBeReadIsNotSkipped(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.Create(&corev1.ConfigMap{
		ObjectMeta: d.ObjectMeta("samples"),
		BinaryData: map[string][]byte{"broken": []byte("\x1F\x8B, but no gzip"), "good": []byte("text,label\na,x\nb,y\n")},
	})
	data := driven(d.dataset("data", "samples", "broken", "good"))
	data.Spec.CSV = &classifierv1alpha1.CSVOptions{TextColumn: "text", LabelColumns: []classifierv1alpha1.CSVLabelColumn{{Column: "label"}}}
	d.Create(data)
	d.settle(data, classifierv1alpha1.ReasonInvalidDataset)
	if got := meta.FindStatusCondition(data.Status.Conditions, classifierv1alpha1.ConditionValidated); !strings.Contains(got.Message, string(dataset.CorruptCompression)) {
		t.Errorf("Validated is %+v", got)
	}
}
