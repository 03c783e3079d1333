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

// newPlan completes the hyperparameters with what follows from the data.
func newPlan(requested mistral.Hyperparameters, dataBytes int64) plan {
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
	duration, cost, currency, perStep := expectedSeconds(dataBytes), 0.0, "EUR", int64(tokensPerStep)
	return plan{h, mistral.JobMetadata{
		ExpectedDurationSeconds: &duration,
		Cost:                    &cost,
		CostCurrency:            &currency,
		TrainTokensPerStep:      &perStep,
		TrainTokens:             &trainTokens,
		DataTokens:              &dataTokens,
	}}
}

// expectedSeconds is a rough guess: intents of 0.6 MB took 5 seconds.
func expectedSeconds(dataBytes int64) int64 {
	return 1 + dataBytes/120_000
}

// dryRun estimates a job from its files' sizes, without reading them.
func dryRun(requested mistral.Hyperparameters, inputs []input) mistral.LegacyJobMetadata {
	var size int64
	for _, input := range inputs {
		if !input.Validation {
			size += input.Bytes
		}
	}
	estimated := newPlan(requested, size)
	return mistral.LegacyJobMetadata{
		JobMetadata:   estimated.metadata,
		Object:        mistral.ObjectJobMetadata,
		Deprecated:    true,
		Details:       "Estimated from the size of the files; the metadata of a validated job is exact.",
		Epochs:        estimated.hyperparameters.Epochs,
		TrainingSteps: estimated.hyperparameters.TrainingSteps,
	}
}
