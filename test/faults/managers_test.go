package faults

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// TestTwoManagers lets two operators work on the same objects, each as if it were
// alone: leader election does not always keep them apart. Still every job is
// started once.
func TestTwoManagers(t *testing.T) {
	t.Parallel()
	const (
		period = 20 * time.Second // real: many minutes of the operators'
		jobs   = 8
	)
	w := newWorld(t)
	w.judge = holdUpSome()
	w.startOperator()
	w.startOperator()
	dataset := w.splitDataset("data")
	w.Create(dataset)
	began := time.Now()
	for i := range jobs {
		w.Create(w.trainingJob(fmt.Sprintf("job-%d", i), "data"))
		time.Sleep(period / jobs)
	}
	w.Eventually("waiting for all jobs to be Ready", w.allJobsReady)
	w.checkFiles()
	w.checkStarts(jobs)
	for _, job := range w.remoteJobs() {
		if !job.Status.Finished() {
			t.Errorf("job %s is left, %s", job.ID, job.Status)
		}
	}
	t.Logf("%d jobs in %s of the operators' time", jobs, (time.Since(began) * speed).Round(time.Second))
}

// holdUpSome makes every fifth call slow, so that the operators get in each
// other's way in ever other places.
func holdUpSome() func(call) fault {
	var (
		mu    sync.Mutex
		calls int
	)
	return func(call) fault {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls%5 == 0 {
			return fault{kind: slow}
		}
		return fault{}
	}
}
