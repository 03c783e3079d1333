package controller

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestKeyThatMayNotDeleteStillTrains holds that earlier revisions which cannot be
// deleted are no reason not to train on the current one.
func TestKeyThatMayNotDeleteStillTrains(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := d.inlineDataset("data", sentiments(4))
	data.Spec.RevisionHistoryLimit = new(int32(0))
	d.ready(data)
	forbidDeletions(d.factory)
	d.Edit(data, func() { data.Spec.Source.Inline.Data = sentiments(6) })
	if result, err := d.pass(data); err != nil || result.RequeueAfter != pruneRetry {
		t.Errorf("pruning is tried again after %s: %v", result.RequeueAfter, err)
	}
	d.Get("data", data)
	if !isReady(data) || len(data.Status.History) != 1 || len(d.remoteFiles()) != 2 {
		t.Errorf("with %d files at the factory the dataset says %+v", len(d.remoteFiles()), data.Status)
	}

	writes, calls := d.writes.Load(), d.factory.calls.Load()
	if result, err := d.pass(data); err != nil || result.RequeueAfter != pruneRetry {
		t.Errorf("pruning is tried again after %s: %v", result.RequeueAfter, err)
	}
	if got := d.writes.Load() - writes; got != 0 {
		t.Errorf("a second pass made %d writes", got)
	}
	if got := d.factory.calls.Load() - calls; got != 0 {
		t.Errorf("a second pass made %d calls", got)
	}

	d.factory.behave()
	d.datasets.refusals.clock = testclock.NewFakeClock(time.Now().Add(pruneRetry))
	if _, err := d.pass(data); err != nil {
		t.Error(err)
	}
	if files := d.remoteFiles(); len(files) != 1 {
		t.Errorf("what may be deleted now stays: %+v", files)
	}
}

func forbidDeletions(factory *testFactory) {
	interfere := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		if r.Method == http.MethodDelete && strings.HasPrefix(r.URL.Path, "/v1/files/") {
			http.Error(w, `{"detail":"scripted"}`, http.StatusForbidden)
			return
		}
		real.ServeHTTP(w, r)
	}
	factory.interfere.Store(&interfere)
}

// TestFilesGoWhenTheirLastReaderDoes deletes a job that never ended, and with it
// the only reason to keep an earlier revision.
func TestFilesGoWhenTheirLastReaderDoes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data := f.inlineDataset("data", sentiments(20))
	data.Spec.RevisionHistoryLimit = new(int32(0))
	f.Create(data)
	job := f.trainingJob("job", "data")
	job.Spec.Suspend = new(true)
	f.Create(job)
	f.waitFor(job, classifierv1alpha1.ConditionReady, metav1.ConditionFalse, classifierv1alpha1.ReasonSuspended)
	f.Edit(data, func() { data.Spec.Source.Inline.Data = sentiments(22) })
	f.waitUntilReady(data)
	if files := f.remoteFiles(); len(files) != 2 {
		t.Fatalf("the job's file is gone: %+v", files)
	}
	f.Delete(job)
	f.Eventually("waiting for the earlier revision to be deleted", func() error {
		f.Get("data", data)
		if err := equal("files at the factory", len(f.remoteFiles()), 1); err != nil {
			return err
		}
		return equal("revisions in the history", len(data.Status.History), 0)
	})
	f.WaitUntilGone(job)
	if !meta.IsStatusConditionTrue(data.Status.Conditions, classifierv1alpha1.ConditionReady) {
		t.Errorf("the dataset's conditions are %+v", data.Status.Conditions)
	}
}

func TestRevisionsThatMayNotBeDeletedAreLeftAlone(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := d.inlineDataset("data", sentiments(4))
	data.Spec.RevisionHistoryLimit = new(int32(0))
	d.ready(data)
	forbidDeletions(d.factory)
	for _, samples := range []int{6, 8, 10} {
		d.Edit(data, func() { data.Spec.Source.Inline.Data = sentiments(samples) })
		if _, err := d.pass(data); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = d.pass(data)
	calls := d.factory.calls.Load()
	_, _ = d.pass(data)
	if got := d.factory.calls.Load() - calls; got != 0 {
		t.Errorf("a second pass made %d calls", got)
	}
}

// TestFactoryHoldsWhatTheDatasetSays keeps no earlier revision: what the factory holds
// beyond the dataset's files was lost sight of.
func TestFactoryHoldsWhatTheDatasetSays(t *testing.T) {
	t.Parallel()
	t.Run("after changes that leave a file as it is", func(t *testing.T) {
		t.Parallel()
		d, data := newDriverWithSplit(t)
		unchanged := 0
		for _, samples := range []int{61, 62, 63, 64, 60} {
			before := data.Status.Files
			d.Edit(data, func() { data.Spec.Source.Inline.Data = sentiments(samples) })
			d.settle(data, classifierv1alpha1.ReasonUploaded)
			if data.Status.Files[1].Digest == before[1].Digest {
				unchanged++
			}
			d.holdsOnly(data)
		}
		if unchanged == 0 {
			t.Error("each change was one of every file")
		}
	})
	t.Run("after a change while a revision is being uploaded", func(t *testing.T) {
		t.Parallel()
		d, data := newDriverWithSplit(t)
		d.Edit(data, func() { data.Spec.Source.Inline.Data = sentiments(80) })
		d.factory.refuseUploadsAfter(1)
		d.settle(data, classifierv1alpha1.ReasonRejected)
		d.factory.behave()
		d.Edit(data, func() { data.Spec.Source.Inline.Data = sentiments(100) })
		d.settle(data, classifierv1alpha1.ReasonUploaded)
		d.holdsOnly(data)
	})
}

func newDriverWithSplit(t *testing.T) (*driver, *classifierv1alpha1.ClassifierDataset) {
	t.Helper()
	d := newDriver(t)
	data := d.inlineDataset("data", sentiments(60))
	data.Spec.RevisionHistoryLimit = new(int32(0))
	data.Spec.Preparation.Split = &classifierv1alpha1.DatasetSplit{ValidationPercent: new(int32(30))}
	d.ready(data)
	return d, data
}

func (d *driver) holdsOnly(data *classifierv1alpha1.ClassifierDataset) {
	d.Helper()
	var said, held []string
	for _, file := range data.Status.Files {
		said = append(said, file.ID)
	}
	for _, file := range d.remoteFiles() {
		held = append(held, file.ID)
	}
	slices.Sort(said)
	slices.Sort(held)
	if !slices.Equal(said, held) {
		d.Errorf("the factory holds %v, the dataset says %v", held, said)
	}
}

// refuseUploadsAfter lets so many uploads pass.
func (s *testFactory) refuseUploadsAfter(count int64) {
	var uploads atomic.Int64
	interfere := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		if r.Method == http.MethodPost && uploads.Add(1) > count {
			http.Error(w, `{"detail":"scripted"}`, http.StatusUnprocessableEntity)
			return
		}
		real.ServeHTTP(w, r)
	}
	s.interfere.Store(&interfere)
}
