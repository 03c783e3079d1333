package controller

import (
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/classifier-factory/classifier-factory/internal/source"
)

// looks remembers when each dataset last looked at what no event tells of: at
// object storage, and whether its files are still at the factory. It is a memory
// of this process only: after a restart every dataset looks once.
type looks struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	entries map[types.NamespacedName]look // by name, because that is what is known of an object that is gone
}

type look struct {
	object      types.UID
	generation  int64
	requestedAt string
	since       time.Time // of what others learnt of the factory's files, nothing older will do
	demanded    time.Time // when a job could not be created for want of a file
	next        time.Time
	source      source.Source // of object storage; others are cheap to resolve, and may hold the samples
	err         error         // why it could not be resolved, or not be read
}

func newLooks(clock clock.PassiveClock) *looks {
	return &looks{clock: clock, entries: map[types.NamespacedName]look{}}
}

// last gives the last look, unless another one is due: the time has come, or the
// user changed the spec or asks for it.
func (l *looks) last(scope *datasetScope) (look, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry, ok := l.entries[scope.name()]
	if !ok || entry.object != scope.object.UID || entry.generation != scope.object.Generation || entry.requestedAt != scope.requestedAt() || !l.clock.Now().Before(entry.next) {
		return look{}, false
	}
	return entry, true
}

func (l *looks) record(scope *datasetScope, resolved source.Source, err error) {
	refresh := time.Duration(scope.object.Spec.RefreshIntervalSeconds) * time.Second
	interval := refresh
	if err != nil {
		interval = min(interval, slowRetry)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	since := now.Add(-min(refresh/5, maxListAge))
	if scope.requestedAt() != scope.written.LastHandledReconcileAt {
		since = now
		if before := l.entries[scope.name()]; before.object == scope.object.UID && before.requestedAt == scope.requestedAt() {
			since = before.since // the request was seen before, and could not be served yet
		}
	}
	demanded := l.entries[scope.name()].demanded
	if demanded.After(since) {
		since = demanded
	}
	if scope.object.Spec.Source.ObjectStorage == nil {
		resolved = nil
	}
	l.entries[scope.name()] = look{
		object:      scope.object.UID,
		generation:  scope.object.Generation,
		requestedAt: scope.requestedAt(),
		since:       since,
		demanded:    demanded,
		// The jitter spreads datasets that were created together.
		next:   now.Add(interval + rand.N(interval/10+1)),
		source: resolved,
		err:    err,
	}
}

// since is from when on what others learnt of the factory's files will do for the look
// that is under way.
func (l *looks) since(scope *datasetScope) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries[scope.name()].since
}

// again sets the time of another look, after one that came to nothing yet.
func (l *looks) again(scope *datasetScope, after time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry := l.entries[scope.name()]
	entry.next = l.clock.Now().Add(after)
	l.entries[scope.name()] = entry
}

// untilNext is how long it is until the next look is due.
func (l *looks) untilNext(scope *datasetScope) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.entries[scope.name()].next.Sub(l.clock.Now()), time.Second)
}

// demand makes a look due at once, for which nothing will do that others learnt before.
func (l *looks) demand(object types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[object] = look{demanded: l.clock.Now()}
}

func (l *looks) forget(object types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.entries, object)
}
