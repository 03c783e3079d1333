package faults

import (
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// speed is how much faster than real the time of the worlds is. A minute of grace
// takes 3 s, and the two minutes that a deletion may take are 6 s, which is still
// time enough on a busy machine.
const speed = 20

// worldClock is the time of operators and factories.
var worldClock clock.WithTickerAndDelayedExecution = fastClock{started: time.Now()}

type fastClock struct{ started time.Time }

func (c fastClock) Now() time.Time { return c.started.Add(time.Since(c.started) * speed) }

func (c fastClock) Since(earlier time.Time) time.Duration { return c.Now().Sub(earlier) }

func (fastClock) After(d time.Duration) <-chan time.Time { return time.After(d / speed) }

func (fastClock) Sleep(d time.Duration) { time.Sleep(d / speed) }

func (fastClock) Tick(d time.Duration) <-chan time.Time { return time.Tick(d / speed) }

func (fastClock) NewTimer(d time.Duration) clock.Timer {
	return fastTimer{clock.RealClock{}.NewTimer(d / speed)}
}

func (fastClock) NewTicker(d time.Duration) clock.Ticker {
	return clock.RealClock{}.NewTicker(d / speed)
}

func (fastClock) AfterFunc(d time.Duration, f func()) clock.Timer {
	return fastTimer{clock.RealClock{}.AfterFunc(d/speed, f)}
}

type fastTimer struct{ clock.Timer }

func (t fastTimer) Reset(d time.Duration) bool { return t.Timer.Reset(d / speed) }

// newFastQueue is the queue of controller-runtime, in the worlds' time.
func newFastQueue(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	return fastQueue{priorityqueue.New(name, func(o *priorityqueue.Opts[reconcile.Request]) {
		o.RateLimiter = fastLimiter{limiter}
	})}
}

type fastQueue struct {
	priorityqueue.PriorityQueue[reconcile.Request]
}

func (q fastQueue) AddAfter(request reconcile.Request, after time.Duration) {
	q.PriorityQueue.AddAfter(request, after/speed)
}

func (q fastQueue) AddWithOpts(o priorityqueue.AddOpts, requests ...reconcile.Request) {
	o.After /= speed
	q.PriorityQueue.AddWithOpts(o, requests...)
}

type fastLimiter struct {
	workqueue.TypedRateLimiter[reconcile.Request]
}

func (l fastLimiter) When(request reconcile.Request) time.Duration {
	return l.TypedRateLimiter.When(request) / speed
}
