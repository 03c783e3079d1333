package controller

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestNoAnswerBlocksTheStatus puts into the factory's answers what the schema
// refuses. A status is written as a whole: one such value in it, and the object
// would never tell anything again.
func TestNoAnswerBlocksTheStatus(t *testing.T) {
	t.Parallel()
	metadata := func(key string, value any) func(map[string]any) {
		return func(job map[string]any) {
			if metadata, ok := job["metadata"].(map[string]any); ok {
				metadata[key] = value
			}
		}
	}
	field := func(key string, value any) func(map[string]any) {
		return func(job map[string]any) { job[key] = value }
	}
	checkpoints := func(count int, step, trainLoss, validLoss float64) func(map[string]any) {
		var list []any
		for range count {
			metrics := map[string]any{"train_loss": trainLoss, "valid_loss": validLoss}
			list = append(list, map[string]any{"step_number": step, "created_at": 1, "metrics": metrics})
		}
		return field("checkpoints", list)
	}
	for _, answer := range []struct {
		name    string
		distort func(job map[string]any)
		// hinders is where the job waits until the factory comes to its senses;
		// empty if it can be trained nevertheless.
		hinders string
	}{
		{"a currency in lower case", metadata("cost_currency", "eur"), ""},
		{"a cost beyond all bounds", metadata("cost", 1e300), ""},
		{"a negative cost", metadata("cost", -1), ""},
		{"a cost with more digits than money has", metadata("cost", 1e-30), ""},
		{"no metadata", field("metadata", nil), ""},
		{"a state of 500 characters", field("status", strings.Repeat("X", 500)), classifierv1alpha1.ReasonAwaitingValidation},
		{"an empty state", field("status", ""), classifierv1alpha1.ReasonAwaitingValidation},
		{"a model ID of 300 characters", field("fine_tuned_model", strings.Repeat("m", 300)), classifierv1alpha1.ReasonTraining},
		{"an empty model ID", field("fine_tuned_model", ""), classifierv1alpha1.ReasonTraining},
		{"negative tokens", field("trained_tokens", -5), ""},
		{"a negative step", checkpoints(1, -3, 1, 1), ""},
		{"losses too small to write", checkpoints(1, 3, 1e-120, 1e-120), ""},
		{"losses too large to write", checkpoints(1, 3, 1e300, 1e300), ""},
		{"negative losses", checkpoints(1, 3, -1, -1), ""},
		{"a step reported forty times", checkpoints(40, 3, 1, 1), ""},
		{"checkpoints without metrics", field("checkpoints", []any{map[string]any{"step_number": 1}}), ""},
		{"steps that are none", field("hyperparameters", map[string]any{"training_steps": -1}), ""},
		{"nothing but what is required", func(job map[string]any) {
			for key := range job {
				if key != "id" && key != "status" && key != "fine_tuned_model" {
					delete(job, key)
				}
			}
		}, ""},
	} {
		t.Run(answer.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			d.onStatusWrite(func(_ int64, write func() error) error {
				err := write()
				if apierrors.IsInvalid(err) {
					t.Error(err)
				}
				return err
			})
			d.ready(d.inlineDataset("data", sentiments(20)))
			job := driven(d.trainingJob("job", "data"))
			d.create(job)
			d.factory.distort("/v1/fine_tuning/jobs/", answer.distort)
			if answer.hinders != "" {
				d.settle(job, answer.hinders)
				d.factory.behave()
			}
			d.settle(job, classifierv1alpha1.ReasonPublished)
		})
	}
}

func TestNoTimestampBlocksTheStatus(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"created_at", "modified_at"} {
		t.Run(key+" in milliseconds", func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			d.onStatusWrite(func(_ int64, write func() error) error {
				err := write()
				if apierrors.IsInvalid(err) {
					t.Error(err)
				}
				return err
			})
			d.ready(d.inlineDataset("data", sentiments(20)))
			job := driven(d.trainingJob("job", "data"))
			d.create(job)
			d.factory.distort("/v1/fine_tuning/jobs/", func(job map[string]any) { job[key] = int64(1_795_400_000_000) })
			for range 5 {
				_, _ = d.pass(job)
				d.get("job", job)
				d.refresh(job)
			}
		})
	}
}
