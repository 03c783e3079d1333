package controller

import (
	"context"
	"fmt"
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// scriptedWatches are what an API server tells a watch of the unsettled objects and a
// watch of all.
type scriptedWatches struct{ unsettled, all *watch.FakeWatcher }

func newScriptedWatches() *scriptedWatches {
	return &scriptedWatches{unsettled: watch.NewFake(), all: watch.NewFake()}
}

func (w *scriptedWatches) open(_ context.Context, options metav1.ListOptions) (watch.Interface, error) {
	if options.FieldSelector != "" {
		return w.unsettled, nil
	}
	return w.all, nil
}

func watchedDataset(name, version string) *classifierv1alpha1.ClassifierDataset {
	return &classifierv1alpha1.ClassifierDataset{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), ResourceVersion: version}}
}

func endOfInitial(version string) runtime.Object {
	end := watchedDataset("", version)
	end.Annotations = map[string]string{metav1.InitialEventsAnnotationKey: "true"}
	return end
}

// TestHeadStart lets the API server tell of what is unsettled, at version 10, and then of
// all, at version 20.
func TestHeadStart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason string
		tell   func(*scriptedWatches)
		want   []string
	}{
		{"what is done comes after", func(w *scriptedWatches) {
			w.all.Add(watchedDataset("done", "3"))
			w.all.Add(watchedDataset("new", "9"))
			w.all.Action(watch.Bookmark, endOfInitial("20"))
		}, []string{"ADDED done 3", "ADDED new 9", "BOOKMARK  20"}},
		{"what becomes of the new one meanwhile is told at once", func(w *scriptedWatches) {
			w.all.Add(watchedDataset("done", "3"))
			w.unsettled.Modify(watchedDataset("new", "21"))
			w.all.Action(watch.Bookmark, endOfInitial("20"))
		}, []string{"ADDED done 3", "MODIFIED new 21", "BOOKMARK  20"}},
		{"nobody goes back to what was before", func(w *scriptedWatches) {
			w.unsettled.Modify(watchedDataset("new", "21"))
			w.all.Add(watchedDataset("new", "19"))
			w.all.Action(watch.Bookmark, endOfInitial("20"))
			w.all.Modify(watchedDataset("new", "20"))
			w.all.Modify(watchedDataset("new", "21"))
		}, []string{"MODIFIED new 21", "BOOKMARK  20", "MODIFIED new 21"}},
		{"what all told first is not taken to be deleted", func(w *scriptedWatches) {
			w.all.Add(watchedDataset("new", "9"))
			w.all.Add(watchedDataset("newer", "15"))
			w.unsettled.Add(watchedDataset("newer", "15"))
			w.unsettled.Modify(watchedDataset("newer", "16"))
			w.all.Action(watch.Bookmark, endOfInitial("20"))
		}, []string{"ADDED new 9", "ADDED newer 15", "MODIFIED newer 16", "BOOKMARK  20"}},
		{"what is told late is no news", func(w *scriptedWatches) {
			w.all.Add(watchedDataset("new", "15"))
			w.unsettled.Modify(watchedDataset("new", "12"))
			w.all.Action(watch.Bookmark, endOfInitial("20"))
		}, []string{"ADDED new 15", "BOOKMARK  20"}},
		{"it was deleted in between", func(w *scriptedWatches) {
			w.all.Add(watchedDataset("done", "3"))
			w.all.Action(watch.Bookmark, endOfInitial("20"))
		}, []string{"ADDED done 3", "DELETED new 9", "BOOKMARK  20"}},
		{"it was created anew in between", func(w *scriptedWatches) {
			again := watchedDataset("new", "15")
			again.UID = "again"
			w.all.Add(again)
			w.all.Action(watch.Bookmark, endOfInitial("20"))
		}, []string{"ADDED new 15", "BOOKMARK  20"}},
		{"what is settled is not deleted", func(w *scriptedWatches) {
			w.unsettled.Delete(watchedDataset("new", "12"))
			w.all.Add(watchedDataset("new", "12"))
			w.all.Action(watch.Bookmark, endOfInitial("20"))
		}, []string{"ADDED new 12", "BOOKMARK  20"}},
		{"one that is newer than all is not deleted", func(w *scriptedWatches) {
			w.unsettled.Add(watchedDataset("newest", "21"))
			w.all.Add(watchedDataset("new", "9"))
			w.all.Action(watch.Bookmark, endOfInitial("20"))
			w.all.Add(watchedDataset("newest", "21"))
		}, []string{"ADDED newest 21", "ADDED new 9", "BOOKMARK  20", "ADDED newest 21"}},
		{"afterwards it is a watch like any other", func(w *scriptedWatches) {
			w.all.Add(watchedDataset("new", "9"))
			w.all.Action(watch.Bookmark, endOfInitial("20"))
			w.all.Modify(watchedDataset("new", "22"))
			w.all.Delete(watchedDataset("new", "23"))
		}, []string{"ADDED new 9", "BOOKMARK  20", "MODIFIED new 22", "DELETED new 23"}},
		{"the unsettled ones break off", func(w *scriptedWatches) {
			w.unsettled.Stop()
			w.all.Add(watchedDataset("new", "9"))
			w.all.Action(watch.Bookmark, endOfInitial("20"))
		}, []string{"ADDED new 9", "BOOKMARK  20"}},
		{"all break off", func(w *scriptedWatches) {
			w.all.Add(watchedDataset("done", "3"))
			w.all.Stop()
		}, []string{"ADDED done 3", "ERROR Expired"}},
		{"all break off after the end", func(w *scriptedWatches) {
			w.all.Add(watchedDataset("new", "9"))
			w.all.Action(watch.Bookmark, endOfInitial("20"))
		}, []string{"ADDED new 9", "BOOKMARK  20"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			server := newScriptedWatches()
			headStart := withHeadStart(&toolscache.ListWatch{WatchFuncWithContext: server.open}, "Uploaded").(toolscache.ListerWatcherWithContext)
			watched, err := headStart.WatchWithContext(t.Context(), metav1.ListOptions{SendInitialEvents: new(true)})
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				server.unsettled.Add(watchedDataset("new", "9"))
				server.unsettled.Action(watch.Bookmark, endOfInitial("10"))
				test.tell(server)
				server.all.Stop()
			}()
			told := tellAll(watched)
			if want := append([]string{"ADDED new 9", "BOOKMARK  10"}, test.want...); !slices.Equal(told, want) {
				t.Errorf("it tells %q,\nwant %q", told, want)
			}
		})
	}
}

