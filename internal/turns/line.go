// Package turns shares out what there is not enough of, such as workers, slots,
// bytes or calls. Who finds nothing free keeps a place in a line and is woken when
// its turn has come: namespaces take turns, and in each its objects in the order in
// which they came. It does not know what is shared out, and never blocks.
package turns

import (
	"math"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Who waits in a line, or has come in. Object tells apart those of a namespace.
type Who struct{ Namespace, Object string }

// Limits are what a line shares out.
type Limits struct {
	// Total is how much may be taken at a time, and Each how much of it by one namespace.
	Total, Each int64
	// PerSecond is how many may come in a second, and Burst how many at once after a
	// while of nobody. PerSecond 0: as many as like.
	PerSecond float64
	Burst     int
}

// Line is who wants some of what is scarce. The zero Line is not usable; see New.
type Line struct {
	clock  clock.WithDelayedExecution
	limits Limits

	mu      sync.Mutex
	taken   int64
	takenBy map[string]int64 // by namespace
	places  map[Who]*place
	queue   queue
	tokens  float64 // of the rate; below 0 after overdrafts
	counted time.Time
	timed   bool // somebody waits for time to pass
}

// place is that of somebody in a line.
type place struct {
	who    Who
	size   int64
	state  state
	wanted bool // in the pass that is under way, or after it
	since  time.Time
	wake   func()
}

type state int

const (
	waiting state = iota
	called        // its share is kept for it until it comes
	inside
)

// New makes a line. The clock is needed for a rate alone.
func New(limits Limits, clock clock.WithDelayedExecution) *Line {
	line := &Line{
		clock:   clock,
		limits:  limits,
		takenBy: map[string]int64{},
		places:  map[Who]*place{},
		queue:   newQueue(),
		tokens:  float64(limits.Burst),
	}
	if line.isTimed() {
		line.counted = clock.Now()
	}
	return line
}

// NewSlots makes a line for so many slots, of which one namespace gets at most each.
func NewSlots(total, each int64) *Line {
	return New(Limits{Total: total, Each: each}, nil)
}

func (l *Line) isTimed() bool { return l.limits.PerSecond > 0 }

// Enter lets somebody in who wants a size, if it is its turn. If not, it keeps its
// place, and wake is called once its turn has come; wake must return at once and not
// use the line. A size above the limits is taken for all that they allow.
func (l *Line) Enter(who Who, size int64, wake func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	here, ok := l.places[who]
	if !ok {
		here = &place{who: who}
		if l.isTimed() {
			here.since = l.clock.Now()
		}
		l.places[who] = here
		l.queue.add(here)
	}
	here.wanted = true
	if here.state == waiting {
		here.size, here.wake = min(size, l.limits.Total, l.limits.Each), nil // it is awake
		l.call()
	}
	if here.state == waiting {
		here.wake = wake
		return false
	}
	here.state = inside
	return true
}

// Waited is how long somebody has had its place in a line with a rate.
func (l *Line) Waited(who Who) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	here, ok := l.places[who]
	if !ok || !l.isTimed() {
		return 0
	}
	return l.clock.Since(here.since)
}

// Grow takes more for somebody inside, if it is free right now.
func (l *Line) Grow(who Who, more int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	here, ok := l.places[who]
	if !ok || here.state != inside || l.taken+more > l.limits.Total || l.takenBy[who.Namespace]+more > l.limits.Each {
		return false
	}
	here.size += more
	l.take(who.Namespace, more)
	return true
}

// Spend lets somebody inside come in once more, as far as the rate is concerned. It
// may overdraw: those who come later wait longer.
func (l *Line) Spend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens--
}

// Leave gives back what somebody has. A place that it did not ask for again since it
// left last is given up, so that one who no longer wants to come in holds nobody up.
// It reports whether a place is left.
func (l *Line) Leave(who Who) (waits bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	here, ok := l.places[who]
	switch {
	case !ok:
		return false
	case here.state != inside && here.wanted:
		here.wanted = false
		return true
	}
	l.drop(here)
	return false
}

// Forget gives up whatever somebody has or waits for.
func (l *Line) Forget(who Who) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if here, ok := l.places[who]; ok {
		l.drop(here)
	}
}

// CallOff sends everybody away who waits, and wakes them to see why.
func (l *Line) CallOff() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for here := l.queue.peek(anybody); here != nil; here = l.queue.peek(anybody) {
		l.queue.take(here)
		delete(l.places, here.who)
		here.wakeUp()
	}
}

// Resize changes how much may be taken at a time.
func (l *Line) Resize(total int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limits.Total != total {
		l.limits.Total = total
		l.call()
	}
}

// drop takes a place away and lets others have what it took.
func (l *Line) drop(here *place) {
	delete(l.places, here.who)
	if here.state == waiting {
		l.queue.remove(here)
	} else {
		l.take(here.who.Namespace, -here.size)
	}
	l.call()
}

// call calls those in whose turn has come. Who is next and does not find enough is
// not overtaken, or the small would keep the large out for ever; but a namespace that
// has its share keeps no other one waiting.
func (l *Line) call() {
	l.count()
	for {
		here := l.queue.peek(func(next *place) bool {
			return l.takenBy[next.who.Namespace]+next.size <= l.limits.Each
		})
		if here == nil || l.taken+here.size > l.limits.Total {
			return
		}
		if l.isTimed() {
			if l.tokens < 1 {
				l.callLater()
				return
			}
			l.tokens--
		}
		l.queue.take(here)
		l.take(here.who.Namespace, here.size)
		here.state = called
		here.wakeUp()
	}
}

// count adds what the rate gave since it was counted last.
func (l *Line) count() {
	if !l.isTimed() {
		return
	}
	now := l.clock.Now()
	l.tokens = min(l.tokens+now.Sub(l.counted).Seconds()*l.limits.PerSecond, float64(l.limits.Burst))
	l.counted = now
}

// callLater calls when the rate will have given enough for the next one.
func (l *Line) callLater() {
	if l.timed {
		return
	}
	l.timed = true
	missing := (1 - l.tokens) / l.limits.PerSecond
	// Not in the clock's own goroutine, which may hold a lock that Now needs.
	l.clock.AfterFunc(time.Duration(math.Ceil(missing*float64(time.Second))), func() { go l.callNow() })
}

func (l *Line) callNow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timed = false
	l.call()
}

func (l *Line) take(namespace string, size int64) {
	l.taken += size
	if l.takenBy[namespace] += size; l.takenBy[namespace] == 0 {
		delete(l.takenBy, namespace)
	}
}

// wakeUp wakes whoever waits, once.
func (p *place) wakeUp() {
	if p.wake != nil {
		p.wake()
		p.wake = nil
	}
}
