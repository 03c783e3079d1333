package factory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestWorkersPassJobsOn: a job that starts by itself is taken for training by
// another worker while the one that validated it still holds it.
func TestWorkersPassJobsOn(t *testing.T) {
	s := startServer(t, func(c *Config) { c.Workers = 4 })
	file := s.upload("intents.jsonl", intents(20))
	var jobs []*mistral.Job
	for i := range 60 {
		jobs = append(jobs, s.create(func(r *mistral.CreateJobRequest) {
			suffix := fmt.Sprint(i)
			r.Suffix, r.AutoStart = &suffix, true
		}, file))
	}
	for _, job := range jobs {
		s.await(job.ID, mistral.JobSuccess)
	}
}

// TestTenantsTakeTurns: who queues a hundred jobs does not hold up another one's.
func TestTenantsTakeTurns(t *testing.T) {
	tenants := map[string]string{"a": "alice", "b": "bob", "c": "carol"}
	s := startServer(t, func(c *Config) { c.APIKeys = append(c.APIKeys, NewAPIKey("carol", "carol-key")) })
	s.factory.queue.close() // the test takes what is queued
	file := map[string]*mistral.File{}
	for initial, tenant := range tenants {
		file[initial] = uploadAs(t, s.client(tenant+"-key"), "intents.jsonl", intents(20))
	}
	jobs := 0
	enqueue := func(initial string) {
		t.Helper()
		jobs++
		tenant, suffix := strings.ToLower(initial), fmt.Sprint(jobs)
		created, err := s.client(tenants[tenant]+"-key").CreateJob(t.Context(), mistral.CreateJobRequest{Model: DefaultBaseModel, JobType: mistral.JobTypeClassifier,
			Suffix: &suffix, TrainingFiles: []mistral.TrainingFile{{FileID: file[tenant].ID, Weight: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		if initial == tenant {
			return
		}
		if err := s.factory.store.UpdateJob(t.Context(), created.ID, func(j *store.Job) error { j.Started = true; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		reason, queued, want string // tenants' initials; those of jobs that wait for training are capital
	}{
		{"one of many is as good as one", "aaaab", "abaaa"},
		{"so in training", "AAAAB", "ABAAA"},
		{"each in turn", "aaabbc", "abcaba"},
		{"alone, they are served as they came", "aAa", "aaA"},
		{"validation comes before training", "AAAb", "bAAA"},
		{"a validation is no turn of training", "aAB", "aAB"},
	} {
		for _, initial := range strings.Split(test.queued, "") {
			enqueue(initial)
		}
		q, got := newQueue(s.factory), ""
		for range test.queued {
			_, claimed, err := q.claim(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			q.release(claimed)
			if initial := claimed.job.Tenant[:1]; claimed.job.Started {
				got += strings.ToUpper(initial)
			} else {
				got += initial
			}
		}
		if got != test.want {
			t.Errorf("%s: of %s, %s were served", test.reason, test.queued, got)
		}
	}
}

// TestCancelledJobsReleaseTheirFiles, whoever ends them: of files that were deleted
// the last job's end removes the bytes.
func TestCancelledJobsReleaseTheirFiles(t *testing.T) {
	for _, test := range []struct {
		reason string
		cancel func(*server, *store.Job) error
	}{
		{"the worker that validated it still holds it", func(s *server, j *store.Job) error {
			s.factory.queue.claims[j.ID] = &claim{job: *j, interrupt: func(error) {}}
			_, err := s.client("alice-key").CancelJob(t.Context(), j.ID)
			return err
		}},
		{"its validation was done before it was interrupted", func(s *server, j *store.Job) error {
			if err := s.factory.store.UpdateJob(t.Context(), j.ID, func(j *store.Job) error {
				j.Status = mistral.JobCancellationRequested
				return nil
			}); err != nil {
				return err
			}
			return s.factory.runValidation(t.Context(), j)
		}},
	} {
		s := startServer(t, nil)
		file := s.upload("intents.jsonl", intents(20))
		id := s.await(s.create(nil, file).ID, mistral.JobValidated).ID
		if err := s.client("alice-key").DeleteFile(t.Context(), file.ID); err != nil {
			t.Fatal(err)
		}
		validated, err := s.factory.store.Job(t.Context(), "alice", id)
		if err != nil {
			t.Fatal(err)
		}
		if err := test.cancel(s, &validated); err != nil {
			t.Fatal(err)
		}
		s.await(id, mistral.JobCancelled)
		if left := blobNames(t, s); len(left) != 0 {
			t.Errorf("%s: %d blobs are kept", test.reason, len(left))
		}
	}
}

// TestReleaseKeepsTheNextClaim: who trains a job can still be interrupted when who
// validated it lets go of it.
func TestReleaseKeepsTheNextClaim(t *testing.T) {
	q := newQueue(nil)
	var interrupted []string
	claimed := func(worker string) *claim {
		c := &claim{interrupt: func(error) { interrupted = append(interrupted, worker) }}
		c.job.ID = "job"
		return c
	}
	validating, training := claimed("validating"), claimed("training")
	q.claims["job"] = training
	q.release(validating)
	if q.claims["job"] != training || len(interrupted) != 1 || interrupted[0] != "validating" {
		t.Errorf("claims %v, interrupted %v", q.claims, interrupted)
	}
	q.release(training)
	if len(q.claims) != 0 {
		t.Errorf("claims %v", q.claims)
	}
}