// tellAll gives what a watch tells until it ends.
func tellAll(watched watch.Interface) (told []string) {
	for event := range watched.ResultChan() {
		if event.Type == watch.Error {
			told = append(told, "ERROR "+string(apierrors.ReasonForError(apierrors.FromObject(event.Object))))
			continue
		}
		object := event.Object.(*classifierv1alpha1.ClassifierDataset)
		told = append(told, string(event.Type)+" "+object.Name+" "+object.ResourceVersion)
	}
	return told
}

// TestOnlyTheFirstWatchHasAHeadStart holds that a cache that is filled again gets all
// objects at once: what did not come would be taken to be deleted.
func TestOnlyTheFirstWatchHasAHeadStart(t *testing.T) {
	t.Parallel()
	var selectors []string
	open := func(_ context.Context, options metav1.ListOptions) (watch.Interface, error) {
		selectors = append(selectors, options.FieldSelector)
		return nil, apierrors.NewTooManyRequestsError("not now")
	}
	headStart := withHeadStart(&toolscache.ListWatch{WatchFuncWithContext: open}, "Uploaded").(toolscache.ListerWatcherWithContext)
	for _, options := range []metav1.ListOptions{
		{ResourceVersion: "5"}, // after a list
		{SendInitialEvents: new(true)},
		{SendInitialEvents: new(true)},
	} {
		if _, err := headStart.WatchWithContext(t.Context(), options); err == nil {
			t.Fatal("it is watched although the API server refuses")
		}
	}
	if want := []string{"", "status.state!=Uploaded", ""}; !slices.Equal(selectors, want) {
		t.Errorf("it selects %q, want %q", selectors, want)
	}
}

// TestCacheIsFilledWithTheUnsettledAndThenAll opens the cache of an operator that starts in
// a namespace where some is done and some is not.
func TestCacheIsFilledWithTheUnsettledAndThenAll(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	done, invalid := f.inlineDataset("done", sentiments(20)), f.inlineDataset("waits", "{}")
	trained, waiting := f.trainingJob("done", "done"), f.trainingJob("waits", "waits")
	for _, object := range []client.Object{done, invalid, trained, waiting} {
		f.Create(object)
	}
	f.waitUntilReady(trained)
	f.waitFor(invalid, classifierv1alpha1.ConditionReady, metav1.ConditionFalse, classifierv1alpha1.ReasonInvalidSamples)

	options := CacheOptions(f.Namespace.Name)
	options.Scheme = cluster.Scheme
	filled, err := cache.New(cluster.Operator, options)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = filled.Start(t.Context()) }()
	for _, test := range []struct {
		kind     client.Object
		list     client.ObjectList
		selector string
	}{
		{&classifierv1alpha1.ClassifierDataset{}, &classifierv1alpha1.ClassifierDatasetList{}, "status.state!=" + classifierv1alpha1.ReasonUploaded},
		{&classifierv1alpha1.ClassifierTrainingJob{}, &classifierv1alpha1.ClassifierTrainingJobList{}, "status.state!=" + string(mistral.JobSuccess)},
	} {
		selected := client.MatchingFieldsSelector{Selector: fields.ParseSelectorOrDie(test.selector)}
		if err := cluster.Admin.List(t.Context(), test.list, client.InNamespace(f.Namespace.Name), selected); err != nil {
			t.Fatal(err)
		}
		if names := namesIn(t, test.list); !slices.Equal(names, []string{"waits"}) {
			t.Errorf("of %T unsettled are %q", test.kind, names)
		}
		if _, err := filled.GetInformer(t.Context(), test.kind); err != nil {
			t.Fatal(err)
		}
		f.Eventually("all to be in the cache", func() error {
			if err := filled.List(t.Context(), test.list); err != nil {
				return err
			}
			if names := namesIn(t, test.list); !slices.Equal(names, []string{"done", "waits"}) {
				return fmt.Errorf("of %T it has %q", test.kind, names)
			}
			return nil
		})
	}
}

func namesIn(t *testing.T, list client.ObjectList) (names []string) {
	t.Helper()
	err := meta.EachListItem(list, func(object runtime.Object) error {
		names = append(names, object.(client.Object).GetName())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}
