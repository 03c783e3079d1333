package connection

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	listPageSize = 100
	// A page holds 100 jobs; a connection with more unfinished ones asks for the rest one by one.
	maxListPages = 50
	// The factory's timestamps are whole seconds, so that two changes within one
	// look the same. A job is read once more when that second is over.
	settleTime = time.Second
)

// poller watches the unfinished jobs of a connection: one list for all of them,
// details only of those that changed. It runs while there is something to watch.
type poller struct {
	ctx        context.Context
	connection *Connection
	clock      clock.WithTicker
	min, max   time.Duration
	wake       chan struct{}

	mu       sync.Mutex
	jobs     map[string]*watchedJob
	interval time.Duration
	running  bool
	err      error // of the last look, when it concerns all jobs
}

type watchedJob struct {
	watchers map[any]func()
	latest   *mistral.DetailedJob // nil until first read
	err      error                // of the last reading of this job
	since    time.Time            // when latest's timestamp was first seen
	readAt   time.Time
}

func newPoller(ctx context.Context, connection *Connection, options Options) *poller {
	return &poller{
		ctx:        ctx,
		connection: connection,
		clock:      options.Clock,
		min:        options.MinPollInterval,
		max:        options.MaxPollInterval,
		interval:   options.MinPollInterval,
		wake:       make(chan struct{}, 1),
		jobs:       map[string]*watchedJob{},
	}
}

func (p *poller) watch(id string, watcher any, changed func()) (*mistral.DetailedJob, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	job, ok := p.jobs[id]
	if !ok {
		job = &watchedJob{watchers: map[any]func(){}}
		p.jobs[id] = job
		p.hurry()
	}
	job.watchers[watcher] = changed
	if !p.running {
		p.running = true
		go p.run()
	}
	if job.err != nil {
		return job.latest, job.err
	}
	return job.latest, p.err
}

func (p *poller) unwatch(id string, watcher any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if job, ok := p.jobs[id]; ok {
		if delete(job.watchers, watcher); len(job.watchers) == 0 {
			delete(p.jobs, id)
		}
	}
}

// saw takes in what a call of a watcher's own brought.
func (p *poller) saw(job *mistral.DetailedJob) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if watched, ok := p.jobs[job.ID]; ok {
		p.record(watched, job)
		p.hurry()
	}
}

// hurry looks again soon: something is happening.
func (p *poller) hurry() {
	p.interval = p.min
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *poller) run() {
	timer := p.clock.NewTimer(p.delay())
	defer timer.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.wake:
		case <-timer.C():
			p.look()
			if p.stopped() {
				return
			}
		}
		timer.Stop()
		timer = p.clock.NewTimer(p.delay())
	}
}

// stopped ends the poller when nothing is watched any more.
func (p *poller) stopped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = len(p.jobs) > 0
	return !p.running
}

func (p *poller) delay() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, job := range p.jobs {
		if job.latest == nil && job.err == nil && p.err == nil {
			return 0
		}
	}
	return p.interval + rand.N(p.interval/10+1)
}

// look asks the factory once for all jobs and tells the watchers of those that changed.
func (p *poller) look() {
	unread, listed := p.pending()
	var overall error
	progress := false
	if len(listed) > 0 {
		var changed []string
		if changed, overall = p.changed(listed); overall == nil {
			unread = append(unread, changed...)
		}
	}
	for _, id := range unread {
		if overall != nil {
			break
		}
		var change bool
		change, overall = p.read(id)
		progress = progress || change
	}
	p.finish(overall, progress)
}

// pending gives the jobs that were never read, and those that a list can tell of.
func (p *poller) pending() (unread []string, listed map[string]time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	listed = map[string]time.Time{}
	for id, job := range p.jobs {
		switch {
		case job.latest == nil:
			unread = append(unread, id)
		case !job.latest.Status.Finished():
			listed[id] = time.Unix(job.latest.CreatedAt, 0)
		}
	}
	return unread, listed
}

// changed lists jobs and gives the IDs of those that must be read: they changed,
// may have, or are not in the list.
func (p *poller) changed(watched map[string]time.Time) ([]string, error) {
	filter := mistral.JobFilter{PageSize: listPageSize}
	for _, created := range watched {
		if after := created.Add(-time.Second); filter.CreatedAfter.IsZero() || after.Before(filter.CreatedAfter) {
			filter.CreatedAfter = after
		}
	}
	missing := make(map[string]bool, len(watched))
	for id := range watched {
		missing[id] = true
	}
	var changed []string
	for ; filter.Page < maxListPages && len(missing) > 0; filter.Page++ {
		page, err := p.connection.ListJobs(p.ctx, filter)
		if err != nil {
			return nil, err
		}
		for _, job := range page.Data {
			if missing[job.ID] && p.mayHaveChanged(job) {
				changed = append(changed, job.ID)
			}
			delete(missing, job.ID)
		}
		if len(page.Data) < listPageSize {
			break
		}
	}
	for id := range missing {
		changed = append(changed, id)
	}
	return changed, nil
}

func (p *poller) mayHaveChanged(listed mistral.Job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	job, ok := p.jobs[listed.ID]
	if !ok || job.latest == nil {
		return false
	}
	return listed.Status != job.latest.Status || listed.ModifiedAt != job.latest.ModifiedAt ||
		job.err != nil || job.readAt.Sub(job.since) < settleTime
}

// read gets a job and tells its watchers if it is not as it was. The error is
// one that concerns all jobs.
func (p *poller) read(id string) (bool, error) {
	ctx, cancel := context.WithTimeout(p.ctx, callTimeout)
	defer cancel()
	before := p.snapshot(id)
	job, err := p.connection.GetJob(ctx, id) // records what it gets
	if err != nil && !mistral.IsNotFound(err) {
		return false, err
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	watched, ok := p.jobs[id]
	if !ok {
		return false, nil
	}
	if err != nil {
		known := watched.err != nil
		watched.err = err
		if !known {
			watched.notify()
		}
		return !known, nil
	}
	if before != nil && !differs(before, job) {
		return false, nil
	}
	watched.notify()
	return true, nil
}

func (p *poller) snapshot(id string) *mistral.DetailedJob {
	p.mu.Lock()
	defer p.mu.Unlock()
	if job, ok := p.jobs[id]; ok && job.err == nil {
		return job.latest
	}
	return nil
}

// record must be called with the lock held.
func (p *poller) record(watched *watchedJob, job *mistral.DetailedJob) {
	now := p.clock.Now()
	if watched.latest == nil || watched.latest.ModifiedAt != job.ModifiedAt || watched.latest.Status != job.Status {
		watched.since = now
	}
	watched.latest, watched.err, watched.readAt = job, nil, now
}

// finish sets the next interval and tells everybody when the factory was lost or is back.
func (p *poller) finish(overall error, progress bool) {
	var closed *ClosedError
	if errors.As(overall, &closed) && closed.Cause == nil {
		overall = nil // the budget is spent; the rest waits for the next look
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if (overall == nil) != (p.err == nil) {
		progress = true
		defer func() {
			for _, job := range p.jobs {
				job.notify()
			}
		}()
	}
	p.err = overall
	if p.interval = min(p.interval*3/2, p.max); progress {
		p.interval = p.min
	}
}

func (j *watchedJob) notify() {
	for _, changed := range j.watchers {
		changed()
	}
}

// differs compares what watchers care for.
func differs(a, b *mistral.DetailedJob) bool {
	return a.Status != b.Status || a.ModifiedAt != b.ModifiedAt ||
		len(a.Checkpoints) != len(b.Checkpoints) || len(a.Events) != len(b.Events)
}
