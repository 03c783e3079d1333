package connection

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/clock"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	// A refused key stays refused until somebody acts, and acting gives another connection.
	refusedPause = time.Minute
	// A factory that restarts is back within seconds; one that is gone is asked once a minute.
	minFailurePause = 500 * time.Millisecond
	maxFailurePause = time.Minute
)

// ClosedError is a call that was not made.
type ClosedError struct {
	RetryAfter time.Duration
	// Cause is the failure for which the connection pauses. Nil when the budget is spent.
	Cause error
}

func (e *ClosedError) Error() string {
	if e.Cause == nil {
		return fmt.Sprintf("no calls are left for the next %s", e.RetryAfter.Round(time.Millisecond))
	}
	return e.Cause.Error()
}

func (e *ClosedError) Unwrap() error { return e.Cause }

// gate decides which calls are made. After a failure that concerns the whole
// connection it lets none through for a while, so that a thousand objects learn
// of it from one call.
type gate struct {
	clock  clock.PassiveClock
	budget *rate.Limiter

	mu       sync.Mutex
	until    time.Time
	cause    error
	failures int // in a row
}

// enter says whether a call may be made now. It never sleeps.
func (g *gate) enter() error {
	if err := g.open(); err != nil {
		return err
	}
	now := g.clock.Now()
	if reservation := g.budget.ReserveN(now, 1); reservation.DelayFrom(now) > 0 {
		wait := reservation.DelayFrom(now)
		reservation.CancelAt(now)
		return &ClosedError{RetryAfter: wait}
	}
	return nil
}

// ready says whether a call could be made now, and takes nothing from the budget.
func (g *gate) ready() error {
	if err := g.open(); err != nil {
		return err
	}
	missing := 1 - g.budget.TokensAt(g.clock.Now())
	if wait := time.Duration(missing / float64(g.budget.Limit()) * float64(time.Second)); wait > 0 {
		return &ClosedError{RetryAfter: wait}
	}
	return nil
}

// open says whether no failure keeps the gate closed.
func (g *gate) open() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if wait := g.until.Sub(g.clock.Now()); wait > 0 {
		return &ClosedError{RetryAfter: wait, Cause: g.cause}
	}
	return nil
}

// leave learns from a call that was made.
func (g *gate) leave(err error) {
	var answer *mistral.Error
	if err != nil && (!errors.As(err, &answer) || errors.Is(err, context.Canceled) || mistral.IsUnreadableContent(err)) {
		return // that says nothing of the factory
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil || !concernsConnection(answer.StatusCode) {
		g.failures = 0
		return
	}
	now, pause := g.clock.Now(), answer.RetryAfter
	if isRefusal(answer.StatusCode) {
		pause = max(pause, refusedPause)
	}
	// Calls that were under way when the gate closed failed for the same reason.
	if !now.Before(g.until) {
		pause = max(pause, growingPause(g.failures))
		g.failures++
	}
	if until := now.Add(pause); until.After(g.until) {
		// Whatever became of this call: those that are not made change nothing.
		cause := *answer
		cause.OutcomeUnknown = false
		g.until, g.cause = until, &cause
	}
}

// concernsConnection tells a failure that the next call would meet too from a
// refusal of the particular request. Below 400 is no answer at all, or one that is
// not of the protocol.
func concernsConnection(status int) bool {
	return status < 400 || status >= 500 || status == http.StatusTooManyRequests || isRefusal(status)
}

// isRefusal reports whether the key, or its account, is refused.
func isRefusal(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusPaymentRequired
}

// growingPause doubles with each failure in a row. The jitter keeps operators that
// lost the same factory from returning together.
func growingPause(failures int) time.Duration {
	pause := min(minFailurePause<<min(failures, 10), maxFailurePause)
	return pause + rand.N(pause/4)
}
