package factory

import (
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestCurveOfCheckpoints draws what the vendor's notebooks do: the training loss of every
// checkpoint, and of the validation loss what is not 0.
func TestCurveOfCheckpoints(t *testing.T) {
	s := startServer(t, nil)
	training, validation := s.upload("training.jsonl", intents(200)), s.upload("validation.jsonl", intents(60))
	steps := func(count int64, files ...string) func(*mistral.CreateJobRequest) {
		return func(request *mistral.CreateJobRequest) {
			request.AutoStart, request.Hyperparameters.TrainingSteps, request.ValidationFiles = true, &count, files
		}
	}
	for _, test := range []struct {
		reason string
		change func(*mistral.CreateJobRequest)
	}{
		{"as the intent notebook trains", steps(100, validation.ID)},
		{"a line of the most steps", steps(250, validation.ID)},
		{"few steps", steps(10, validation.ID)},
		{"without validation files: of rows that are kept aside", steps(100)},
		{"without a number of steps", autoStart},
	} {
		job := s.await(s.create(test.change, training).ID, mistral.JobSuccess)
		var line []float64
		for _, checkpoint := range job.Checkpoints { // newest first
			metrics := checkpoint.Metrics
			if metrics.TrainLoss == nil || metrics.ValidLoss == nil || metrics.ValidMeanTokenAccuracy == nil {
				t.Errorf("%s: step %d has %+v; null is no number to draw", test.reason, checkpoint.StepNumber, metrics)
				continue
			}
			if *metrics.ValidLoss != 0 {
				line = append(line, *metrics.ValidLoss)
			}
		}
		if len(line) < 2 {
			t.Errorf("%s: %d points are no line", test.reason, len(line))
			continue
		}
		if last, first := line[0], line[len(line)-1]; last >= first {
			t.Errorf("%s: the loss goes from %v to %v; it learns nothing", test.reason, first, last)
		}
	}
}
