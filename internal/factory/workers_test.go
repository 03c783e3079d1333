package factory

import (
	"fmt"
	"testing"

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

// TestCancelledJobsReleaseTheirFiles, whoever ends them: of files that were deleted
// the last job's end removes the bytes.
func TestCancelledJobsReleaseTheirFiles(t *testing.T) {
	for _, test := range []struct {
		reason string
		cancel func(*server, *job) error
	}{
		{"the worker that validated it still holds it", func(s *server, j *job) error {
			s.factory.queue.claims[j.ID] = &claim{job: *j, interrupt: func(error) {}}
			_, err := s.client("alice-key").CancelJob(t.Context(), j.ID)
			return err
		}},
		{"its validation was done before it was interrupted", func(s *server, j *job) error {
			if err := s.factory.store.updateJob(t.Context(), j.ID, func(j *job) error {
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
		validated, err := s.factory.store.job(t.Context(), "alice", id)
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
