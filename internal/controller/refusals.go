package controller

import (
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

const (
	// slowRetry is how long a call is not repeated that a credential does not allow.
	slowRetry = time.Minute
	// terminalRetry is how long a call is not repeated that a factory refused as it
	// is. Now and then it is: factories are upgraded, too.
	terminalRetry = time.Hour
)

// refusals remembers calls that a factory refused, so that they are not repeated
// while everything they were made of is the same. It is a memory of this process
// only: after a restart each refused call is made once more.
type refusals struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	entries map[types.UID]map[string]refusal // by the request's fingerprint
}

type refusal struct {
	err   error
	until time.Time
}

func newRefusals(clock clock.PassiveClock) *refusals {
	return &refusals{clock: clock, entries: map[types.UID]map[string]refusal{}}
}

// check returns the error with which a call was refused that was made of the
// same: request is the fingerprint of all of it.
func (r *refusals) check(object types.UID, request string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if refused := r.entries[object][request]; !r.clock.Now().After(refused.until) {
		return refused.err
	}
	return nil
}

// learn takes in how a call went and passes its error on.
func (r *refusals) learn(object types.UID, request string, err error) error {
	r.drop(object, request)
	pauses := map[failureClass]time.Duration{slow: slowRetry, terminal: terminalRetry}
	if err == nil {
		return nil
	}
	if pause, ok := pauses[classify(err).class]; ok {
		r.remember(object, request, err, pause)
	}
	return err
}

func (r *refusals) drop(object types.UID, request string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.entries[object], request)
}

// remember keeps a call from being repeated for so long.
func (r *refusals) remember(object types.UID, request string, err error, pause time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgetOld()
	if r.entries[object] == nil {
		r.entries[object] = map[string]refusal{}
	}
	r.entries[object][request] = refusal{err: err, until: r.clock.Now().Add(pause)}
}

// forgetOld forgets whatever is over, also of objects that went without a word.
func (r *refusals) forgetOld() {
	now := r.clock.Now()
	maps.DeleteFunc(r.entries, func(_ types.UID, requests map[string]refusal) bool {
		maps.DeleteFunc(requests, func(_ string, entry refusal) bool { return now.After(entry.until) })
		return len(requests) == 0
	})
}

func (r *refusals) forget(object types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.entries, object)
}
