package factory

import (
	"fmt"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestValidationWaitsForNoTraining: whoever creates jobs learns soon whether their data
// is good, also while the only one who trains is busy.
func TestValidationWaitsForNoTraining(t *testing.T) {
	s := startServer(t, nil)
	running := s.create(func(r *mistral.CreateJobRequest) {
		steps := int64(1000)
		r.Hyperparameters.TrainingSteps, r.AutoStart = &steps, true
	}, s.upload("slow.jsonl", slowIntents()))
	s.await(running.ID, mistral.JobRunning)
	file := s.upload("intents.jsonl", intents(20))
	var waiting []*mistral.Job
	for i := range 16 {
		waiting = append(waiting, s.create(func(r *mistral.CreateJobRequest) {
			suffix := fmt.Sprint(i)
			r.Suffix = &suffix
		}, file))
	}
	for _, job := range waiting {
		s.await(job.ID, mistral.JobValidated)
	}
	client := s.client("alice-key")
	if job, err := client.GetJob(t.Context(), running.ID); err != nil || job.Status != mistral.JobRunning {
		t.Errorf("they were validated when the training was %s, %v", job.Status, err)
	}
	if _, err := client.CancelJob(t.Context(), running.ID); err != nil {
		t.Fatal(err)
	}
}
