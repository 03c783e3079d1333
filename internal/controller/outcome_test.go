package controller

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestSoonestLookCounts holds when a pass is repeated whose steps want different things.
func TestSoonestLookCounts(t *testing.T) {
	lost := errors.New("lost")
	returns := func(result outcome, err error) step[int] {
		return step[int]{"step", func(context.Context, int) (outcome, error) { return result, err }}
	}
	for _, test := range []struct {
		why   string
		steps []step[int]
		after time.Duration
		err   error
	}{
		{"nobody wants another look", []step[int]{returns(proceed(), nil), returns(wait(0, "r", "m"), nil)}, 0, nil},
		{"an earlier step wants one", []step[int]{returns(proceed().looksAgain(time.Hour), nil), returns(wait(0, "r", "m"), nil)}, time.Hour, nil},
		{"the last one wants it sooner", []step[int]{returns(proceed().looksAgain(time.Hour), nil), returns(wait(time.Minute, "r", "m"), nil)}, time.Minute, nil},
		{"the last one wants it later", []step[int]{returns(proceed().looksAgain(time.Minute), nil), returns(stop("r", "m").looksAgain(time.Hour), nil)}, time.Minute, nil},
		{"the queue backs off, and does not wait for a deadline", []step[int]{returns(proceed().looksAgain(time.Hour), nil), returns(outcome{}, lost)}, 0, lost},
		{"what comes after a wait is not run", []step[int]{returns(wait(time.Hour, "r", "m"), nil), returns(outcome{}, lost)}, time.Hour, nil},
	} {
		result, err := runSteps(t.Context(), 0, test.steps).result()
		if result.RequeueAfter != test.after || !errors.Is(err, test.err) {
			t.Errorf("%s: got %s and %v, want %s and %v", test.why, result.RequeueAfter, err, test.after, test.err)
		}
	}
}
