package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestReleaseDoesNotReadOthersJobs: while it is found out whether bytes are in use,
// nobody can write. That takes no longer beside fifty times as many jobs.
func TestReleaseDoesNotReadOthersJobs(t *testing.T) {
	s := openedStore(t)
	jobs := 0
	create := func(number int) {
		t.Helper()
		for range number {
			jobs++
			suffix := fmt.Sprint(jobs)
			_, err := s.CreateJob(t.Context(), "alice", Limits{}, time.Now(), func(func(string) (File, error)) (Job, error) {
				j := Job{Job: mistral.Job{Suffix: &suffix}}
				for i := range 300 {
					j.Inputs = append(j.Inputs, Input{FileID: fmt.Sprint(i), Digest: fmt.Sprintf("%064d", i), Weight: 1})
				}
				return j, nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	digests := make([]string, 10)
	for i := range digests {
		digests[i] = fmt.Sprintf("%064d", 2000+i) // of a stranger's files
	}
	fastest := func() time.Duration {
		t.Helper()
		fastest := time.Hour
		for range 5 {
			started := time.Now()
			if err := s.ReleaseBlobs(t.Context(), digests...); err != nil {
				t.Fatal(err)
			}
			fastest = min(fastest, time.Since(started))
		}
		return fastest
	}
	create(1)
	few := fastest()
	create(49)
	if many := fastest(); many > 10*few {
		t.Errorf("bytes are released in %v beside 50 jobs, in %v beside one", many, few)
	}
}
