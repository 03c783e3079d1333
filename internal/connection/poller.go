package connection

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/utils/clock"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

const (
	listPageSize = 100
	// The factory's timestamps are whole seconds, so that two changes within one
	// look the same. A job is read once more when that second is over.
	settleTime = time.Second
	// maxReaders is how many jobs are asked for at a time.
	maxReaders = 4
)

// listing is who lists the jobs of a connection's namespace.
func (p *poller) listing() turns.Who {
	return turns.Who{Namespace: p.connection.namespace, Object: "list jobs"}
}

// ErrNoFactory is a server that has no list of jobs. What stands before a factory
// answers so while the factory is not there; that it does not know a job either
// says nothing of the job.
var ErrNoFactory = errors.New("what answers at the connection's URL is not a factory: it has no list of jobs")

// poller watches the unfinished jobs of a connection: one list for all of them,
// details only of those that changed. It runs while there is a job to ask for.
type poller struct {
	ctx        context.Context
	connection *Connection
	clock      clock.WithTicker
	min, max   time.Duration
	wake       chan struct{} // a look is due sooner than the running poller thinks

	mu       sync.Mutex
	jobs     map[string]*watchedJob
	running  bool
	interval time.Duration // between looks
	next     time.Time     // look; a job that was never read does not wait for it
	err      error         // of the last list, which concerns all jobs
}

func newPoller(ctx context.Context, connection *Connection, options Options) *poller {
	return &poller{
		ctx:        ctx,
		connection: connection,
		clock:      options.Clock,
		min:        options.MinPollInterval,
		max:        max(options.MinPollInterval, options.MaxPollInterval),
		wake:       make(chan struct{}, 1),
		jobs:       map[string]*watchedJob{},
		interval:   options.MinPollInterval,
	}
}

// hurry lets the poller see that a look may be due sooner, and starts one that has
// ended. The lock must be held.
func (p *poller) hurry() {
	if !p.running {
		p.running = true
		go p.run()
		return
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *poller) run() {
	for p.wait() {
		p.look()
	}
}

// wait returns when a look is due, or false when there is nothing to look for.
func (p *poller) wait() bool {
	for {
		delay, running := p.delay()
		if !running || delay <= 0 {
			return running
		}
		timer := p.clock.NewTimer(delay)
		select {
		case <-timer.C():
			return true
		case <-p.wake:
		case <-p.ctx.Done():
		}
		timer.Stop()
	}
}

// delay is the time until the next look. It ends the poller when no job is left
// that can change.
func (p *poller) delay() (delay time.Duration, running bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = false
	if p.ctx.Err() != nil {
		return 0, false
	}
	delay = p.next.Sub(p.clock.Now())
	for _, job := range p.jobs {
		p.running = p.running || !job.ended()
		if p.err == nil && job.untried() {
			delay = 0
		}
	}
	return delay, p.running
}

// look asks the factory once for all jobs, and for the details of those that
// changed. Reads follow a list that succeeded: so a job that is not found is one
// that a factory in order does not know.
func (p *poller) look() {
	untried, listed, failed := p.pending()
	changed, err := p.list(listed)
	if p.ctx.Err() != nil {
		return
	}
	progress := p.noteList(err)
	if err == nil {
		progress = p.readAll(slices.Concat(untried, changed)) || progress
		// What failed comes last: its failing again may close the connection.
		progress = p.readAll(failed) || progress
	}
	p.schedule(progress)
}

// pending gives the jobs that were never read, those that a list can tell of, by
// their creation, and those whose reading failed.
func (p *poller) pending() (untried []string, listed map[string]time.Time, failed []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	listed = map[string]time.Time{}
	for id, job := range p.jobs {
		switch {
		case job.untried():
			untried = append(untried, id)
		case job.err != nil:
			failed = append(failed, id)
		case !job.ended():
			listed[id] = time.Unix(job.latest.CreatedAt, 0)
		}
	}
	return untried, listed, failed
}

// list lists jobs and gives the IDs of those watched that must be read: they
// changed, may have, or are not in the list.
func (p *poller) list(watched map[string]time.Time) ([]string, error) {
	filter := mistral.JobFilter{PageSize: listPageSize, CreatedAfter: p.clock.Now()}
	missing := make(map[string]bool, len(watched))
	for id, created := range watched {
		missing[id] = true
		// A second earlier, for a server that leaves out the second itself.
		if after := created.Add(-time.Second); after.Before(filter.CreatedAfter) {
			filter.CreatedAfter = after
		}
	}
	var changed []string
	// Other clients' jobs may fill the list. It is read on only while that costs
	// no more than to ask for the missing ones.
	for ; filter.Page == 0 || filter.Page < len(missing); filter.Page++ {
		page, err := inTurn(p, p.listing(), func(pass *Pass) (*mistral.JobList, error) { return pass.ListJobs(p.ctx, filter) })
		if mistral.IsNotFound(err) {
			return nil, ErrNoFactory
		}
		if err != nil {
			return nil, err
		}
		for _, job := range page.Data {
			// While pages are read jobs may shift from one to the next: only the first sight counts.
			if missing[job.ID] && p.mayHaveChanged(&job) {
				changed = append(changed, job.ID)
			}
			delete(missing, job.ID)
		}
		if len(page.Data) == 0 {
			break
		}
	}
	for id := range missing {
		changed = append(changed, id)
	}
	return changed, nil
}

func (p *poller) mayHaveChanged(listed *mistral.Job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	job, ok := p.jobs[listed.ID]
	return ok && job.latest != nil && job.mayDifferFrom(listed, p.clock.Now())
}

// noteList tells everybody when the factory was lost or is back. What was wrong
// with single jobs before it was lost is asked anew.
func (p *poller) noteList(err error) (news bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	news = (err == nil) != (p.err == nil)
	p.err = err
	for _, job := range p.jobs {
		if err != nil {
			job.err = nil
		}
		if news && !job.ended() {
			job.tell()
		}
	}
	return news
}

// readAll asks for jobs, and reports whether there is news. Each is asked for in the
// turn of its own namespace, so that the many of one do not hold up another's.
func (p *poller) readAll(ids []string) bool {
	var (
		progress atomic.Bool
		readers  errgroup.Group
	)
	readers.SetLimit(maxReaders)
	for _, id := range p.inTurns(ids) {
		readers.Go(func() error {
			if p.read(id) {
				progress.Store(true)
			}
			return nil
		})
	}
	_ = readers.Wait()
	return progress.Load()
}

// inTurns puts jobs in an order in which their namespaces alternate.
func (p *poller) inTurns(ids []string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	rounds := map[string]int{}
	round := make(map[string]int, len(ids))
	for _, id := range ids {
		namespace := p.jobs[id].namespace()
		round[id] = rounds[namespace]
		rounds[namespace]++
	}
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(round[a], round[b]) })
	return ids
}

