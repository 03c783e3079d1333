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
