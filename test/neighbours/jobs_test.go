package neighbours

import (
	"context"
	"sync"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestJobsWithoutEnd: whoever always has jobs to validate does not keep a stranger's
// from being trained.
func TestJobsWithoutEnd(t *testing.T) {
	const inFlight = 3
	n := start(t)
	file := n.hostile.mustUpload("rows.jsonl", rows(60_000, 20))
	ctx, stop := context.WithCancel(t.Context())
	var hostile sync.WaitGroup
	for range inFlight {
		hostile.Go(func() {
			for ctx.Err() == nil {
				request := jobRequest(file)
				request.AutoStart = false
				job, err := n.hostile.client.CreateJob(ctx, request)
				if err != nil {
					continue
				}
				_, _ = n.hostile.await(ctx, job.ID, mistral.JobValidated)
				_, _ = n.hostile.client.CancelJob(ctx, job.ID)
			}
		})
	}
	for range 3 {
		n.holdGood("beside a tenant that always has three jobs")
	}
	stop()
	hostile.Wait()
}

// TestValidationBehindTraining does not wait for it.
func TestValidationBehindTraining(t *testing.T) {
	n := start(t)
	long := jobRequest(n.hostile.mustUpload("rows.jsonl", rows(100_000, 50)))
	steps := int64(1_000_000)
	long.Hyperparameters.TrainingSteps = &steps
	training, err := n.hostile.client.CreateJob(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.hostile.await(t.Context(), training.ID, mistral.JobRunning); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*n.alone.job+slack)
	defer cancel()
	for range 16 {
		request := jobRequest(n.good.mustUpload("good.jsonl", rows(40, 4)))
		request.AutoStart = false
		created, err := n.good.client.CreateJob(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.good.await(ctx, created.ID, mistral.JobValidated); err != nil {
			t.Fatalf("beside a training: %v", err)
		}
	}
	if job, err := n.hostile.client.GetJob(t.Context(), training.ID); err != nil || job.Status != mistral.JobRunning {
		t.Errorf("the training was over before: it needs more rows (%v)", err)
	}
}
