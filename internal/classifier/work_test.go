package classifier

import "testing"

func sizeOf(examples int, bytes int64, loss LossFunction, labels ...int) Size {
	s := Size{Examples: examples, TextBytes: bytes}
	for _, count := range labels {
		s.Targets = append(s.Targets, Target{Labels: make([]string, count), Loss: loss})
	}
	return s
}

// TestWorkIsWhatTrainingsTook holds the arithmetic to what the benchmark of durations has
// measured, in seconds of a processor that others used, too.
func TestWorkIsWhatTrainingsTook(t *testing.T) {
	for _, test := range []struct {
		reason string
		size   Size
		h      Hyperparameters
		took   float64
	}{
		{"many labels of short texts", sizeOf(9003, 534_084, SingleClass, 77), Hyperparameters{}, 16.6},
		{"one short descent", sizeOf(9003, 534_084, SingleClass, 77), Hyperparameters{Quality: QualityFast}, 7.4},
		{"little data is fitted several times", sizeOf(500, 31_200, SingleClass, 76), Hyperparameters{}, 3.7},
		{"ten rows a label", sizeOf(1500, 60_012, SingleClass, 150), Hyperparameters{}, 7.6},
		{"several labels a text", sizeOf(5000, 347_444, MultiClass, 28), Hyperparameters{}, 6.8},
		{"weights that no cache holds", sizeOf(43_410, 2_951_880, MultiClass, 28), Hyperparameters{}, 23.8},
		{"two labels", sizeOf(5000, 340_000, SingleClass, 2), Hyperparameters{}, 4.6},
		{"two targets", sizeOf(11_514, 403_436, SingleClass, 60, 18), Hyperparameters{}, 20.6},
		{"long texts", sizeOf(1500, 2_459_612, SingleClass, 20), Hyperparameters{}, 9.0},
		{"conversations", sizeOf(3000, 675_852, SingleClass, 150), Hyperparameters{}, 14.9},
		{"too many labels to fit repeatedly", sizeOf(8000, 321_168, SingleClass, 887), Hyperparameters{}, 41.3},
	} {
		if factor := Work(test.size, test.h) / test.took; factor < 0.5 || factor > 2 {
			t.Errorf("%s: %.2f times what it took", test.reason, factor)
		}
	}
}

func TestWorkFollowsWhatIsAskedFor(t *testing.T) {
	usual := sizeOf(9003, 534_084, SingleClass, 77)
	validated := usual
	validated.Validated = true
	base := Work(usual, Hyperparameters{})
	for _, test := range []struct {
		reason      string
		size        Size
		h           Hyperparameters
		least, most float64 // times base
	}{
		{"with validation examples no second model is fitted", validated, Hyperparameters{}, 0.5, 0.6},
		{"five descents instead of two", usual, Hyperparameters{Quality: QualityBest}, 1.7, 2.5},
		{"steps up to four times the engine's own choice", usual, Hyperparameters{Steps: 1_000_000}, 2.5, 4},
		{"epochs up to the same", usual, Hyperparameters{Epochs: 1_000_000}, 2.5, 4},
		{"too few to hold any out", sizeOf(40, 2400, SingleClass, 2), Hyperparameters{}, 0, 0.1},
		{"nothing", Size{}, Hyperparameters{}, 0, 0.1},
	} {
		if factor := Work(test.size, test.h) / base; !(factor >= test.least && factor <= test.most) {
			t.Errorf("%s: %.2f times as much", test.reason, factor)
		}
	}
}
