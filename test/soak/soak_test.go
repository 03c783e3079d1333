package soak

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// TestSoak uses everything for as long as it is asked to. In the first third operator and
// factory are killed at intervals; after that they live on, so that what they leak is seen.
// Keys are rotated all the time.
func TestSoak(t *testing.T) {
	if *lasts < time.Second {
		t.Skip("it takes as long as it is asked to: make soak DURATION=1h")
	}
	s := startSite(t)
	everybody := startUsers(t, s)
	watched := newWatch(s, everybody)

	began, third := time.Now(), *lasts/3
	plan := []*task{
		{every: max(third/4, 10*time.Second), until: third, do: func() { s.killOperator(t) }},
		{every: max(third/5, 10*time.Second), until: third, do: func() { s.killFactory(t) }},
		{every: min(time.Minute, third/5), until: *lasts, do: func() { s.rotateKey(t) }},
		{every: lookInterval, until: *lasts, do: func() { s.seen.look(t, s) }},
		{every: min(time.Minute, *lasts/30), until: *lasts, do: func() { watched.sample(t, time.Since(began)) }},
	}
	for at := time.Duration(0); at < *lasts && !everybody.hasGivenUp(); at = time.Since(began) {
		for _, next := range plan {
			next.doIfDue(at)
		}
		time.Sleep(100 * time.Millisecond)
	}
	everybody.finish(t, func() { s.seen.look(t, s) })
	s.awaitNothingLeft(t)
	s.checkTrainedOnce(t, everybody)

	fmt.Printf("In %s of use: %s; operator killed %d times, factory %d times, key of the connections rotated %d times.\n",
		time.Since(began).Round(time.Second), everybody.summary(), s.operatorKills, s.factoryKills, s.rotations)
	if err := watched.print(os.Stdout); err != nil {
		t.Error(err)
	}
	for _, judged := range watched.verdicts() {
		if !judged.flat {
			t.Errorf("%s grows: %.1f in the second third, %.1f in the last, of which %.1f would have been flat",
				judged.name, judged.second, judged.last, judged.bound)
		}
	}
}

// task is what is done at intervals.
type task struct {
	every, until time.Duration
	last         time.Duration
	do           func()
}

func (k *task) doIfDue(at time.Duration) {
	if at-k.last >= k.every && at <= k.until {
		k.last = at
		k.do()
	}
}
