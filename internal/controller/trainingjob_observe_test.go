package controller

import (
	"net/http"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/turns"
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
	evaluation := func(target string, value float64, times ...int) func(map[string]any) {
		var targets []any
		for range append(times, 1)[0] {
			targets = append(targets, map[string]any{"name": target, "metrics": map[string]any{"accuracy": value}})
		}
		check := checkpoints(1, 3, 1, 1)
		return func(job map[string]any) {
			check(job)
			job["evaluation"] = map[string]any{"targets": targets}
		}
	}
	curve := func(target string, rows int64, f1 float64) func(map[string]any) {
		point := func(rows int64) map[string]any { return map[string]any{"rows": rows, "f1_micro": f1} }
		return field("evaluation", map[string]any{"targets": []any{map[string]any{
			"name": target, "samples": 100, "metrics": map[string]any{}, "learning_curve": []any{point(rows), point(2 * rows)}}}})
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
		{"integrations without an address", field("integrations", []any{map[string]any{"project": "p"}}), ""},
		{"a run's address of 2000 characters", field("integrations", []any{map[string]any{"project": "p", "url": "https://wandb.ai/" + strings.Repeat("x", 2000)}}), ""},
		{"a measure beyond all bounds", evaluation("intent", 1e300), ""},
		{"a measure of a target with a name of 500 characters", evaluation(strings.Repeat("t", 500), 0.5), ""},
		{"a hundred measured targets of one name", evaluation("intent", 0.5, 100), ""},
		{"a learning curve of no rows", curve("intent", 0, 0.5), ""},
		{"a learning curve of negative rows", curve("intent", -7, 0.5), ""},
		{"a learning curve beyond all bounds", curve("intent", 10, 1e300), ""},
		{"a learning curve too fine to write", curve("intent", 10, 1e-30), ""},
		{"a learning curve of a target without a name", curve("", 10, 0.5), ""},
		{"a learning curve of a target with a name of 500 characters", curve(strings.Repeat("t", 500), 10, 0.5), ""},
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
			d.Create(job)
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
			d.Create(job)
			d.factory.distort("/v1/fine_tuning/jobs/", func(job map[string]any) { job[key] = int64(1_795_400_000_000) })
			for range 5 {
				_, _ = d.pass(job)
				d.Get("job", job)
				d.refresh(job)
			}
		})
	}
}

// TestRemainingTimeIsEstimatedByTheFactorysClock holds the estimate, which must not
// change while the factory tells nothing new.
func TestRemainingTimeIsEstimatedByTheFactorysClock(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		checkpoints []mistral.Checkpoint
		total       int64
		want        int64 // -1: none
	}{
		{"one checkpoint tells no pace", []mistral.Checkpoint{{StepNumber: 10, CreatedAt: 100}}, 100, -1},
		{"half a minute for ten steps", []mistral.Checkpoint{{StepNumber: 10, CreatedAt: 100}, {StepNumber: 20, CreatedAt: 130}}, 100, 240},
		{"an unfinished second counts", []mistral.Checkpoint{{StepNumber: 10, CreatedAt: 100}, {StepNumber: 40, CreatedAt: 110}}, 41, 1},
		{"beyond the last step", []mistral.Checkpoint{{StepNumber: 10, CreatedAt: 100}, {StepNumber: 20, CreatedAt: 130}}, 15, 0},
		{"a clock that went back", []mistral.Checkpoint{{StepNumber: 10, CreatedAt: 100}, {StepNumber: 20, CreatedAt: 90}}, 100, -1},
		{"longer than anybody waits", []mistral.Checkpoint{{StepNumber: 1, CreatedAt: 1}, {StepNumber: 2, CreatedAt: 1e9}}, 1e9, -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := estimateRemaining(test.checkpoints, test.total)
			if got == nil && test.want != -1 || got != nil && *got != test.want {
				t.Errorf("got %v, want %d", got, test.want)
			}
		})
	}
}

// TestWhatIsKnownOfAJobStaysKnown holds that an answer that is older than the last
// one, or leaves something out, takes nothing back.
func TestWhatIsKnownOfAJobStaysKnown(t *testing.T) {
	t.Parallel()
	full := func() *mistral.DetailedJob {
		return &mistral.DetailedJob{
			Job: mistral.Job{
				ID: "job", Status: mistral.JobRunning,
				Hyperparameters: mistral.Hyperparameters{TrainingSteps: new(int64(100))},
				Metadata:        &mistral.JobMetadata{Cost: new(3.28), CostCurrency: new("EUR")},
				TrainedTokens:   new(int64(7)),
				Integrations:    mistral.List[mistral.Integration]{{URL: new("https://wandb.ai/team/project/runs/1")}},
			},
			Checkpoints: mistral.List[mistral.Checkpoint]{{StepNumber: 50}, {StepNumber: 25}},
		}
	}
	for _, answer := range []struct {
		reason string
		make   func(*mistral.DetailedJob)
	}{
		{"a replica that lags has seen fewer steps", func(job *mistral.DetailedJob) { job.Checkpoints = job.Checkpoints[1:] }},
		{"every field is optional: no checkpoints", func(job *mistral.DetailedJob) { job.Checkpoints = nil }},
		{"every field is optional: no number of steps", func(job *mistral.DetailedJob) { job.Hyperparameters.TrainingSteps = nil }},
		{"every field is optional: no metadata", func(job *mistral.DetailedJob) { job.Metadata = nil }},
		{"every field is optional: no integrations", func(job *mistral.DetailedJob) { job.Integrations = nil }},
		{"every field is optional: no tokens", func(job *mistral.DetailedJob) { job.TrainedTokens = nil }},
	} {
		t.Run(answer.reason, func(t *testing.T) {
			t.Parallel()
			scope := newJobScope(&classifierv1alpha1.ClassifierTrainingJob{})
			scope.status.RemoteJob = &classifierv1alpha1.RemoteJob{ID: "job"}
			scope.observe(full(), metav1.Now())
			before := scope.status.DeepCopy()
			job := full()
			answer.make(job)
			scope.observe(job, metav1.Now())
			if !equality.Semantic.DeepEqual(scope.status, before) {
				t.Errorf("the status was %+v and is %+v", before, scope.status)
			}
		})
	}
}

// TestOldWordsOfThePollerAreNotAskedForAgainAndAgain closes the connection for a
// moment just as the poller looks. What it then tells stays the same until its
// next look, which may be long after the moment.
func TestOldWordsOfThePollerAreNotAskedForAgainAndAgain(t *testing.T) {
	t.Parallel()
	d, job := validated(t)
	d = d.restarted()
	factory, err := d.jobs.connections.get(d.ctx, d.Namespace.Name, job.Spec.ConnectionSecretRef)
	if err != nil {
		t.Fatal(err)
	}
	d.factory.answer("", "/", http.StatusServiceUnavailable)
	pass := factory.Pass(turns.Who{Namespace: d.Namespace.Name, Object: "another"}, func() {})
	if _, err := pass.ListFiles(d.ctx, mistral.FileFilter{}); err == nil {
		t.Fatal("the factory answers")
	}
	pass.End()
	d.settle(job, classifierv1alpha1.ReasonUnreachable)
	for range 2 {
		if result, err := d.pass(job); err == nil {
			t.Errorf("the queue does not back off: it looks again after %s", result.RequeueAfter)
		}
	}
}
