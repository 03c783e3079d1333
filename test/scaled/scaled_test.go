package scaled

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestStoppedWorker: a worker that is stopped while it trains loses the job to another, who trains it
// anew; when it wakes, it says nothing more. What is cancelled at a server
// ends at the worker within a second, and what a worker gives up when it ends goes on at once.
func TestStoppedWorker(t *testing.T) {
	m := newMembers(t, []string{"alice"})
	server := m.addServer()
	client := m.client(server, "alice")
	file, err := uploadTo(t.Context(), client, "rows.jsonl", rows(20_000, "alice"))
	if err != nil {
		t.Fatal(err)
	}
	first := m.addWorker()
	created, err := client.CreateJob(t.Context(), jobOf(file.ID, "stopped"))
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

	again, err := client.CreateJob(t.Context(), jobOf(file.ID, "given-up"))
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
// works on, with one end that is a success or was asked for.
func isOneLife(job *mistral.DetailedJob) bool {
	follows := map[string][]string{
		"":           {"QUEUED"},
		"QUEUED":     {"VALIDATING", "RUNNING", "CANCELLED"},
		"VALIDATING": {"VALIDATED", "QUEUED", "CANCELLATION_REQUESTED"},
		"VALIDATED":  {"RUNNING", "CANCELLED"},
		"RUNNING":    {"SUCCESS", "QUEUED", "CANCELLATION_REQUESTED", "RUNNING"}, // the last when it says at which step it goes on

		"CANCELLATION_REQUESTED": {"CANCELLED"},
	}
	last := ""
	for _, said := range strings.Fields(story(job)) {
		status, _, resumed := strings.Cut(said, `","resumed_at_step"`)
		if !slices.Contains(follows[last], status) || last == "RUNNING" && status == "RUNNING" && !resumed {
			return false
		}
		last = status
	}
	return last == string(mistral.JobSuccess) || last == string(mistral.JobCancelled)
}
