package controller

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// jobLooks remembers when each job is to look again at what no event tells of: at its
// model, or for a job that the factory lost. It is a memory of this process only:
// after a restart every such job looks once.
type jobLooks struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	entries map[types.NamespacedName]jobLook // by name, because that is what is known of an object that is gone
}

type jobLook struct {
	object      types.UID
	connection  string // that was looked through
	requestedAt string
	requested   time.Time // when the request was first seen; zero if there was none
	next        time.Time
}

func newJobLooks(clock clock.PassiveClock) *jobLooks {
	return &jobLooks{clock: clock, entries: map[types.NamespacedName]jobLook{}}
}

// due reports whether it is time to look: at first, from time to time, through another
// connection, and when the user asks for it. Then requested is since when.
func (l *jobLooks) due(scope *jobScope, connection string) (requested time.Time, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name, now := client.ObjectKeyFromObject(scope.object), l.clock.Now()
	entry, known := l.entries[name]
	if !known || entry.object != scope.object.UID || entry.connection != connection || entry.requestedAt != scope.requestedAt() {
		entry = jobLook{object: scope.object.UID, connection: connection, requestedAt: scope.requestedAt(), next: now}
		if entry.requestedAt != scope.written.LastHandledReconcileAt {
			entry.requested = now
		}
		l.entries[name] = entry
	}
	return entry.requested, !now.Before(entry.next)
}

// again sets the time of the next look, after one that came to nothing yet.
func (l *jobLooks) again(scope *jobScope, after time.Duration) {
	l.change(scope, func(entry *jobLook) { entry.next = l.clock.Now().Add(after) })
}

// looked sets the time of the next look, after one that answered the user's request.
func (l *jobLooks) looked(scope *jobScope, after time.Duration) {
	l.change(scope, func(entry *jobLook) { entry.next, entry.requested = l.clock.Now().Add(after), time.Time{} })
}

func (l *jobLooks) change(scope *jobScope, change func(*jobLook)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := client.ObjectKeyFromObject(scope.object)
	entry := l.entries[name]
	change(&entry)
	l.entries[name] = entry
}

// untilNext is how long it is until the next look.
func (l *jobLooks) untilNext(scope *jobScope) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.entries[client.ObjectKeyFromObject(scope.object)].next.Sub(l.clock.Now()), time.Second)
}

func (l *jobLooks) forget(name types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.entries, name)
}
