package training

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/storetest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// idleQueue has no workers, and the base model of jobs that name none.
func idleQueue(stored *store.Store, blobs blob.Store) *Queue {
	return NewQueue(Config{Store: stored, Blobs: blobs, BaseModels: basemodels.Models{{Kind: basemodels.Engine}}, TrainingMemory: 1 << 30, Holder: store.Holder{ID: "test", Lease: time.Minute}, Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Registry: prometheus.NewRegistry()})
}

// TestTenantsTakeTurns: who queues a hundred jobs does not hold up another one's.
func TestTenantsTakeTurns(t *testing.T) {
	var stored *store.Store
	var blobs blob.Store
	tenants := map[string]string{"a": "alice", "b": "bob", "c": "carol"}
	jobs := 0
	enqueue := func(initial string) {
		t.Helper()
		jobs++
		suffix := fmt.Sprint(jobs)
		created, err := stored.CreateJob(t.Context(), tenants[strings.ToLower(initial)], store.Limits{}, time.Now(), func(func(string) (store.File, error)) (store.Job, error) {
			return store.Job{Job: mistral.Job{Suffix: &suffix}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if initial == strings.ToLower(initial) {
			return
		}
		if err := stored.UpdateJob(t.Context(), created.ID, func(j *store.Job) error { j.Started = true; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		reason, queued, validated, trained string // tenants' initials; those of jobs that wait for training are capital
	}{
		{"one of many is as good as one", "aaaab", "abaaa", ""},
		{"so in training", "AAAAB", "", "ABAAA"},
		{"each in turn", "aaabbc", "abcaba", ""},
		{"alone, they are served as they came", "aAa", "aa", "A"},
		{"neither stage waits for the other", "aaaaAB", "aaaa", "AB"},
		{"a validation is no turn of training", "aAB", "a", "AB"},
	} {
		stored, blobs = storetest.Open(t)
		for _, initial := range strings.Split(test.queued, "") {
			enqueue(initial)
		}
		q := idleQueue(stored, blobs)
		served := func(stage store.Stage, jobs int) (initials string) {
			t.Helper()
			for range jobs {
				_, claimed, err := q.claim(t.Context(), stage)
				if err != nil {
					t.Fatal(err)
				}
				q.record(t.Context(), &claimed.job, errCancelled)
				q.release(claimed)
				initials += claimed.job.Tenant[:1]
			}
			return initials
		}
		if got := served(store.Validating, len(test.validated)); got != test.validated {
			t.Errorf("%s: of %s, %s were validated", test.reason, test.queued, got)
		}
		if got := served(store.Training, len(test.trained)); got != strings.ToLower(test.trained) {
			t.Errorf("%s: of %s, %s were trained", test.reason, test.queued, got)
		}
	}
}

// TestOneValidationOfATenantAtATime leaves a worker for others, whatever one tenant has
// to be read.
func TestOneValidationOfATenantAtATime(t *testing.T) {
	stored, blobs := storetest.Open(t)
	q := idleQueue(stored, blobs)
	for i, tenant := range []string{"alice", "alice", "bob"} {
		suffix := fmt.Sprint(i)
		_, err := stored.CreateJob(t.Context(), tenant, store.Limits{}, time.Now(), func(func(string) (store.File, error)) (store.Job, error) {
			return store.Job{Job: mistral.Job{Suffix: &suffix}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	claim := func(want string) *claim {
		t.Helper()
		_, claimed, err := q.claim(t.Context(), store.Validating)
		if err != nil || claimed.job.Tenant != want {
			t.Fatalf("claim() = %v, %v, want a job of %s", claimed, err, want)
		}
		return claimed
	}
	first := claim("alice")
	claim("bob")
	if _, claimed, err := q.claim(t.Context(), store.Validating); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("claim() = %v, %v while a job of each tenant is validated", claimed, err)
	}
	q.record(t.Context(), &first.job, errCancelled)
	q.release(first)
	claim("alice")
}

// TestCancelledJobsReleaseTheirFiles, whoever ends them: of files that were deleted
// the last job's end removes the bytes.
func TestCancelledJobsReleaseTheirFiles(t *testing.T) {
	for _, test := range []struct {
		reason string
		cancel func(*Queue, *store.Job) error
	}{
		{"the worker that validated it still holds it", func(q *Queue, j *store.Job) error {
			q.claims[j.ID] = &claim{job: *j, interrupt: func(error) {}}
			return q.Cancel(t.Context(), "alice", j.ID)
		}},
		{"its validation was done before it was interrupted", func(q *Queue, j *store.Job) error {
			if err := q.store.UpdateJob(t.Context(), j.ID, func(j *store.Job) error {
				j.Status = mistral.JobCancellationRequested
				return nil
			}); err != nil {
				return err
			}
			return q.runValidation(t.Context(), j)
		}},
	} {
		stored, blobs := storetest.Open(t)
		q := idleQueue(stored, blobs)
		file := storetest.AddFile(t, stored, blobs)
		_, err := stored.CreateJob(t.Context(), "alice", store.Limits{}, time.Now(), func(func(string) (store.File, error)) (store.Job, error) {
			return store.Job{Inputs: []store.Input{{FileID: file.ID, Digest: file.Digest, Bytes: file.Bytes, Weight: 1}}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, claimed, err := q.claim(t.Context(), store.Validating)
		if err != nil {
			t.Fatal(err)
		}
		if err := q.run(ctx, &claimed.job); err != nil {
			t.Fatal(err)
		}
		q.release(claimed)
		if err := stored.DeleteFile(t.Context(), "alice", file.ID); err != nil {
			t.Fatal(err)
		}
		validated, err := stored.Job(t.Context(), "alice", claimed.job.ID)
		if err != nil || validated.Status != mistral.JobValidated {
			t.Fatal(validated.Status, err)
		}
		if err := test.cancel(q, &validated); err != nil {
			t.Fatal(err)
		}
		if ended, err := stored.Job(t.Context(), "alice", claimed.job.ID); err != nil || ended.Status != mistral.JobCancelled {
			t.Errorf("%s: the job is %s, %v", test.reason, ended.Status, err)
		}
		if left, err := blobs.Digests(); err != nil || len(left) != 0 {
			t.Errorf("%s: %d blobs are kept, %v", test.reason, len(left), err)
		}
	}
}

// TestReleaseKeepsTheNextClaim: who trains a job can still be interrupted when who
// validated it lets go of it.
func TestReleaseKeepsTheNextClaim(t *testing.T) {
	q := idleQueue(nil, nil)
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
