package classifier

import "math"

// The engine's own choices, made on the validation rows of intent and emotion data.
const (
	ownExamples       = 300_000 // learned from in all: small data is passed over more often
	ownLabelExamples  = 1200    // of each label, on average: so is data of many labels
	fewestPasses      = 4
	mostPasses        = 40
	ownLearningRate   = 1.0
	ownWeightDecay    = 1e-6
	ownWarmupFraction = 0.05
	ownCost           = 1.0

	// ownTextBytes are those of a text, on average, from which passes are the fewer the longer
	// texts are, by the square root: each has more that can be learned by heart. A quarter of
	// the passes over pages of manuals is no worse.
	ownTextBytes = 400
)

// What the hosted service's hyperparameters are relative to.
const (
	hostedLearningRate = 1e-4
	hostedWeightDecay  = 0.1
	hostedSteps        = 250 // the most of its published recipes
	reportedSteps      = 100 // when the job does not say
	longestTraining    = 4   // times the engine's own choice
)

const (
	maxCheckpoints = 20
	evaluateEach   = 4 // checkpoints
)

// schedule is how a training proceeds. Its unit is the update: one example learned from.
type schedule struct {
	updates, warmup, steps int
	rate, decay            float64
	cost                   float32 // of the hinge's losses, against the size of its weights
	descents               int     // where there is memory for several fits
}

func newSchedule(examples, labels int, textBytes int64, h Hyperparameters) schedule {
	wanted := max(ownExamples, ownLabelExamples*float64(labels))
	own := min(max(wanted/float64(examples), fewestPasses), mostPasses)
	own = max(own*min(math.Sqrt(ownTextBytes*float64(examples)/float64(max(textBytes, 1))), 1), fewestPasses)
	own *= h.Quality.passes()
	passes := max(own, own*float64(h.Steps)/hostedSteps, h.Epochs)
	passes = min(passes, own*longestTraining)
	updates := int(math.Ceil(passes * float64(examples)))
	rate := math.Sqrt(orElse(h.LearningRate, hostedLearningRate) / hostedLearningRate)
	decay := orElse(h.WeightDecay, hostedWeightDecay) / hostedWeightDecay
	steps := h.Steps
	if steps == 0 {
		steps = reportedSteps
	}
	return schedule{
		updates: updates,
		warmup:  int(float64(updates) * orElse(h.WarmupFraction, ownWarmupFraction)),
		steps:   steps,
		rate:    ownLearningRate * min(max(rate, 0.5), 2),
		decay:   ownWeightDecay * decay,
		cost:    float32(min(max(ownCost/decay, 0.1), 10)),

		descents: h.Quality.descents(),
	}
}

func orElse(value, otherwise float64) float64 {
	if value == 0 {
		return otherwise
	}
	return value
}

// rateAt is the learning rate of an update: rising, then falling to zero.
func (s schedule) rateAt(update int) float64 {
	if update < s.warmup {
		return s.rate * float64(update+1) / float64(s.warmup)
	}
	return s.rate * float64(s.updates-update) / float64(s.updates-s.warmup)
}

func (s schedule) checkpoints() int {
	return min(maxCheckpoints, s.steps, s.updates)
}

// checkpoint returns the update before which the i-th checkpoint is due, counted
// from one, and the step that it reports.
func (s schedule) checkpoint(i int) (update, step int) {
	n := s.checkpoints()
	return s.updates * i / n, s.steps * i / n
}
