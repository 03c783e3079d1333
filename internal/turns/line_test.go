package turns

import (
	"fmt"
	"slices"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

func who(namespace, object string) Who { return Who{Namespace: namespace, Object: object} }

// woken is who was woken, in order.
type woken struct{ names []string }

func (w *woken) note(one Who) func() {
	return func() { w.names = append(w.names, one.Namespace+"/"+one.Object) }
}

// mustEnter lets somebody in, who must not have to wait.
func mustEnter(t *testing.T, line *Line, one Who, size int64) {
	t.Helper()
	if !line.Enter(one, size, nil) {
		t.Fatalf("%v has to wait", one)
	}
}

// mustWait lets somebody wait, and ends its pass.
func mustWait(t *testing.T, line *Line, woken *woken, one Who, size int64) {
	t.Helper()
	if line.Enter(one, size, woken.note(one)) {
		t.Fatalf("%v need not wait", one)
	}
	if !line.Leave(one) {
		t.Fatalf("%v lost its place", one)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestNamespacesTakeTurns(t *testing.T) {
	line, woken := NewSlots(1, 1), &woken{}
	mustEnter(t, line, who("a", "0"), 1)
	for _, object := range []string{"1", "2", "3"} {
		mustWait(t, line, woken, who("a", object), 1)
	}
	mustWait(t, line, woken, who("b", "1"), 1)
	mustWait(t, line, woken, who("c", "1"), 1)
	mustWait(t, line, woken, who("b", "2"), 1)

	inside := who("a", "0")
	for range 6 {
		line.Leave(inside)
		last := woken.names[len(woken.names)-1]
		inside = who(last[:1], last[2:])
		mustEnter(t, line, inside, 1)
	}
	equal(t, "the order", woken.names, []string{"a/1", "b/1", "c/1", "a/2", "b/2", "a/3"})
}

func TestPlacesAreKept(t *testing.T) {
	line, woken := NewSlots(1, 1), &woken{}
	mustEnter(t, line, who("a", "0"), 1)
	mustWait(t, line, woken, who("a", "1"), 1)
	mustWait(t, line, woken, who("a", "2"), 1)
	for range 5 { // passes for other reasons than its turn
		mustWait(t, line, woken, who("a", "2"), 1)
	}
	mustWait(t, line, woken, who("a", "1"), 1)
	line.Leave(who("a", "0"))
	equal(t, "woken", woken.names, []string{"a/1"})
	if line.Enter(who("b", "1"), 1, nil) {
		t.Error("somebody took what was kept for another one")
	}
	mustEnter(t, line, who("a", "1"), 1)
}

func TestWhoWantsNoMoreHoldsNobodyUp(t *testing.T) {
	for _, test := range []struct {
		reason string
		goes   func(line *Line, one Who)
	}{
		{"its next pass did not ask", func(line *Line, one Who) { line.Leave(one) }},
		{"it is gone", func(line *Line, one Who) { line.Forget(one) }},
	} {
		t.Run(test.reason, func(t *testing.T) {
			line, woken := NewSlots(1, 1), &woken{}
			mustEnter(t, line, who("a", "0"), 1)
			mustWait(t, line, woken, who("a", "1"), 1)
			mustWait(t, line, woken, who("a", "2"), 1)
			mustWait(t, line, woken, who("a", "3"), 1)
			test.goes(line, who("a", "2")) // while it waits
			line.Leave(who("a", "0"))
			test.goes(line, who("a", "1")) // when it was called
			equal(t, "woken", woken.names, []string{"a/1", "a/3"})
			mustEnter(t, line, who("a", "3"), 1)
			line.Leave(who("a", "3"))
			mustEnter(t, line, who("b", "1"), 1)
		})
	}
}

// TestCalledInItsPass is the race of a slot that becomes free before the pass ends that found none.
func TestCalledInItsPass(t *testing.T) {
	line, woken := NewSlots(1, 1), &woken{}
	mustEnter(t, line, who("a", "0"), 1)
	if line.Enter(who("a", "1"), 1, woken.note(who("a", "1"))) {
		t.Fatal("it need not wait")
	}
	line.Leave(who("a", "0"))
	equal(t, "woken", woken.names, []string{"a/1"})
	if !line.Leave(who("a", "1")) {
		t.Error("its place is gone")
	}
	mustEnter(t, line, who("a", "1"), 1)
}

func TestShares(t *testing.T) {
	line, woken := NewSlots(4, 2), &woken{}
	mustEnter(t, line, who("a", "1"), 1)
	mustEnter(t, line, who("a", "2"), 1)
	mustWait(t, line, woken, who("a", "3"), 1)
	mustEnter(t, line, who("b", "1"), 1) // whoever waits for its namespace's share keeps no other one out
	mustEnter(t, line, who("c", "1"), 1)
	mustWait(t, line, woken, who("d", "1"), 1)
	line.Leave(who("c", "1"))
	equal(t, "woken", woken.names, []string{"d/1"})
	line.Leave(who("a", "1"))
	equal(t, "woken", woken.names, []string{"d/1", "a/3"})
}

func TestTheLargeAreNotOvertaken(t *testing.T) {
	line, woken := NewSlots(10, 10), &woken{}
	mustEnter(t, line, who("a", "1"), 4)
	mustEnter(t, line, who("a", "2"), 4)
	mustWait(t, line, woken, who("b", "large"), 9)
	mustWait(t, line, woken, who("c", "small"), 1)
	line.Leave(who("a", "1"))
	equal(t, "woken", woken.names, []string(nil))
	line.Leave(who("a", "2"))
	equal(t, "woken", woken.names, []string{"b/large", "c/small"})
}

func TestMoreThanThereIs(t *testing.T) {
	line := NewSlots(10, 6)
	mustEnter(t, line, who("a", "1"), 100)
	if line.Grow(who("a", "1"), 1) {
		t.Error("a namespace has more than its share")
	}
	mustEnter(t, line, who("b", "1"), 2)
	if !line.Grow(who("b", "1"), 2) || line.Grow(who("b", "1"), 1) {
		t.Error("what is free can be had, and no more")
	}
	line.Leave(who("b", "1"))
	mustEnter(t, line, who("c", "1"), 4)
}

func TestCallOff(t *testing.T) {
	line, woken := NewSlots(1, 1), &woken{}
	mustEnter(t, line, who("a", "0"), 1)
	mustWait(t, line, woken, who("a", "1"), 1)
	mustWait(t, line, woken, who("b", "1"), 1)
	line.CallOff()
	equal(t, "woken", woken.names, []string{"a/1", "b/1"})
	line.Leave(who("a", "0"))
	equal(t, "woken", woken.names, []string{"a/1", "b/1"})
	mustEnter(t, line, who("c", "1"), 1)
}

func TestResize(t *testing.T) {
	line, woken := NewSlots(1, 8), &woken{}
	mustEnter(t, line, who("a", "0"), 1)
	mustWait(t, line, woken, who("a", "1"), 1)
	mustWait(t, line, woken, who("b", "1"), 1)
	line.Resize(8)
	equal(t, "woken", woken.names, []string{"a/1", "b/1"})
}

// eventually waits for the goroutine that waits for the fake clock.
func eventually(t *testing.T, come func() bool) {
	t.Helper()
	for range 1000 {
		if come() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("it did not come")
}

// TestRate is the life of a budget: 40 objects with two calls each, of one
// namespace, and one of another, on ten calls a second. Each has one pass in vain at
// most, and who came last from elsewhere does not wait for the forty.
func TestRate(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(0, 0))
	line := New(Limits{Total: 100, Each: 100, PerSecond: 10, Burst: 10}, clock)
	calls := make(chan Who, 100)
	passes := map[Who]int{}
	var done []Who
	pass := func(one Who) {
		passes[one]++
		if line.Enter(one, 1, func() { calls <- one }) {
			line.Spend()
			done = append(done, one)
		}
		line.Leave(one)
	}
	for i := range 40 {
		pass(who("many", fmt.Sprint(i)))
	}
	pass(who("one", "0"))
	for steps := 0; len(done) < 41 && steps < 200; steps++ {
		eventually(t, func() bool { return clock.HasWaiters() || len(calls) > 0 })
		clock.Step(100 * time.Millisecond)
		time.Sleep(time.Millisecond)
		for len(calls) > 0 {
			pass(<-calls)
		}
	}
	equal(t, "done", len(done), 41)
	for one, count := range passes {
		if count > 2 {
			t.Errorf("%v had %d passes", one, count)
		}
	}
	if place := slices.Index(done, who("one", "0")); place > 12 {
		t.Errorf("the other namespace was the %dth", place+1)
	}
	if took := clock.Since(time.Unix(0, 0)); took < 7*time.Second {
		t.Errorf("82 calls took %s, on a burst of ten and ten a second", took)
	}
}
