package training

import (
	"math"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
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
// and the bytes of their texts. pace is this machine's.
func newPlan(requested mistral.Hyperparameters, samples int, dataBytes int64, pace float64) plan {
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
	duration := 1 + int64(trainingWork(h, samples, dataBytes)/pace)
	if h.Epochs == nil {
		epochs := float64(trainTokens) / float64(dataTokens)
		h.Epochs = &epochs
	}
	cost, currency, perStep := 0.0, "EUR", int64(tokensPerStep)
	return plan{h, mistral.JobMetadata{
		ExpectedDurationSeconds: &duration,
		Cost:                    &cost,
		CostCurrency:            &currency,
		TrainTokensPerStep:      &perStep,
		TrainTokens:             &trainTokens,
		DataTokens:              &dataTokens,
	}}
}

// trainingWork is how many bytes of text the engine learns from, each as often as
// it passes over it: see its package documentation. Epochs that were not asked for
// are nil.
func trainingWork(h mistral.Hyperparameters, samples int, dataBytes int64) float64 {
	own := min(max(200_000/float64(samples), 4), 30)
	passes := max(own, own*float64(*h.TrainingSteps)/250)
	if h.Epochs != nil {
		passes = max(passes, *h.Epochs)
	}
	return min(passes, 4*own) * float64(dataBytes) * engineQuality(h).Work()
}

// DryRun estimates a job from its files' sizes, without reading them.
func DryRun(requested mistral.Hyperparameters, inputs []store.Input, pace float64) mistral.LegacyJobMetadata {
	var size int64
	for _, input := range inputs {
		if !input.Validation {
			size += input.Bytes
		}
	}
	const rowBytes = 200 // of an intent with its label and JSON
	estimated := newPlan(requested, int(size/rowBytes)+1, size, pace)
	return mistral.LegacyJobMetadata{
		JobMetadata:   estimated.metadata,
		Object:        mistral.ObjectJobMetadata,
		Deprecated:    true,
		Details:       "Estimated from the size of the files; the metadata of a validated job is exact.",
		Epochs:        estimated.hyperparameters.Epochs,
		TrainingSteps: estimated.hyperparameters.TrainingSteps,
	}
}
