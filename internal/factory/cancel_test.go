package factory

import (
	"strings"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// cancelLimit is a second, and what a busy machine adds.
const cancelLimit = 5 * time.Second

// TestCancelAtOnce cancels a job of half a minute in every state in which it can be
// cancelled.
func TestCancelAtOnce(t *testing.T) {
	s := startServer(t, nil)
	client := s.client("alice-key")
	cancelled := func(id string) {
		t.Helper()
		before := time.Now()
		job, err := client.CancelJob(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		from := statuses(job)
		done := s.await(id, mistral.JobCancelled)
		took := time.Since(before)
		t.Logf("%s after %v", from, took)
		if took > cancelLimit {
			t.Errorf("cancelled after %v", took)
		}
		if done.FineTunedModel != nil {
			t.Error("a cancelled job has a model")
		}
	}
	file := s.upload("slow.jsonl", slowIntents())
	long := func(r *mistral.CreateJobRequest) {
		steps := int64(1000)
		r.Hyperparameters.TrainingSteps = &steps
	}

	waiting := s.create(long, file)
	s.await(waiting.ID, mistral.JobValidated)
	cancelled(waiting.ID)

	running := s.create(func(r *mistral.CreateJobRequest) { long(r); r.AutoStart = true }, file)
	s.await(running.ID, mistral.JobRunning)
	queued := s.create(nil, file)
	s.await(queued.ID, mistral.JobValidated)
	if _, err := client.StartJob(t.Context(), queued.ID); err != nil { // the only one who trains is busy
		t.Fatal(err)
	}
	cancelled(queued.ID)
	time.Sleep(200 * time.Millisecond) // into the training
	cancelled(running.ID)

	var many []*mistral.File
	for _, name := range []string{"a.jsonl", "b.jsonl", "c.jsonl"} {
		many = append(many, s.upload(name, strings.Repeat(slowIntents(), 30)))
	}
	validating := s.create(nil, many...)
	s.await(validating.ID, mistral.JobValidating)
	cancelled(validating.ID)
}