// read asks for a job, and reports whether there is news of it.
func (p *poller) read(id string) bool {
	before, namespace, ok := p.latest(id)
	if !ok {
		return false
	}
	var asked time.Time
	reading := turns.Who{Namespace: namespace, Object: "read " + id}
	answer, err := inTurn(p, reading, func(pass *Pass) (*mistral.DetailedJob, error) {
		asked = p.clock.Now()
		return pass.askJob(p.ctx, "GetJob", id, pass.client.GetJob)
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	job, ok := p.jobs[id]
	if !ok || job.latest != before || p.ctx.Err() != nil {
		// What a watcher's own call brought meanwhile may be newer.
		return false
	}
	return job.learn(answer, err, asked, p.clock.Now())
}

func (p *poller) latest(id string) (latest *mistral.DetailedJob, namespace string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	job, ok := p.jobs[id]
	if !ok {
		return nil, "", false
	}
	return job.latest, job.namespace(), true
}

// schedule sets when to look next: soon after news, and less and less often without.
func (p *poller) schedule(progress bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.interval = min(p.interval*3/2, p.max); progress {
		p.interval = p.min
	}
	p.next = p.clock.Now().Add(p.interval + rand.N(p.interval/10+1))
}

// inTurn makes a call when it is its turn. The poller is no worker: it may wait.
func inTurn[T any](p *poller, who turns.Who, call func(*Pass) (T, error)) (T, error) {
	woken := make(chan struct{}, 1)
	pass := p.connection.Pass(who, func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	for {
		answer, err := call(pass)
		waits := pass.End()
		var closed *ClosedError
		if !errors.As(err, &closed) || !closed.Queued {
			return answer, err
		}
		if !waits {
			continue // it was called off meanwhile
		}
		select {
		case <-p.ctx.Done():
			pass.Forget()
			return answer, err
		case <-woken:
		}
	}
}
