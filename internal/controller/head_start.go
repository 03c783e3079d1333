package controller

import (
	"context"
	"maps"
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
	ctx, stop := context.WithCancel(ctx)
	unsettled, err := h.all.WatchWithContext(ctx, selected)
	if err != nil {
		stop()
		return nil, err
	}
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

	// told is what either watch told, until the watch of all is the only one.
	told map[types.NamespacedName]toldObject
}

type toldObject struct {
	version   string
	unsettled runtime.Object // nil once the watch of all has told of it
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
			w.note(event.Object, event.Object)
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
			case (event.Type == watch.Added || event.Type == watch.Modified) && w.isNews(event.Object):
				w.note(event.Object, event.Object)
				w.send(event)
			}
			// One that is deleted may only be settled: all tell.
		case event, ok := <-all.ResultChan():
			if !ok || event.Type == watch.Error {
				return false
			}
			if version, ok := isInitialEnd(event); ok {
				w.tellDeleted(version)
				w.told = maps.Clone(w.told) // without the room for all
				return w.send(event)
			}
			if w.pass(event) {
				w.note(event.Object, nil)
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

// pass passes an event of the watch of all, unless the object was told of later.
func (w *headStartWatch) pass(event watch.Event) bool {
	if event.Type != watch.Bookmark {
		if w.isOld(event.Object) {
			return false
		}
		delete(w.told, nameOf(event.Object))
	}
	return w.send(event)
}

// tellDeleted tells of the unsettled objects that were not among all of a version, though
// older than that.
func (w *headStartWatch) tellDeleted(version string) {
	for name, told := range w.told {
		isNewer := isBefore(version, told.version)
		if told.unsettled != nil && !isNewer {
			w.send(watch.Event{Type: watch.Deleted, Object: told.unsettled})
		}
		if told.unsettled == nil || !isNewer {
			delete(w.told, name)
		}
	}
}

// note remembers what is told of an object, and by which watch. The watch of all, once it
// has told of one, also tells of its end.
func (w *headStartWatch) note(object, unsettled runtime.Object) {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return
	}
	name := nameOf(object)
	if told, ok := w.told[name]; ok && told.unsettled == nil {
		unsettled = nil
	}
	w.told[name] = toldObject{version: accessor.GetResourceVersion(), unsettled: unsettled}
}

// isOld reports whether a later version of an object was told of.
func (w *headStartWatch) isOld(object runtime.Object) bool {
	accessor, err := meta.Accessor(object)
	return err == nil && isBefore(accessor.GetResourceVersion(), w.told[nameOf(object)].version)
}

// isNews reports whether neither this version of an object nor a later one was told of.
func (w *headStartWatch) isNews(object runtime.Object) bool {
	told, ok := w.told[nameOf(object)]
	accessor, err := meta.Accessor(object)
	return !ok || err != nil || isBefore(told.version, accessor.GetResourceVersion())
}

// nameOf is the name of an object; none of what is no object, such as an error.
func nameOf(object runtime.Object) types.NamespacedName {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return types.NamespacedName{}
	}
	return types.NamespacedName{Namespace: accessor.GetNamespace(), Name: accessor.GetName()}
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
