package training

import (
	"math"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
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

// newPlan completes the hyperparameters with what follows from the data's size. pace is
// this machine's.
func newPlan(requested mistral.Hyperparameters, size classifier.Size, pace float64) plan {
	dataTokens := max(size.TextBytes/bytesPerToken, 1)
	h := requested
	if h.TrainingSteps == nil {
		steps := int64(defaultTrainingSteps)
		if h.Epochs != nil {
			steps = max(1, int64(math.Ceil(*h.Epochs*float64(dataTokens)/tokensPerStep)))
		}
		h.TrainingSteps = &steps
	}
	trainTokens := *h.TrainingSteps * tokensPerStep
	work := classifier.Work(size, workHyperparameters(*h.TrainingSteps, requested))
	duration := int64(math.Ceil(work / pace / trainingProcessors))
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

// workHyperparameters are those that how long a training takes depends on.
func workHyperparameters(steps int64, requested mistral.Hyperparameters) classifier.Hyperparameters {
	h := classifier.Hyperparameters{Steps: int(steps), Quality: engineQuality(requested)}
	if requested.Epochs != nil {
		h.Epochs = *requested.Epochs
	}
	return h
}
