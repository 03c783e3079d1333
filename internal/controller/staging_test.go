package controller

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

func newRoom(t *testing.T, staging *staging, namespace string, reserved int64) *room {
	t.Helper()
	who := turns.Who{Namespace: namespace, Object: "data"}
	if !staging.line.Enter(who, reserved, nil) {
		t.Fatalf("%s has to wait", namespace)
	}
	return &room{staging: staging, who: who, reserved: reserved}
}

func (r *room) mustCreate(t *testing.T) dataset.ScratchFile {
	t.Helper()
	file, err := r.Create()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// TestRoomGrowsAsFarAsThereIsAny writes more than was asked for at first.
func TestRoomGrowsAsFarAsThereIsAny(t *testing.T) {
	staging := newStaging(t.TempDir(), 100)
	mine, other := newRoom(t, staging, "a", 10), newRoom(t, staging, "b", 50)
	first, second := mine.mustCreate(t), mine.mustCreate(t)
	for _, file := range []dataset.ScratchFile{first, second, first} {
		if _, err := file.Write(make([]byte, 15)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := second.Write(make([]byte, 6))
	if short, ok := errors.AsType[*roomError](err); !ok || short.needed != 51 {
		t.Errorf("what another one has was written to: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if _, err := second.Write(make([]byte, 35)); err != nil {
		t.Errorf("what a closed file had cannot be used again: %v", err)
	}
	staging.line.Leave(other.who)
	if _, err := second.Write(make([]byte, 50)); err != nil {
		t.Errorf("what another one gave back cannot be had: %v", err)
	}
	if _, err := second.Write(make([]byte, 1)); err == nil {
		t.Error("more was written than there may be")
	}
	if entries, err := os.ReadDir(staging.directory); err != nil || len(entries) > 0 {
		t.Errorf("the files have names: %v, %v", entries, err)
	}
}

// sorted is a dataset whose samples are sorted on disk: they are more than fits into
// a sorter's memory.
func (d *driver) sorted(name string) *classifierv1alpha1.ClassifierDataset {
	rows := strings.Repeat("x", 200)
	var text strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&text, `{"text": "%d %s", "labels": {"sentiment": "%d"}}`+"\n", i, rows, i%2)
	}
	d.configMap(name, map[string]string{"data": text.String()})
	var keys []string
	for range 16 { // the same samples again and again
		keys = append(keys, "data")
	}
	made := driven(d.dataset(name, name, keys...))
	made.Spec.Preparation.Split = &classifierv1alpha1.DatasetSplit{TestPercent: new(int32(10))}
	return made
}

// readyAfterPass is the condition Ready after a pass.
func (d *driver) readyAfterPass(object *classifierv1alpha1.ClassifierDataset) metav1.Condition {
	d.Helper()
	if _, err := d.pass(object); err != nil {
		d.Fatal(err)
	}
	d.Get(object.Name, object)
	return controllertest.Condition(object, classifierv1alpha1.ConditionReady)
}

// TestStagingIsWaitedFor has a dataset ask for room that another one has, and go on when
// that one is done.
func TestStagingIsWaitedFor(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.datasets.staging = newStaging(t.TempDir(), 64<<20)
	other := newRoom(t, d.datasets.staging, "another", 60<<20)
	waits := d.sorted("waits")
	d.Create(waits)
	ready := d.readyAfterPass(waits)
	if ready.Reason != classifierv1alpha1.ReasonStagingFull || !strings.Contains(ready.Message, "of the 67108864 bytes") {
		t.Errorf("it is %s: %s", ready.Reason, ready.Message)
	}
	if controllertest.Condition(waits, classifierv1alpha1.ConditionReconciling).Status != metav1.ConditionTrue {
		t.Error("it is not said to be on its way")
	}
	if d.datasets.staging.line.Enter(turns.Who{Namespace: "late", Object: "data"}, 60<<20, nil) {
		t.Error("one that came later is not behind it")
	}
	d.datasets.staging.line.Leave(other.who)
	d.settle(waits, classifierv1alpha1.ReasonUploaded)
}

// TestRefusedGrowthGivesEverythingBack has a dataset need more than was expected, and
// more than is left: it must not sit on what it has while it waits.
func TestRefusedGrowthGivesEverythingBack(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.datasets.staging = newStaging(t.TempDir(), 48<<20)
	other := newRoom(t, d.datasets.staging, "another", 24<<20)
	grows := d.sorted("grows")
	d.Create(grows)
	d.expectLittle(grows)
	if ready := d.readyAfterPass(grows); ready.Reason != classifierv1alpha1.ReasonStagingFull {
		t.Errorf("it is %s: %s", ready.Reason, ready.Message)
	}
	third := newRoom(t, d.datasets.staging, "third", 24<<20)
	var asksFor int64
	if _, err := fmt.Sscanf(d.readyAfterPass(grows).Message, "waits for %d", &asksFor); err != nil || asksFor < 40<<20 {
		t.Errorf("it asks for %d bytes then, %v", asksFor, err)
	}
	for _, one := range []*room{other, third} {
		d.datasets.staging.line.Leave(one.who)
	}
	d.settle(grows, classifierv1alpha1.ReasonUploaded)
}

// expectLittle lets a dataset ask for little at first.
func (d *driver) expectLittle(object *classifierv1alpha1.ClassifierDataset) {
	d.Helper()
	scope := newDatasetScope(object)
	if resolved, err := d.datasets.resolveSource(d.ctx, scope); err != nil || resolved.verdict != proceeds {
		d.Fatal(resolved, err)
	}
	d.datasets.staging.learn(scope, minRoom)
}

// TestTwoThatGrowDoNotBlockEachOther has two datasets that both need more than half of
// the room, and both ask for less at first.
func TestTwoThatGrowDoNotBlockEachOther(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.datasets.staging = newStaging(t.TempDir(), 48<<20)
	first, second := d.sorted("first"), d.sorted("second")
	d.Create(first)
	d.Create(second)
	for _, object := range []*classifierv1alpha1.ClassifierDataset{first, second} {
		d.expectLittle(object)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.settle(first, classifierv1alpha1.ReasonUploaded)
	}()
	d.settle(second, classifierv1alpha1.ReasonUploaded)
	<-ended
}

// TestMoreThanTheStagingHolds has a dataset that no other one's end makes room for.
func TestMoreThanTheStagingHolds(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.datasets.staging = newStaging(t.TempDir(), 2<<20)
	large := d.sorted("large")
	d.Create(large)
	ready := d.readyAfterPass(large)
	if ready.Reason != classifierv1alpha1.ReasonStagingTooSmall || !strings.Contains(ready.Message, "--staging-bytes") {
		t.Errorf("it is %s: %s", ready.Reason, ready.Message)
	}
	if controllertest.Condition(large, classifierv1alpha1.ConditionStalled).Status != metav1.ConditionTrue {
		t.Error("it is not said to be stalled")
	}
	// It is not read again in vain: nothing is on disk, and a small one has the room.
	d.datasets.staging.directory = "/nowhere"
	if again := d.readyAfterPass(large); again.Reason != classifierv1alpha1.ReasonStagingTooSmall {
		t.Errorf("then it is %s: %s", again.Reason, again.Message)
	}
	d.datasets.staging.directory = t.TempDir()
	small := driven(d.inlineDataset("small", sentiments(40)))
	d.Create(small)
	d.settle(small, classifierv1alpha1.ReasonUploaded)
	d.Edit(large, func() { large.Spec.Source.ConfigMaps = large.Spec.Source.ConfigMaps[:1] })
	d.settle(large, classifierv1alpha1.ReasonUploaded)
}

// TestWhoNoLongerWantsRoomKeepsNobodyOut suspends and deletes datasets that were about
// to have room.
func TestWhoNoLongerWantsRoomKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason string
		gives  func(d *driver, object *classifierv1alpha1.ClassifierDataset)
	}{
		{"suspended", func(d *driver, object *classifierv1alpha1.ClassifierDataset) {
			d.Edit(object, func() { object.Spec.Suspend = new(true) })
		}},
		{"deleted", func(d *driver, object *classifierv1alpha1.ClassifierDataset) { d.Delete(object) }},
	} {
		t.Run(test.reason, func(t *testing.T) {
			d := newDriver(t)
			d.datasets.staging = newStaging(t.TempDir(), 1<<20)
			other := newRoom(t, d.datasets.staging, "another", 1<<20)
			gives := driven(d.inlineDataset("gives", sentiments(40)))
			d.Create(gives)
			d.readyAfterPass(gives)
			d.datasets.staging.line.Leave(other.who) // and so it is its turn
			test.gives(d, gives)
			for range 2 {
				_, _ = d.pass(gives)
			}
			newRoom(t, d.datasets.staging, "late", 1<<20)
		})
	}
}

// TestFullDiskIsSaid holds that a disk with less room than the flag says is told of in
// a sentence.
func TestFullDiskIsSaid(t *testing.T) {
	t.Parallel()
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		staging := newStaging(t.TempDir(), 100)
		result, ok := staging.unstaged(nil, fmt.Errorf("temporary file: %w", &os.PathError{Op: "write", Err: full}))
		if !ok || result.reason != classifierv1alpha1.ReasonStagingFull || result.after != time.Minute || !strings.Contains(result.message, "is full") {
			t.Errorf("%v: %+v", full, result)
		}
	}
}
