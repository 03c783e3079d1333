package scaled

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

var long = flag.Bool("scaled.long", false, "3 servers, 4 workers and 400 jobs, and PostgreSQL restarts twice")

// size is that of a burst.
type size struct {
	servers, workers, tenants, jobs, restarts, meddlers int
	unfairness                                          float64 // at most: of few jobs, one that is stopped with its worker weighs more
}

// TestNothingIsLost while members are killed, stopped for twice their lease and ended at random, and
// PostgreSQL restarts: every job that was acknowledged ends once and well, its model answers at every
// server, tenants have had their turns, and nobody was told what one server without faults would not have said.
func TestNothingIsLost(t *testing.T) {
	of := size{servers: 2, workers: 2, tenants: 4, jobs: 32, restarts: 1, meddlers: 1, unfairness: 2}
	if *long {
		of = size{servers: 3, workers: 4, tenants: 8, jobs: 400, restarts: 2, meddlers: 3, unfairness: 1.5}
	}
	b := newBurst(t, of)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.live()
	}()
	b.disturb(done)
	if t.Failed() {
		return
	}
	b.check()
	t.Logf("%d jobs of %d tenants in %v: %v", of.jobs, of.tenants, b.took.Round(time.Second), b.tally)
	first, last := slices.Min(b.means), slices.Max(b.means)
	t.Logf("mean ends of tenants, in seconds: %.1f; last ÷ first: %.2f", b.means, last/first)
	if last/first > of.unfairness {
		t.Error("some tenants waited longer than others")
	}
	t.Logf("%d times somebody learned that he has lost a job", b.count("lease of the job is lost"))
	for _, one := range slices.Concat(b.workers, b.servers) {
		one.End(t, syscall.SIGTERM)
	}
	output, err := exec.Command(binary, "verify", "--data-dir="+b.servers[0].directory, "--database-url="+b.database, "--blob-url="+b.bucket).CombinedOutput()
	if err != nil {
		t.Errorf("factory verify: %v\n%s", err, output)
	}
}

// burst is what tenants ask for, and what becomes of it.
type burst struct {
	*members
	of       size
	history  *history
	tenants  []string
	meddlers []string // tenants, too
	deadline time.Time
	took     time.Duration
	tally    map[string]int

	mutex sync.Mutex // of all that follows
	acked []acknowledged
	means []float64
}

type acknowledged struct{ tenant, job, file string }

func newBurst(t *testing.T, of size) *burst {
	t.Helper()
	b := &burst{of: of, tally: map[string]int{}, deadline: time.Now().Add(time.Duration(of.jobs) * 15 * time.Second)}
	for i := range of.tenants {
		b.tenants = append(b.tenants, fmt.Sprint("tenant", i))
	}
	for i := range of.meddlers {
		b.meddlers = append(b.meddlers, fmt.Sprint("meddler", i))
	}
	b.members = newMembers(t, slices.Concat(b.tenants, b.meddlers))
	for range of.servers {
		b.addServer()
	}
	for range of.workers {
		b.addWorker()
	}
	b.history = newHistory()
	return b
}

// live is what tenants do until their jobs have ended, and meddlers meanwhile.
func (b *burst) live() {
	began := time.Now()
	over := make(chan struct{})
	var tenants, meddlers sync.WaitGroup
	for i, tenant := range b.tenants {
		c := b.caller(b.history, tenant, i)
		tenants.Go(func() { b.order(c, b.of.jobs/len(b.tenants)) })
	}
	for i, meddler := range b.meddlers {
		meddlers.Go(func() { b.meddle(meddler, len(b.tenants)+i*hands, over) })
	}
	tenants.Wait()
	b.took = time.Since(began)
	close(over)
	meddlers.Wait()
}

const rowsFile = "rows.jsonl"

