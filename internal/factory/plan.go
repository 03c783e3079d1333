package factory

import (
	"math"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	// tokensPerStep is the hosted service's: 4 sequences of 16384 tokens.
	tokensPerStep = 65536
	// bytesPerToken is what a token of English has on average.
	bytesPerToken = 4
	// defaultTrainingSteps are those in which the engine reports if none are asked for.
	defaultTrainingSteps = 100
)

// plan is what a job will cost. This server charges nothing; the rest is counted
// as the hosted service does, so that figures can be compared.
type plan struct {
	hyperparameters mistral.Hyperparameters
	metadata        mistral.JobMetadata
}

// newPlan completes the hyperparameters with what follows from the data's samples
// and the bytes of their texts.
func newPlan(requested mistral.Hyperparameters, samples int, dataBytes int64) plan {
	dataTokens := max(dataBytes/bytesPerToken, 1)
	h := requested
	if h.TrainingSteps == nil {
		steps := int64(defaultTrainingSteps)
		if h.Epochs != nil {
			steps = max(1, int64(math.Ceil(*h.Epochs*float64(dataTokens)/tokensPerStep)))
		}
		h.TrainingSteps = &steps
	}
	trainTokens := *h.TrainingSteps * tokensPerStep
	if h.Epochs == nil {
		epochs := float64(trainTokens) / float64(dataTokens)
		h.Epochs = &epochs
	}
	duration, cost, currency, perStep := expectedSeconds(samples, dataBytes, *h.TrainingSteps), 0.0, "EUR", int64(tokensPerStep)
	return plan{h, mistral.JobMetadata{
		ExpectedDurationSeconds: &duration,
		Cost:                    &cost,
		CostCurrency:            &currency,
		TrainTokensPerStep:      &perStep,
		TrainTokens:             &trainTokens,
		DataTokens:              &dataTokens,
	}}
}

// expectedSeconds is a rough guess. The engine learns from some 200000 examples,
// in 4 to 30 passes, and longer when asked for many steps; it read 0.7 to 1.5 MB of
// text a second of sets with 28 to 150 labels.
func expectedSeconds(samples int, dataBytes, steps int64) int64 {
	passes := min(max(200_000/float64(samples), 4), 30) * min(max(float64(steps)/250, 1), 4)
	return 1 + int64(passes*float64(dataBytes)/1e6)
}

// dryRun estimates a job from its files' sizes, without reading them.
func dryRun(requested mistral.Hyperparameters, inputs []input) mistral.LegacyJobMetadata {
	var size int64
	for _, input := range inputs {
		if !input.Validation {
			size += input.Bytes
		}
	}
	const rowBytes = 200 // of an intent with its label and JSON
	estimated := newPlan(requested, int(size/rowBytes)+1, size)
	return mistral.LegacyJobMetadata{
		JobMetadata:   estimated.metadata,
		Object:        mistral.ObjectJobMetadata,
		Deprecated:    true,
		Details:       "Estimated from the size of the files; the metadata of a validated job is exact.",
		Epochs:        estimated.hyperparameters.Epochs,
		TrainingSteps: estimated.hyperparameters.TrainingSteps,
	}
}
