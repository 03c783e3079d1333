package training

import (
	"testing"
	"time"

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
	if got := pace(); got != 1e6 {
		t.Errorf("before anything was measured: %v", got)
	}
	q.learnPace(t.Context(), 1, 10*time.Millisecond)
	if got := pace(); got != 1e6 {
		t.Errorf("%v after a training that was too short to tell", got)
	}
	for range 20 {
		q.learnPace(t.Context(), 1e5, time.Second)
	}
	if got := pace(); got < 0.99e5 || got > 1.01e5 {
		t.Errorf("%v; want what the last trainings took", got)
	}
}

func TestExpectedDuration(t *testing.T) {
	steps := func(count int64) mistral.Hyperparameters { return mistral.Hyperparameters{TrainingSteps: &count} }
	epochs := func(count float64) mistral.Hyperparameters { return mistral.Hyperparameters{Epochs: &count} }
	quality := func(quality string) mistral.Hyperparameters { return mistral.Hyperparameters{Quality: &quality} }
	for _, test := range []struct {
		reason    string
		requested mistral.Hyperparameters
		samples   int
		bytes     int64
		pace      float64
		want      int64
	}{
		{"little data is passed over 30 times", steps(100), 1000, 1e6, 1e6, 1 + 30},
		{"much data 4 times", steps(100), 100_000, 1e7, 1e6, 1 + 40},
		{"more steps take longer", steps(500), 1000, 1e6, 1e6, 1 + 60},
		{"but not for ever", steps(1_000_000), 1000, 1e6, 1e6, 1 + 120},
		{"epochs are passes", epochs(40), 1000, 1e6, 1e6, 1 + 40},
		{"the best takes longer", quality("best"), 1000, 1e6, 1e6, 1 + 66},
		{"the fast less long", quality("fast"), 1000, 1e6, 1e6, 1 + 12},
		{"a slow machine", steps(100), 1000, 1e6, 1e5, 1 + 300},
	} {
		if got := *newPlan(test.requested, test.samples, test.bytes, test.pace).metadata.ExpectedDurationSeconds; got != test.want {
			t.Errorf("%s: %d s, want %d s", test.reason, got, test.want)
		}
	}
}