// order uploads a tenant's rows, creates his jobs, and waits for their ends.
func (b *burst) order(c *caller, jobs int) {
	file, err := persist(b.deadline, func() (*mistral.File, error) { return c.upload(rowsFile, rows(200, c.tenant)) })
	if err != nil {
		b.t.Error(err)
		return
	}
	began := time.Now()
	var waiting []string
	for i := range jobs {
		id, err := b.create(c, rowsFile, file.ID, jobOf(file.ID, fmt.Sprint("job", i)))
		if err != nil {
			b.t.Error(err)
			return
		}
		waiting = append(waiting, id)
	}
	sum := 0.0
	for ; len(waiting) > 0; time.Sleep(100 * time.Millisecond) {
		waiting = slices.DeleteFunc(waiting, func(id string) bool {
			job, err := c.tellJob(use, id)
			if err != nil && !errors.Is(err, errLost) {
				b.t.Errorf("the job %s: %v", id, err)
			}
			if err != nil || !job.Status.Finished() {
				return false
			}
			sum += time.Since(began).Seconds()
			return true
		})
		if time.Now().After(b.deadline) {
			b.t.Errorf("%d jobs of %s do not end", len(waiting), c.tenant)
			return
		}
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.means = append(b.means, sum/float64(jobs))
}

// create finds the job that an earlier request has made whose answer was lost.
func (b *burst) create(c *caller, name, file string, job mistral.CreateJobRequest) (string, error) {
	id, err := persist(b.deadline, func() (string, error) {
		id, err := c.createJob(name, file, job)
		if mistral.IsConflict(err) {
			return c.findJob(*job.Suffix)
		}
		return id, err
	})
	if err == nil {
		b.mutex.Lock()
		defer b.mutex.Unlock()
		b.acked = append(b.acked, acknowledged{c.tenant, id, file})
	}
	return id, err
}

// disturb ends and stops members, one after the other, while others may still be stopped, as often as there
// are jobs for two: a machine that is busy with other things would else never come to an end.
func (b *burst) disturb(done <-chan struct{}) {
	random := rand.New(rand.NewPCG(1, 0))
	var pauses sync.WaitGroup
	defer func() { <-done; pauses.Wait() }()
	turns := b.of.jobs / 2
	betweenRestarts := turns/(b.of.restarts+1) + 1
	for turn := range turns {
		select {
		case <-done:
			return
		case <-time.After(time.Duration(500+random.IntN(1500)) * time.Millisecond):
		}
		if (turn+1)%betweenRestarts == 0 {
			b.history.outage(func() { postgrestest.Restart(b.t) })
			b.tally["PostgreSQL restarted"]++
			continue
		}
		group, kind, how := b.workers, "worker", turn%3
		if turn%2 == 1 {
			group, kind = b.servers, "server"
		}
		awake := slices.DeleteFunc(slices.Clone(group), func(one *member) bool { return one.stopped.Load() })
		if len(awake) < len(group) && how == stop {
			how = kill // one of a kind is stopped at a time
		}
		victim := awake[random.IntN(len(awake))]
		switch how {
		case kill:
			victim.restart(syscall.SIGKILL)
		case end:
			victim.restart(syscall.SIGTERM)
		case stop:
			pauses.Go(victim.pause)
		}
		b.tally[kind+[]string{kill: " killed", stop: " stopped", end: " ended"}[how]]++
	}
}

// How members are disturbed.
const (
	kill = iota
	stop
	end
)

// check asks every server for all that was acknowledged, and whether all that was told has been true.
func (b *burst) check() {
	ended := map[string]*mistral.DetailedJob{}
	for i, kept := range b.acked {
		for _, server := range b.servers {
			client := b.client(server, kept.tenant)
			job, err := client.GetJob(b.t.Context(), kept.job)
			if err != nil {
				b.t.Errorf("the job %s is acknowledged: %v", kept.job, err)
				continue
			}
			ended[jobThing(kept.job)] = job
			if !isOneLife(job) {
				b.t.Errorf("the job %s: %s", kept.job, story(job))
			}
			if slices.Contains(b.meddlers, kept.tenant) {
				continue // his files and models come and go
			}
			if job.Status != mistral.JobSuccess {
				b.t.Errorf("the job %s: %s", kept.job, story(job))
				continue
			}
			classified, err := client.Classify(b.t.Context(), mistral.ClassifyRequest{Model: *job.FineTunedModel, Input: []string{"row 1 of " + kept.tenant}})
			if err != nil || len(classified.Results) != 1 {
				b.t.Errorf("the model of %s: %v", kept.job, err)
			}
			if i%10 > 0 {
				continue
			}
			c := b.caller(b.history, kept.tenant, 0)
			if err := c.download(rowsFile, kept.file, rows(200, kept.tenant)); err != nil {
				b.t.Errorf("the file %s: %v", kept.file, err)
			}
		}
	}
	b.history.check(b.t, ended)
}
