package scaled

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

var long = flag.Bool("scaled.long", false, "3 servers, 4 workers and 400 jobs, and PostgreSQL restarts twice")

// rows are of two labels. The more there are, the longer a training takes.
func rows(number int, tenant string) string {
	var text strings.Builder
	for i := range number {
		fmt.Fprintf(&text, `{"text": "row %d of %s", "labels": {"intent": "label%d"}}`+"\n", i, tenant, i%2)
	}
	return text.String()
}

func upload(ctx context.Context, client *mistral.Client, name, content string) (*mistral.File, error) {
	return client.UploadFile(ctx, mistral.Upload{Filename: name, Content: strings.NewReader(content), Size: int64(len(content))})
}

func jobOf(file *mistral.File, suffix string) mistral.CreateJobRequest {
	return mistral.CreateJobRequest{Model: factory.DefaultBaseModel, JobType: mistral.JobTypeClassifier, AutoStart: true, Suffix: &suffix,
		TrainingFiles: []mistral.TrainingFile{{FileID: file.ID, Weight: 1}}}
}

// TestStoppedWorker: a worker that is stopped while it trains loses the job to another, who goes on
// with what the first has saved; when it wakes, it says nothing more. What is cancelled at a server
// ends at the worker within a second, and what a worker gives up when it ends goes on at once.
func TestStoppedWorker(t *testing.T) {
	m := newMembers(t, []string{"alice"})
	server := m.addServer()
	client := m.client(server, "alice")
	file, err := upload(t.Context(), client, "rows.jsonl", rows(20_000, "alice"))
	if err != nil {
		t.Fatal(err)
	}
	first := m.addWorker()
	created, err := client.CreateJob(t.Context(), jobOf(file, "stopped"))
	if err != nil {
		t.Fatal(err)
	}
	m.await(server, "alice", created.ID, func(j *mistral.DetailedJob) bool {
		return j.Status == mistral.JobRunning && len(j.Checkpoints) > 0
	})
	first.Send(t, syscall.SIGSTOP)
	second := m.addWorker()
	m.await(server, "alice", created.ID, func(j *mistral.DetailedJob) bool {
		return strings.Count(story(j), "RUNNING") > 1 && j.Status == mistral.JobRunning
	})
	first.Send(t, syscall.SIGCONT)
	ended := m.await(server, "alice", created.ID, has(mistral.JobSuccess))
	if told := story(ended); !isOneLife(ended) {
		t.Errorf("the job's life is %s", told)
	}
	t.Logf("the stopped worker's job: %s", story(ended))
	for deadline := time.Now().Add(time.Minute); !strings.Contains(strings.Join(first.Log(t), "\n"), "lease of the job is lost"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the first worker does not learn that it has lost the job")
		}
	}

	again, err := client.CreateJob(t.Context(), jobOf(file, "given-up"))
	if err != nil {
		t.Fatal(err)
	}
	m.await(server, "alice", again.ID, has(mistral.JobRunning))
	first.End(t, syscall.SIGTERM) // one of the two has it
	gave := time.Now()
	running := m.await(server, "alice", again.ID, has(mistral.JobRunning))
	if took := time.Since(gave); strings.Contains(story(running), "RUNNING QUEUED RUNNING") && took > lease {
		t.Errorf("what was given up went on after %v", took)
	}
	asked := time.Now()
	if _, err := client.CancelJob(t.Context(), again.ID); err != nil {
		t.Fatal(err)
	}
	m.await(server, "alice", again.ID, has(mistral.JobCancelled))
	t.Logf("cancelled after %v", time.Since(asked))
	if took := time.Since(asked); took > 5*time.Second { // a second, and what a busy machine adds
		t.Errorf("cancelled after %v", took)
	}
	second.End(t, syscall.SIGTERM)
}

