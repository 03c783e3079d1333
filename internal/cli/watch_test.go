package cli

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestScreen shows a training half way.
func TestScreen(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 10, 0, time.UTC)
	started := metav1.NewTime(now.Add(-10 * time.Second))
	job := jobOn("mail")
	job.Status.State, job.Status.StartTime = "RUNNING", &started
	job.Status.Conditions = *new(conditions).set("Started", "True", "Started").set("Ready", "False", "Training")
	job.Status.Progress = &classifierv1alpha1.TrainingProgress{Percent: 50, Step: 5, TotalSteps: new(int64(10)), EstimatedRemainingSeconds: new(int64(12)),
		Metrics: []classifierv1alpha1.Metric{{Name: "train_loss", Value: "0.7"}, {Name: "intent/accuracy", Value: "0.9"}}}
	for step, loss := range []classifierv1alpha1.Decimal{"2.3", "1.5", "", "0.7"} {
		job.Status.LossHistory = append(job.Status.LossHistory, classifierv1alpha1.LossPoint{Step: int64(step), Train: loss})
	}
	event := corev1.Event{Type: corev1.EventTypeWarning, Reason: "BackingOff", Message: "first\x1b[31m " + strings.Repeat("x", 200), EventTime: metav1.NewMicroTime(now)}
	next := advice{you, "look at the long list of all the things that there are to see, and do one of them: kubectl edit"}
	lines := screen(job, next, []corev1.Event{event}, false, window{80, 24}, now)
	shown := strings.Join(lines, "\n")
	for _, want := range []string{
		"mail  RUNNING\n",
		strings.Repeat("█", 20) + strings.Repeat("░", 20) + "  50 %  step 5 of 10, 12s to go, 10s si…\ntrain_loss 0.7\n",
		"2.300 ┼", "0.700 ┤", "train_loss, step 0 to 3", "Next (you): look at", "kubectl edit", "BackingOff: first[31m xxx",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("it lacks %q:\n%s", want, shown)
		}
	}
	if strings.Contains(shown, "\x1b") {
		t.Errorf("it has what a terminal obeys:\n%q", shown)
	}
	waiting := jobOn("mail")
	waiting.Status.State = "DatasetNotReady"
	waiting.Status.Conditions = *new(conditions).set("Ready", "False", "DatasetNotReady")
	waiting.Status.Conditions[0].Message = strings.Repeat("why ", 40) + strings.Repeat("x", 100)
	for _, size := range []window{{80, 24}, {120, 50}, {80, 12}, {40, 24}, {20, 5}, {1, 1}} {
		for _, job := range []*classifierv1alpha1.ClassifierTrainingJob{job, waiting} {
			lines := screen(job, next, []corev1.Event{event}, false, size, now)
			if len(lines) >= max(size.height, 2) {
				t.Errorf("%d lines of a terminal with %d cannot be drawn over", len(lines), size.height)
			}
			for _, line := range lines {
				if strings.Contains(line, "\n") || len([]rune(line)) > size.width {
					t.Errorf("a terminal of %+v breaks a line, which spoils counting them: %q", size, line)
				}
			}
		}
	}
	if shown := strings.Join(screen(waiting, next, nil, false, window{80, 24}, now), " "); strings.Count(shown, "why") != 40 {
		t.Errorf("why it waits is not told:\n%s", shown)
	}
}

// TestVerdict holds for what a wait ends.
func TestVerdict(t *testing.T) {
	for _, test := range []struct {
		reason string
		list   *conditions
		code   int
		over   bool
	}{
		{"it is published", new(conditions).set("Ready", "True", "Published"), 0, true},
		{"it failed", new(conditions).set("Failed", "True", "TrainingFailed").set("Stalled", "True", "TrainingFailed").set("Ready", "False", "TrainingFailed"), exitNotGood, true},
		{"it waits for an approval", new(conditions).set("Ready", "False", "Suspended"), exitNeedsPerson, true},
		{"its estimate is too high", new(conditions).set("Stalled", "True", "BudgetExceeded").set("Ready", "False", "BudgetExceeded"), exitNeedsPerson, true},
		{"its model is there, its Secret is not its own", new(conditions).set("Complete", "True", "Succeeded").set("Stalled", "True", "SecretConflict").set("Ready", "False", "SecretConflict"), exitNeedsPerson, true},
		{"its dataset may be applied in a moment", new(conditions).set("Reconciling", "True", "DatasetNotFound").set("Ready", "False", "DatasetNotFound"), 0, false},
		{"it trains", new(conditions).set("Reconciling", "True", "Training").set("Ready", "False", "Training"), 0, false},
		{"the operator has not seen it", new(conditions).set("Ready", "Unknown", "Pending"), 0, false},
	} {
		job := jobOn("mail")
		job.Status.Conditions = *test.list
		if code, over := verdict(job); code != test.code || over != test.over {
			t.Errorf("%s: exit code %d, over %t", test.reason, code, over)
		}
	}
	job := jobOn("mail")
	job.Generation = 2
	job.Status.Conditions = *new(conditions).set("Ready", "False", "Suspended")
	if _, over := verdict(job); over {
		t.Error("what is said of an earlier spec ends the wait")
	}
}
