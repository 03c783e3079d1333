package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// queue has jobs of eight tenants waiting.
func queue(b *testing.B, s *Store, jobs int) {
	b.Helper()
	for i := range jobs {
		suffix := fmt.Sprint(i)
		_, err := s.CreateJob(b.Context(), fmt.Sprint("tenant", i%8), Limits{}, time.Unix(int64(i), 0), func(func(string) (File, error)) (Job, error) {
			return Job{Job: mistral.Job{Suffix: &suffix}, Inputs: []Input{{FileID: "f", Filename: "f.jsonl", Digest: "d", Weight: 1}}}, nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCreateJob is a change of several rows.
func BenchmarkCreateJob(b *testing.B) {
	s := openedStore(b)
	b.ResetTimer()
	queue(b, s, b.N)
}

// BenchmarkClaimJob is what a worker waits for beside a thousand jobs.
func BenchmarkClaimJob(b *testing.B) {
	s := openedStore(b)
	queue(b, s, 1000)
	for b.Loop() {
		claimed, err := s.ClaimJob(b.Context(), Validating, time.Unix(1, 0), func(tenants []string) string { return tenants[0] })
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.UpdateJob(b.Context(), claimed.ID, func(j *Job) error { j.Status = mistral.JobQueued; return nil }); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkReadJob is a request of somebody who polls.
func BenchmarkReadJob(b *testing.B) {
	s := openedStore(b)
	queue(b, s, 100)
	claimed, err := s.ClaimJob(b.Context(), Validating, time.Unix(1, 0), func(tenants []string) string { return tenants[0] })
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.DetailedJob(b.Context(), claimed.Tenant, claimed.ID); err != nil {
			b.Fatal(err)
		}
	}
}
