package training

import (
	"runtime"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/storetest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestPaceIsThatOfThisMachine(t *testing.T) {
	stored, blobs := storetest.Open(t)
	q := idleQueue(stored, blobs)
	pace := func() float64 {
		pace, err := stored.Pace(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return pace
	}
	if got := pace(); got != 1 {
		t.Errorf("before anything was measured: %v", got)
	}
	q.learnPace(t.Context(), 1, 10*time.Millisecond)
	if got := pace(); got != 1 {
		t.Errorf("%v after a training that was too short to tell", got)
	}
	for range 20 {
		q.learnPace(t.Context(), 10, time.Second)
	}
	if got := pace(); got < 9.9 || got > 10.1 {
		t.Errorf("%v; want what the last trainings took", got)
	}
}

func TestExpectedDuration(t *testing.T) {
	usual := classifier.Size{Examples: 10_000, TextBytes: 600_000, Targets: []classifier.Target{{Labels: make([]string, 60), Loss: classifier.SingleClass}}}
	sized := func(change func(*classifier.Size)) classifier.Size {
		size := usual
		change(&size)
		return size
	}
	steps := func(count int64) mistral.Hyperparameters { return mistral.Hyperparameters{TrainingSteps: &count} }
	epochs := func(count float64) mistral.Hyperparameters { return mistral.Hyperparameters{Epochs: &count} }
	quality := func(quality string) mistral.Hyperparameters { return mistral.Hyperparameters{Quality: &quality} }
	expected := func(requested mistral.Hyperparameters, size classifier.Size, pace float64) float64 {
		return float64(*newPlan(requested, size, pace).metadata.ExpectedDurationSeconds)
	}
	base := expected(steps(100), usual, 0.01) // so slow that seconds are not rounded much
	for _, test := range []struct {
		reason      string
		requested   mistral.Hyperparameters
		size        classifier.Size
		pace        float64
		least, most float64 // times base
	}{
		{"a fast machine", steps(100), usual, 0.1, 0.099, 0.101},
		{"more steps take longer", steps(500), usual, 0.01, 1.6, 2.1},
		{"but not for ever", steps(1_000_000), usual, 0.01, 2.5, 4.1},
		{"so do epochs", epochs(60), usual, 0.01, 1.6, 2.1},
		{"the best takes longer", quality("best"), usual, 0.01, 1.8, 2.6},
		{"the fast less long", quality("fast"), usual, 0.01, 0.2, 0.5},
		{"twice the labels", steps(100), sized(func(s *classifier.Size) {
			s.Targets = []classifier.Target{{Labels: make([]string, 120), Loss: classifier.SingleClass}}
		}), 0.01, 1.3, 2},
		{"with a validation file no second model is fitted", steps(100), sized(func(s *classifier.Size) { s.Validated = true }), 0.01, 0.5, 0.6},
		{"ten times the rows are passed over less often", steps(100), sized(func(s *classifier.Size) { s.Examples, s.TextBytes = 100_000, 6_000_000 }), 0.01, 0.5, 3},
		{"of long texts less is taken, and less often", steps(100), sized(func(s *classifier.Size) { s.TextBytes *= 100 }), 0.01, 1, 3},
	} {
		if got := expected(test.requested, test.size, test.pace) / base; got < test.least || got > test.most {
			t.Errorf("%s: %.2f times as long, want %v to %v", test.reason, got, test.least, test.most)
		}
	}
}

// TestDurationIsThatOfAChild, which trains on the processors that there are: that a server
// takes one more for itself makes no training shorter.
func TestDurationIsThatOfAChild(t *testing.T) {
	size := classifier.Size{Examples: 10_000, TextBytes: 600_000, Targets: []classifier.Target{{Labels: make([]string, 60), Loss: classifier.SingleClass}}}
	before := *newPlan(mistral.Hyperparameters{}, size, 1).metadata.ExpectedDurationSeconds
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2 + runtime.GOMAXPROCS(0)))
	if after := *newPlan(mistral.Hyperparameters{}, size, 1).metadata.ExpectedDurationSeconds; after != before {
		t.Errorf("%d seconds, and %d once the server has taken more processors", before, after)
	}
}
