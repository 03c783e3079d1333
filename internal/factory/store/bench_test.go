package store

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

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
		claimed, err := s.ClaimJob(b.Context(), Validating, Holder{ID: "worker", Lease: time.Minute}, time.Unix(1, 0))
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

// BenchmarkClaimJobOfMany is what four workers wait for that claim at the same time beside ten
// thousand jobs, and hand in what they have: the slowest of a hundred counts.
func BenchmarkClaimJobOfMany(b *testing.B) {
	s := openedStore(b)
	queue(b, s, 10_000)
	var mutex sync.Mutex
	var took []time.Duration
	b.SetParallelism(2)
	b.RunParallel(func(pb *testing.PB) {
		by := Holder{ID: uuid.NewString(), Lease: time.Minute}
		for pb.Next() {
			began := time.Now()
			claimed, err := s.ClaimJob(b.Context(), Validating, by, time.Unix(1, 0))
			elapsed := time.Since(began)
			if errors.Is(err, ErrNotFound) {
				continue // a job of each tenant is validated
			}
			if err == nil {
				err = s.UpdateHeldJob(b.Context(), claimed.Lease(), func(j *Job) error { j.Status = mistral.JobQueued; return nil })
			}
			if err != nil {
				b.Error(err)
				return
			}
			mutex.Lock()
			took = append(took, elapsed)
			mutex.Unlock()
		}
	})
	slices.Sort(took)
	if len(took) > 0 {
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	}
}

// BenchmarkReadJob is a request of somebody who polls.
func BenchmarkReadJob(b *testing.B) {
	s := openedStore(b)
	queue(b, s, 100)
	claimed, err := s.ClaimJob(b.Context(), Validating, Holder{ID: "worker", Lease: time.Minute}, time.Unix(1, 0))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.DetailedJob(b.Context(), claimed.Tenant, claimed.ID); err != nil {
			b.Fatal(err)
		}
	}
}
