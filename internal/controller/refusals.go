package controller

import (
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
	entries map[types.UID]refusal
}

type refusal struct {
	request string // fingerprint of everything the call was made of
	err     error
	until   time.Time
}

func newRefusals(clock clock.PassiveClock) *refusals {
	return &refusals{clock: clock, entries: map[types.UID]refusal{}}
}

// check returns the error with which this very call was refused before.
func (r *refusals) check(object types.UID, request string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	entry, ok := r.entries[object]
	if !ok || entry.request != request || r.clock.Now().After(entry.until) {
		return nil
	}
	return entry.err
}

// learn takes in how a call went and passes its error on.
func (r *refusals) learn(object types.UID, request string, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.entries, object)
	if err == nil {
		return nil
	}
	pauses := map[failureClass]time.Duration{slow: slowRetry, terminal: terminalRetry}
	if pause, ok := pauses[classify(err).class]; ok {
		r.entries[object] = refusal{request: request, err: err, until: r.clock.Now().Add(pause)}
	}
	return err
}

func (r *refusals) forget(object types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.entries, object)
}
