package controller

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

// prefixStorage is a server of S3 with objects of one content under samples/.
type prefixStorage struct {
	*httptest.Server
	names atomic.Pointer[[]string]
	reads atomic.Int64
}

func (d *driver) prefixStorage(content string, names ...string) *prefixStorage {
	d.Helper()
	s := &prefixStorage{}
	s.names.Store(&names)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("list-type") {
			s.reads.Add(1)
			w.Header().Set("ETag", `"1"`)
			http.ServeContent(w, r, "", time.Unix(0, 0), strings.NewReader(content))
			return
		}
		fmt.Fprint(w, "<ListBucketResult>")
		for _, name := range *s.names.Load() {
			fmt.Fprintf(w, `<Contents><Key>samples/%s</Key><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>"1"</ETag><Size>%d</Size></Contents>`, name, len(content))
		}
		fmt.Fprint(w, "</ListBucketResult>")
	}))
	d.Cleanup(s.Close)
	options := source.DefaultObjectStorageOptions()
	options.PrivateHosts = []string{"127.0.0.1"}
	d.datasets.sources.ObjectStorage = source.NewObjectStorage(options)
	return s
}

func (d *driver) prefixDataset(storage *prefixStorage, include ...string) *classifierv1alpha1.ClassifierDataset {
	data := driven(d.dataset("data", ""))
	data.Spec.Source = classifierv1alpha1.DatasetSource{ObjectStorage: &classifierv1alpha1.ObjectStorageSource{
		URL: "s3://bucket/samples/", Endpoint: storage.URL, Include: include,
	}}
	return data
}

// TestDatasetSaysWhatIsLeftOut holds that what is left out is told, and that it is none of
// the dataset's samples: when it changes, nothing is read again.
func TestDatasetSaysWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	storage := d.prefixStorage(sentiments(20), ".part-0.crc", "_SUCCESS", "part-0")
	data := d.prefixDataset(storage)
	says := func(want string) {
		t.Helper()
		d.Get("data", data)
		if got := meta.FindStatusCondition(data.Status.Conditions, classifierv1alpha1.ConditionSourceReady); got.Message != want {
			t.Errorf("SourceReady is %+v, want %q", got, want)
		}
	}
	d.Create(data)
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	says("the source can be read; 2 objects are left out: .part-0.crc, _SUCCESS")
	if data.Status.Samples.Total != 20 {
		t.Errorf("the samples are %+v", data.Status.Samples)
	}

	storage.names.Store(&[]string{"_metadata", "part-0"})
	d.clock.ahead.Add(int64(time.Hour))
	if _, err := d.pass(data); err != nil {
		t.Fatal(err)
	}
	says("the source can be read; 1 object is left out: _metadata")
	if reads := storage.reads.Load(); reads != 1 || !isReady(data) {
		t.Errorf("after %d reads the conditions are %+v", reads, data.Status.Conditions)
	}

	d.Edit(data, func() { data.Spec.Source.ObjectStorage.Include = []string{"*.jsonl"} })
	d.settle(data, classifierv1alpha1.ReasonSourceNotFound)
	says("there is nothing to read under s3://bucket/samples/: 2 objects are left out: _metadata, part-0 (1 by their names, 1 that no pattern of include matches)")
}

func TestPatternThatCannotBeUsedIsTerminal(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := d.prefixDataset(d.prefixStorage(sentiments(20), "part-0"), "*", "[")
	d.Create(data)
	d.settle(data, classifierv1alpha1.ReasonSourceInvalidURL)
	stalled := meta.FindStatusCondition(data.Status.Conditions, classifierv1alpha1.ConditionStalled)
	if stalled == nil || !strings.Contains(stalled.Message, `include has the pattern "["`) {
		t.Errorf("Stalled is %+v", stalled)
	}
}
