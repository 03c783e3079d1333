package scaled

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/test/processes"
)

var older = flag.String("scaled.old", "", "program of an older version that TestRollingUpgrade begins with (default: the present one)")

const (
	probed = 100 * time.Millisecond // how often a Service asks who is ready
	drain  = 2 * time.Second        // what a server is given between SIGTERM and its end
)

// service passes requests on to the servers that are ready, as one of Kubernetes does.
type service struct {
	mu      sync.Mutex
	servers []*replaceable
	next    int
}

// replaceable is a server of some version.
type replaceable struct {
	*processes.Process
	address string
	drains  bool // by itself
	ready   atomic.Bool
}

// probe asks the servers who of them is ready, until the test ends.
func (s *service) probe(t *testing.T) {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for ; t.Context().Err() == nil; time.Sleep(probed) {
		for _, one := range s.all() {
			response, err := client.Get("http://" + one.address + "/readyz")
			if err == nil {
				_ = response.Body.Close()
			}
			one.ready.Store(err == nil && response.StatusCode == http.StatusOK)
		}
	}
}

func (s *service) all() []*replaceable {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*replaceable(nil), s.servers...)
}

func (s *service) add(one *replaceable) {
	one.ready.Store(true) // Start has waited for it
	s.mu.Lock()
	defer s.mu.Unlock()
	s.servers = append(s.servers, one)
}

func (s *service) remove(gone *replaceable) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, one := range s.servers {
		if one == gone {
			s.servers = append(s.servers[:i:i], s.servers[i+1:]...)
			return
		}
	}
}

// choose is in turns.
func (s *service) choose() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range s.servers {
		s.next++
		if one := s.servers[s.next%len(s.servers)]; one.ready.Load() {
			return one.address
		}
	}
	return ""
}

// replace begins a new server before it ends an old one. One that does not drain by itself gets no
// requests for a while before it is told to end, which is what a preStop hook is for.
func (s *service) replace(t *testing.T, old, new *replaceable) {
	t.Helper()
	s.add(new)
	if !old.drains {
		s.remove(old)
		time.Sleep(drain)
	}
	old.End(t, syscall.SIGTERM) // and whoever probes it may learn of that later
}

// TestRollingUpgrade replaces all servers and the worker, one after the other, while classifications
// are asked for and a training runs: none of them fails.
func TestRollingUpgrade(t *testing.T) {
	before := *older
	if before == "" {
		before = binary
	}
	shared := []string{"--data-dir=" + t.TempDir(), "--database-url=" + postgrestest.URL(t), "--lease-duration=" + lease.String()}
	server := func(program string) *replaceable {
		one := &replaceable{address: processes.FreeAddress(t), drains: knows(t, program, "shutdown-delay")}
		arguments := append([]string{"serve", "--workers=0", "--insecure-no-auth", "--metrics-listen=127.0.0.1:0", "--listen=" + one.address}, shared...)
		if one.drains {
			arguments = append(arguments, "--shutdown-delay="+drain.String())
		}
		one.Process = processes.Start(t, program, one.address, nil, arguments...)
		return one
	}
	worker := func(program string) *processes.Process {
		address := processes.FreeAddress(t)
		return processes.Start(t, program, address, nil, append([]string{"work", "--training-memory=512Mi", "--listen=" + address}, shared...)...)
	}
	s := &service{}
	for range 2 {
		s.add(server(before))
	}
	trains := worker(before)
	client, err := mistral.NewClient(mistral.Config{BaseURL: "http://" + s.choose()})
	if err != nil {
		t.Fatal(err)
	}
	model := *awaitEnd(t, client, createJob(t, client, 200)).FineTunedModel
	running := createJob(t, client, 20_000)

	go s.probe(t)
	load := startLoad(t, s, model)
	for _, old := range s.all() {
		s.replace(t, old, server(binary))
	}
	replaced := worker(binary)
	trains.End(t, syscall.SIGTERM)
	client, err = mistral.NewClient(mistral.Config{BaseURL: "http://" + s.choose()})
	if err != nil {
		t.Fatal(err)
	}
	job := awaitEnd(t, client, running)
	asked := load.end()
	if len(asked.failures) > 0 {
		t.Errorf("%d of %d requests failed, such as by %s", len(asked.failures), asked.sent, asked.failures[0])
	}
	if !isOneLife(job) {
		t.Errorf("the job's life is %s", story(job))
	}
	t.Logf("%d requests, at most %v each; the job: %s", asked.sent, asked.slowest.Round(time.Millisecond), story(job))
	replaced.End(t, syscall.SIGTERM)
}

// knows reports whether a program has a flag of serve.
func knows(t *testing.T, program, name string) bool {
	t.Helper()
	usage, _ := exec.CommandContext(t.Context(), program, "serve", "--help").CombinedOutput() // which is no success
	return strings.Contains(string(usage), "-"+name)
}

func createJob(t *testing.T, client *mistral.Client, number int) (id string) {
	t.Helper()
	file, err := uploadTo(t.Context(), client, "rows.jsonl", rows(number, "everybody"))
	if err != nil {
		t.Fatal(err)
	}
	job, err := client.CreateJob(t.Context(), jobOf(file.ID, "rolling"))
	if err != nil {
		t.Fatal(err)
	}
	return job.ID
}

func awaitEnd(t *testing.T, client *mistral.Client, id string) *mistral.DetailedJob {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		job, err := client.GetJob(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if job.Status == mistral.JobSuccess {
			return job
		}
		if job.Status.Finished() || time.Now().After(deadline) {
			t.Fatalf("the job is %s: %s", job.Status, story(job))
		}
	}
}

// load is 200 requests a second, at times that do not wait for answers.
type load struct {
	ending   chan struct{}
	requests sync.WaitGroup
	mu       sync.Mutex
	asked    requested
}

type requested struct {
	sent     int
	slowest  time.Duration
	failures []string
}

func startLoad(t *testing.T, s *service, model string) *load {
	t.Helper()
	body, err := json.Marshal(mistral.ClassifyRequest{Model: model, Input: []string{"row 7 of everybody"}})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}, Timeout: 10 * time.Second}
	l := &load{ending: make(chan struct{})}
	l.requests.Go(func() {
		ticker := time.NewTicker(time.Second / 200)
		defer ticker.Stop()
		for {
			select {
			case <-l.ending:
				return
			case <-ticker.C:
			}
			l.requests.Go(func() { l.note(classifyOnce(client, s.choose(), body)) })
		}
	})
	return l
}

// classifyOnce sends no request twice.
func classifyOnce(client *http.Client, address string, body []byte) (took time.Duration, failure string) {
	began := time.Now()
	request, err := http.NewRequest(http.MethodPost, "http://"+address+"/v1/classifications", io.NopCloser(bytes.NewReader(body)))
	if err != nil {
		return 0, err.Error()
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	if answer, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		return 0, response.Status + " " + string(answer)
	}
	return time.Since(began), ""
}

func (l *load) note(took time.Duration, failure string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked.sent++
	l.asked.slowest = max(l.asked.slowest, took)
	if failure != "" {
		l.asked.failures = append(l.asked.failures, failure)
	}
}

func (l *load) end() requested {
	close(l.ending)
	l.requests.Wait()
	return l.asked
}