// isOneLife says whether a job's states follow one another as those of a job that one at a time
// works on, with one end.
func isOneLife(job *mistral.DetailedJob) bool {
	follows := map[string][]string{
		"":           {"QUEUED"},
		"QUEUED":     {"VALIDATING", "RUNNING"},
		"VALIDATING": {"VALIDATED", "QUEUED"},
		"VALIDATED":  {"RUNNING"},
		"RUNNING":    {"SUCCESS", "QUEUED", "RUNNING"}, // the last when it says at which step it goes on
	}
	last := ""
	for _, said := range strings.Fields(story(job)) {
		status, _, resumed := strings.Cut(said, `","resumed_at_step"`)
		if !slices.Contains(follows[last], status) || last == "RUNNING" && status == "RUNNING" && !resumed {
			return false
		}
		last = status
	}
	return last == string(mistral.JobSuccess)
}

// size is that of a burst.
type size struct {
	servers, workers, tenants, jobs, restarts int
}

// TestNothingIsLost while members are killed, stopped for twice their lease and ended at random:
// every job that was acknowledged ends once and well, and its model answers at every server.
func TestNothingIsLost(t *testing.T) {
	of := size{servers: 2, workers: 2, tenants: 4, jobs: 40}
	if *long {
		of = size{servers: 3, workers: 4, tenants: 8, jobs: 400, restarts: 2}
	}
	var tenants []string
	for i := range of.tenants {
		tenants = append(tenants, fmt.Sprintf("tenant%d", i))
	}
	m := newMembers(t, tenants)
	for range of.servers {
		m.addServer()
	}
	for range of.workers {
		m.addWorker()
	}
	began := time.Now()
	b := &burst{members: m, deadline: time.Now().Add(time.Duration(of.jobs) * 15 * time.Second)}
	done := make(chan struct{})
	var all sync.WaitGroup
	for i, tenant := range tenants {
		all.Go(func() { b.live(i, tenant, of.jobs/of.tenants) })
	}
	go func() { all.Wait(); close(done) }()
	b.disturb(done, of)
	if t.Failed() {
		return
	}
	b.check()
	t.Logf("%d jobs of %d tenants in %v: %v; mean ends of tenants, in seconds: %v", of.jobs, of.tenants, time.Since(began).Round(time.Second), b.tally, b.means)
	if len(b.means) > 0 {
		t.Logf("last ÷ first: %.2f", slices.Max(b.means)/slices.Min(b.means))
	}
	for _, one := range slices.Concat(m.workers, m.servers) {
		one.End(t, syscall.SIGTERM)
	}
	output, err := exec.Command(binary, "verify", "--data-dir="+m.directory, "--database-url="+m.database).CombinedOutput()
	if err != nil {
		t.Errorf("factory verify: %v\n%s", err, output)
	}
}

// burst is what tenants ask for, and what becomes of it.
type burst struct {
	*members
	deadline time.Time
	mutex    sync.Mutex // of all that follows, and of who is alive
	acked    []acknowledged
	means    []float64
	tally    map[string]int
}

type acknowledged struct{ tenant, job, file, content string }

