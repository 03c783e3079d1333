package controller

import (
	"context"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
)

// outcome is how a step ended, and with it the pass.
type outcome struct {
	verdict verdict
	after   time.Duration // when to look again; 0 leaves it to events or, after an error, to the queue's back-off
	reason  string
	message string
	err     error // for the queue's back-off and the log
	brief   bool  // it lasts too short a time for the status to speak of it
}

type verdict int

const (
	proceeds verdict = iota // the next step may run
	waits                   // something must happen first, and it may by itself
	stops                   // somebody must act first
)

func proceed() outcome { return outcome{} }

// wait ends the pass until an event or, if after is not 0, so long.
func wait(after time.Duration, reason, message string) outcome {
	return outcome{verdict: waits, after: after, reason: reason, message: message}
}

// stop ends the pass until the spec, an input or a credential changes.
func stop(reason, message string) outcome {
	return outcome{verdict: stops, reason: reason, message: message}
}

// looksAgain is the outcome with a time to look again.
func (o outcome) looksAgain(after time.Duration) outcome {
	o.after = after
	return o
}

// briefly leaves the status as it is as long as the wait is short.
func (o outcome) briefly(left time.Duration) outcome {
	if left > 0 {
		o.brief, o.after = true, left
	}
	return o
}

// step is a part of a pass. An error is turned into an outcome in one place, failed.
type step[S any] struct {
	name string
	run  func(context.Context, S) (outcome, error)
}

// runSteps runs the steps in order until one does not let the pass proceed. A
// step that does may still want another look: the soonest counts.
func runSteps[S any](ctx context.Context, scope S, steps []step[S]) outcome {
	all := proceed()
	for _, step := range steps {
		result, err := step.run(ctx, scope)
		if err != nil {
			ctrl.LoggerFrom(ctx).V(1).Info("step failed", "step", step.name, "error", err.Error())
			result = failed(err)
		}
		if result.err == nil || result.after > 0 { // else the queue knows when
			result.after = soonest(all.after, result.after)
		}
		if all = result; all.verdict != proceeds {
			break
		}
	}
	return all
}

// soonest is the shorter of two times to look again, of which 0 is none.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// result translates an outcome for the queue.
func (o outcome) result() (ctrl.Result, error) {
	if o.after > 0 {
		return ctrl.Result{RequeueAfter: o.after}, nil
	}
	return ctrl.Result{}, o.err
}
