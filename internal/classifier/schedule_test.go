package classifier

import (
	"strings"
	"testing"
)

func TestSchedule(t *testing.T) {
	own := newSchedule(10_000, 10, 0, Hyperparameters{})
	for _, test := range []struct {
		reason          string
		hyperparameters Hyperparameters
		updates         int
		rate, decay     float64
	}{
		{"the hosted defaults are the engine's own", Hyperparameters{LearningRate: 1e-4, WeightDecay: 0.1, WarmupFraction: 0.05}, own.updates, own.rate, own.decay},
		{"few steps do not shorten training", Hyperparameters{Steps: 10}, own.updates, own.rate, own.decay},
		{"many lengthen it", Hyperparameters{Steps: 500}, 2 * own.updates, own.rate, own.decay},
		{"up to a bound", Hyperparameters{Steps: 1_000_000}, 4 * own.updates, own.rate, own.decay},
		{"few epochs do not shorten it", Hyperparameters{Epochs: 0.5}, own.updates, own.rate, own.decay},
		{"epochs are passes", Hyperparameters{Epochs: 30}, 300_000, own.rate, own.decay},
		{"a lower rate is lower", Hyperparameters{LearningRate: 0.64e-4}, own.updates, 0.8 * own.rate, own.decay},
		{"down to a bound", Hyperparameters{LearningRate: 1e-8}, own.updates, 0.5 * own.rate, own.decay},
		{"and so upwards", Hyperparameters{LearningRate: 1}, own.updates, 2 * own.rate, own.decay},
		{"a fast training is half as long", Hyperparameters{Quality: QualityFast}, own.updates / 2, own.rate, own.decay},
		{"decay is proportional", Hyperparameters{WeightDecay: 0.2}, own.updates, own.rate, 2 * own.decay},
	} {
		t.Run(test.reason, func(t *testing.T) {
			s := newSchedule(10_000, 10, 0, test.hyperparameters)
			if s.updates != test.updates || !near(s.rate, test.rate) || !near(s.decay, test.decay) {
				t.Errorf("%+v, want %d updates, rate %v, decay %v", s, test.updates, test.rate, test.decay)
			}
		})
	}
}

func TestQualityIsTheNumberOfDescents(t *testing.T) {
	for quality, descents := range map[Quality]int{QualityFast: 1, QualityBalanced: 2, "": 2, QualityBest: 5} {
		if got := newSchedule(100, 10, 0, Hyperparameters{Quality: quality}).descents; got != descents {
			t.Errorf("%q has %d descents, want %d", quality, got, descents)
		}
	}
	if err := checkHyperparameters(Hyperparameters{Quality: "good"}); err == nil || !strings.Contains(err.Error(), "balanced") {
		t.Errorf("error %v does not say which there are", err)
	}
}

func TestScheduleRateRisesAndFalls(t *testing.T) {
	for _, warmup := range []float64{0, 0.3, 1} {
		s := newSchedule(100, 10, 0, Hyperparameters{WarmupFraction: warmup})
		for update := range s.updates {
			rate, before := s.rateAt(update), 0.0
			if update > 0 {
				before = s.rateAt(update - 1)
			}
			if !(rate > 0) || rate > s.rate || (rate > before) != (update <= s.warmup && before < s.rate) {
				t.Fatalf("warm-up %v: rate %v after %v at update %d of %d", warmup, rate, before, update, s.updates)
			}
		}
	}
}

func near(a, b float64) bool {
	return a > b*0.999999 && a < b*1.000001
}

// Of two equally many texts, those that are sixteen times as long as usual are passed over a
// quarter as often, but never too seldom.
func TestScheduleFollowsLengths(t *testing.T) {
	for _, test := range []struct {
		reason   string
		examples int
		mean     int64
		passes   float64
	}{
		{"short texts", 1000, 40, mostPasses},
		{"long texts", 1000, 16 * ownTextBytes, mostPasses / 4},
		{"many of them", 1_000_000, 16 * ownTextBytes, fewestPasses},
	} {
		t.Run(test.reason, func(t *testing.T) {
			s := newSchedule(test.examples, 3, test.mean*int64(test.examples), Hyperparameters{})
			if passes := float64(s.updates) / float64(test.examples); passes != test.passes {
				t.Errorf("%v passes, want %v", passes, test.passes)
			}
		})
	}
}

func TestScheduleFollowsRowsPerLabel(t *testing.T) {
	for _, test := range []struct {
		reason           string
		examples, labels int
		passes           float64
	}{
		{"small data is passed over often", 300, 3, mostPasses},
		{"large data is not", 1_000_000, 3, fewestPasses},
		{"nor is that of as many labels as have many examples each", 30_000, 150, 10},
		{"but that of many labels is, which have few each", 48_000, 960, 24},
		{"as often as small data at most", 48_000, 9600, mostPasses},
	} {
		t.Run(test.reason, func(t *testing.T) {
			s := newSchedule(test.examples, test.labels, 0, Hyperparameters{})
			if passes := float64(s.updates) / float64(test.examples); passes != test.passes {
				t.Errorf("%v passes, want %v", passes, test.passes)
			}
		})
	}
}