// ask repeats a request at one server after the other until it is answered.
func (b *burst) ask(tenant string, first int, request func(ctx context.Context, client *mistral.Client) error) error {
	for attempt := first; ; attempt++ {
		ctx, cancel := context.WithTimeout(b.t.Context(), 5*time.Second)
		err := request(ctx, b.client(b.servers[attempt%len(b.servers)], tenant))
		cancel()
		var answer *mistral.Error
		if err == nil || errors.As(err, &answer) && answer.StatusCode > 0 && answer.StatusCode < 500 || time.Now().After(b.deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// live uploads a tenant's rows, creates his jobs, and waits for their ends.
func (b *burst) live(number int, tenant string, jobs int) {
	content := rows(200, tenant)
	var file *mistral.File
	err := b.ask(tenant, number, func(ctx context.Context, client *mistral.Client) (err error) {
		file, err = upload(ctx, client, "rows.jsonl", content)
		return err
	})
	if err != nil {
		b.t.Error(err)
		return
	}
	began := time.Now()
	var waiting []string
	for i := range jobs {
		var created *mistral.Job
		err := b.ask(tenant, number+i, func(ctx context.Context, client *mistral.Client) (err error) {
			suffix := fmt.Sprint("job", i)
			created, err = client.CreateJob(ctx, jobOf(file, suffix))
			if mistral.IsConflict(err) { // an earlier request that was not answered was done
				var found *mistral.JobList
				if found, err = client.ListJobs(ctx, mistral.JobFilter{Suffix: suffix}); err == nil {
					created = &found.Data[0]
				}
			}
			return err
		})
		if err != nil {
			b.t.Error(err)
			return
		}
		waiting = append(waiting, created.ID)
		b.mutex.Lock()
		b.acked = append(b.acked, acknowledged{tenant, created.ID, file.ID, content})
		b.mutex.Unlock()
	}
	sum := 0.0
	for attempt := 0; len(waiting) > 0; attempt++ {
		waiting = slices.DeleteFunc(waiting, func(id string) bool {
			ended := false
			err := b.ask(tenant, attempt, func(ctx context.Context, client *mistral.Client) error {
				job, err := client.GetJob(ctx, id)
				ended = err == nil && job.Status.Finished()
				return err
			})
			if err != nil {
				b.t.Errorf("the job %s: %v", id, err)
				return true
			}
			if ended {
				sum += time.Since(began).Seconds()
			}
			return ended
		})
		if time.Now().After(b.deadline) {
			b.t.Errorf("%d jobs of %s do not end", len(waiting), tenant)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.means = append(b.means, sum/float64(jobs))
}

// disturb ends and stops members, one at a time, as often as there are jobs for two: a machine that
// is busy with other things would else never come to an end.
func (b *burst) disturb(done <-chan struct{}, of size) {
	random := rand.New(rand.NewPCG(1, 0))
	b.tally = map[string]int{}
	defer func() { <-done }()
	for turn := range of.jobs / 2 {
		select {
		case <-done:
			return
		case <-time.After(time.Duration(500+random.IntN(1500)) * time.Millisecond):
		}
		group := b.workers
		if turn%3 == 2 {
			group = b.servers
		}
		victim := group[random.IntN(len(group))]
		switch how := []string{"killed", "stopped", "ended"}[turn%3]; {
		case turn%20 == 10 && of.restarts > 0:
			of.restarts--
			postgrestest.Restart(b.t)
			b.tally["PostgreSQL restarted"]++
		case how == "killed" || turn%2 == 1 && how == "ended":
			victim.restart(syscall.SIGKILL)
			b.tally["killed"]++
		case how == "stopped":
			victim.pause()
			b.tally["stopped"]++
		default:
			victim.restart(syscall.SIGTERM)
			b.tally["ended"]++
		}
	}
}

// check asks every server for all that was acknowledged.
func (b *burst) check() {
	for i, kept := range b.acked {
		for _, server := range b.servers {
			client := b.client(server, kept.tenant)
			job, err := client.GetJob(b.t.Context(), kept.job)
			if err != nil {
				b.t.Errorf("the job %s is acknowledged: %v", kept.job, err)
				continue
			}
			if !isOneLife(job) {
				b.t.Errorf("the job %s: %s", kept.job, story(job))
				continue
			}
			answer, err := client.Classify(b.t.Context(), mistral.ClassifyRequest{Model: *job.FineTunedModel, Input: []string{"row 1 of " + kept.tenant}})
			if err != nil || len(answer.Results) != 1 {
				b.t.Errorf("the model of %s: %v", kept.job, err)
			}
			if i%10 > 0 {
				continue
			}
			content, err := client.DownloadFile(b.t.Context(), kept.file)
			if err != nil {
				b.t.Errorf("the file %s: %v", kept.file, err)
				continue
			}
			if got, err := io.ReadAll(content); err != nil || string(got) != kept.content {
				b.t.Errorf("the file %s has %d bytes, %v", kept.file, len(got), err)
			}
			_ = content.Close()
		}
	}
}
