package connection

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

const (
	// A refused key stays refused until somebody acts, and acting gives another connection.
	refusedPause = time.Minute
	// A factory that restarts is back within seconds; one that is gone is asked once a minute.
	minFailurePause = 500 * time.Millisecond
	maxFailurePause = time.Minute

	// maxPasses is how many may have a factory's attention at a time, and
	// maxNamespacePasses how many of them of one namespace: its two uploads, and another
	// one. What passes write to the API server stands in everybody's way, so few are more.
	// A factory that has not answered within lately gets one: a thousand objects learn from
	// it what is the matter, and a server that is silent holds one worker.
	maxPasses          = 32
	maxNamespacePasses = 3
	lately             = time.Minute
	// firstPatience is for a call to a factory that has not answered lately. It doubles
	// with each failure, up to what every call gets, for one that answers, but slowly.
	firstPatience = 5 * time.Second
)

// ClosedError is a call that was not made.
type ClosedError struct {
	// RetryAfter is how long the connection pauses yet.
	RetryAfter time.Duration
	// Queued says that the caller has a place in the line, and is woken when its turn
	// has come.
	Queued bool
	// Waited is how long it has had that place.
	Waited time.Duration
	// Cause is the failure for which the connection pauses, or paused last. Nil if
	// there was none.
	Cause error
}

func (e *ClosedError) Error() string {
	if e.Cause == nil {
		return "others are to be served by the factory first"
	}
	return e.Cause.Error()
}

func (e *ClosedError) Unwrap() error { return e.Cause }

// gate decides which calls are made. After a failure that concerns the whole
// connection it lets none through for a while, so that a thousand objects learn
// of it from one call.
type gate struct {
	clock clock.PassiveClock
	line  *turns.Line
	// suspects is shared by all connections whose last call failed: together they hold
	// no more than a part of the workers.
	suspects *turns.Line

	mu       sync.Mutex
	until    time.Time
	cause    error
	failures int       // in a row
	answered time.Time // last; zero if a call got no answer since
}

// enter says whether a call may be made now. It never sleeps.
func (g *gate) enter(who turns.Who, wake func()) error {
	if err := g.open(); err != nil {
		return err
	}
	cause := g.suspicion()
	if !g.line.Enter(who, 1, wake) || cause != nil && !g.suspects.Enter(who, 1, wake) {
		return &ClosedError{Queued: true, Waited: g.line.Waited(who), Cause: cause}
	}
	return nil
}

// end lets others have their turn, and reports whether a place is left.
func (g *gate) end(who turns.Who) (waits bool) {
	inLine, amongSuspects := g.line.Leave(who), g.suspects.Leave(who)
	return inLine || amongSuspects
}

func (g *gate) forget(who turns.Who) {
	g.line.Forget(who)
	g.suspects.Forget(who)
}

// open says whether no failure keeps the gate closed, and how wide it is.
func (g *gate) open() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
	if wait := g.until.Sub(now); wait > 0 {
		return &ClosedError{RetryAfter: wait, Cause: g.cause}
	}
	if g.answeredLately(now) {
		g.line.Resize(maxPasses)
	} else {
		g.line.Resize(1)
	}
	return nil
}

func (g *gate) answeredLately(now time.Time) bool {
	return !g.answered.IsZero() && now.Sub(g.answered) < lately
}

// suspicion is the failure for which another one is to be expected.
func (g *gate) suspicion() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failures == 0 || g.answeredLately(g.clock.Now()) {
		return nil
	}
	return g.cause
}

// patience is how long an answer is waited for.
func (g *gate) patience() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.answeredLately(g.clock.Now()) {
		return callTimeout
	}
	return min(firstPatience<<min(g.failures, 10), callTimeout)
}

// leave learns from a call that was made.
func (g *gate) leave(err error) {
	var answer *mistral.Error
	if err != nil && (!errors.As(err, &answer) || errors.Is(err, context.Canceled) || mistral.IsUnreadableContent(err)) {
		return // that says nothing of the factory
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
	g.answered = now
	if err == nil || !concernsConnection(answer.StatusCode) {
		g.failures = 0
		g.line.Resize(maxPasses)
		return
	}
	if answer.StatusCode == 0 {
		g.answered = time.Time{}
	}
	pause := answer.RetryAfter
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
	g.line.CallOff()
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
