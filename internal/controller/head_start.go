package controller

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// stateField is what the API server tells objects apart by.
const stateField = "status.state"

// newInformer makes the cache of a kind. It counts as filled as soon as it has what is
// unsettled, a few objects of many thousands: those that are done come after, one by one.
func newInformer(all toolscache.ListerWatcher, object runtime.Object, resync time.Duration, indexers toolscache.Indexers) toolscache.SharedIndexInformer {
	switch object.(type) {
	case *classifierv1alpha1.ClassifierDataset:
		all = withHeadStart(all, classifierv1alpha1.ReasonUploaded)
	case *classifierv1alpha1.ClassifierTrainingJob:
		all = withHeadStart(all, string(mistral.JobSuccess))
	}
	return toolscache.NewSharedIndexInformer(all, object, resync, indexers)
}

// headStart gives the first watch of a kind's objects a head start.
type headStart struct {
	all       toolscache.ListerWatcherWithContext
	unsettled string // selects the objects that come first
	given     bool
}

// withHeadStart lets the objects come first whose state is another one than that in which
// nothing is to be done.
func withHeadStart(all toolscache.ListerWatcher, settled string) toolscache.ListerWatcher {
	h := &headStart{
		all:       toolscache.ToListerWatcherWithContext(all),
		unsettled: fields.OneTermNotEqualSelector(stateField, settled).String(),
	}
	return &toolscache.ListWatch{ListWithContextFunc: h.all.ListWithContext, WatchFuncWithContext: h.watch}
}

// watch opens a watch. Only the first one that begins with all objects has a head start:
// a cache that is filled again would take what comes later to be deleted.
func (h *headStart) watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	if h.given || options.SendInitialEvents == nil || !*options.SendInitialEvents {
		return h.all.WatchWithContext(ctx, options)
	}
	h.given = true
	selected := options
	selected.FieldSelector = h.unsettled
	unsettled, err := h.all.WatchWithContext(ctx, selected)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	w := &headStartWatch{
		unsettled: unsettled,
		openAll: func(version string) (watch.Interface, error) {
			options.ResourceVersion = version
			return h.all.WatchWithContext(ctx, options)
		},
		events:  make(chan watch.Event),
		stop:    stop,
		stopped: ctx.Done(),
		told:    map[types.NamespacedName]toldObject{},
	}
	go w.run()
	return w, nil
}

// headStartWatch tells of the unsettled objects, says that these are all, and then tells
// of all, as of objects that are new.
type headStartWatch struct {
	unsettled watch.Interface
	openAll   func(version string) (watch.Interface, error) // of this version or a later one
	events    chan watch.Event
	stop      context.CancelFunc
	stopped   <-chan struct{}

	// told are the unsettled objects that the watch of all has not told of yet.
	told map[types.NamespacedName]toldObject
}

type toldObject struct {
	object  runtime.Object
	version string
}

// Stop implements watch.Interface.
func (w *headStartWatch) Stop() { w.stop() }

// ResultChan implements watch.Interface.
func (w *headStartWatch) ResultChan() <-chan watch.Event { return w.events }

func (w *headStartWatch) run() {
	defer close(w.events)
	defer w.stop()
	defer w.unsettled.Stop()
	version := w.tellUnsettled()
	if version == "" {
		return // and the reflector begins anew, with all
	}
	all, err := w.openAll(version)
	if err != nil {
		w.expire()
		return
	}
	defer all.Stop()
	if !w.tellAll(all) {
		w.expire()
		return
	}
	w.unsettled.Stop()
	w.follow(all)
}

// tellUnsettled gives the version of what it told; none if it broke off.
func (w *headStartWatch) tellUnsettled() (version string) {
	for event := range w.unsettled.ResultChan() {
		if event.Type != watch.Bookmark {
			w.note(event.Object)
		}
		if !w.send(event) {
			return ""
		}
		if version, ok := isInitialEnd(event); ok {
			return version
		}
	}
	return ""
}

// tellAll tells of all there are, and meanwhile of what becomes of the unsettled ones. It
// reports whether it came to the end.
func (w *headStartWatch) tellAll(all watch.Interface) bool {
	unsettled := w.unsettled.ResultChan()
	for {
		select {
		case <-w.stopped:
			return true
		case event, ok := <-unsettled:
			switch {
			case !ok || event.Type == watch.Error:
				unsettled = nil // whatever it would have told comes with all
			case event.Type == watch.Added || event.Type == watch.Modified:
				w.note(event.Object)
				w.send(event)
			}
			// One that is deleted may only be settled: all tell.
		case event, ok := <-all.ResultChan():
			if !ok || event.Type == watch.Error {
				return false
			}
			version, isEnd := isInitialEnd(event)
			if isEnd {
				w.tellDeleted(version)
			}
			w.pass(event)
			if isEnd {
				return true
			}
		}
	}
}

// follow tells what becomes of all.
func (w *headStartWatch) follow(all watch.Interface) {
	for {
		select {
		case <-w.stopped:
			return
		case event, ok := <-all.ResultChan():
			if !ok {
				return
			}
			w.pass(event)
		}
	}
}

// pass passes an event of the watch of all, unless the unsettled object was told of later.
func (w *headStartWatch) pass(event watch.Event) {
	if accessor, err := meta.Accessor(event.Object); err == nil && event.Type != watch.Bookmark {
		name := nameOf(accessor)
		if told, ok := w.told[name]; ok && isBefore(accessor.GetResourceVersion(), told.version) {
			return
		}
		delete(w.told, name)
	}
	w.send(event)
}

// tellDeleted tells of the unsettled objects that were not among all of a version, though
// older than that.
func (w *headStartWatch) tellDeleted(version string) {
	for name, told := range w.told {
		if !isBefore(version, told.version) {
			delete(w.told, name)
			w.send(watch.Event{Type: watch.Deleted, Object: told.object})
		}
	}
}

func (w *headStartWatch) note(object runtime.Object) {
	if accessor, err := meta.Accessor(object); err == nil {
		w.told[nameOf(accessor)] = toldObject{object: object, version: accessor.GetResourceVersion()}
	}
}

func nameOf(object metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}
}

// expire lets the reflector begin anew: it must not go on from a part of all.
func (w *headStartWatch) expire() {
	expired := apierrors.NewResourceExpired("the first watch of all objects broke off").Status()
	w.send(watch.Event{Type: watch.Error, Object: &expired})
}

func (w *headStartWatch) send(event watch.Event) bool {
	select {
	case w.events <- event:
		return true
	case <-w.stopped:
		return false
	}
}

// isInitialEnd reports whether an event says that all objects of a version were told.
func isInitialEnd(event watch.Event) (version string, ok bool) {
	if event.Type != watch.Bookmark {
		return "", false
	}
	accessor, err := meta.Accessor(event.Object)
	if err != nil || accessor.GetAnnotations()[metav1.InitialEventsAnnotationKey] != "true" {
		return "", false
	}
	return accessor.GetResourceVersion(), true
}
