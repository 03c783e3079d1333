package controller

import (
	"fmt"
	"strconv"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// createRequest is the job as the protocol asks for it.
func (s *jobScope) createRequest() (mistral.CreateJobRequest, error) {
	training := s.object.Spec.Training
	suffix := s.suffix()
	request := mistral.CreateJobRequest{
		Model:     training.Model,
		JobType:   mistral.JobTypeClassifier,
		Suffix:    &suffix,
		AutoStart: false,
	}
	weights := map[string]classifierv1alpha1.Decimal{}
	for _, dataset := range training.Datasets {
		weights[dataset.Name] = dataset.Weight
	}
	numbers := decimals{}
	for _, input := range s.status.Inputs {
		if input.Split == classifierv1alpha1.SplitValidation {
			request.ValidationFiles = append(request.ValidationFiles, input.FileID)
			continue
		}
		request.TrainingFiles = append(request.TrainingFiles, mistral.TrainingFile{
			FileID: input.FileID,
			Weight: numbers.or(weights[input.Dataset], 1),
		})
	}
	for _, target := range training.Targets {
		request.ClassifierTargets = append(request.ClassifierTargets, mistral.ClassifierTarget{
			Name:         target.Name,
			Labels:       target.Labels,
			Weight:       numbers.or(target.Weight, 1),
			LossFunction: lossFunctions[target.LossFunction],
		})
	}
	request.InvalidSampleSkipPercentage = numbers.or(training.InvalidSampleSkipFraction, 0)
	if wanted := training.Hyperparameters; wanted != nil {
		request.Hyperparameters = mistral.Hyperparameters{
			TrainingSteps:  wanted.TrainingSteps,
			LearningRate:   numbers.optional(wanted.LearningRate),
			WeightDecay:    numbers.optional(wanted.WeightDecay),
			WarmupFraction: numbers.optional(wanted.WarmupFraction),
			Epochs:         numbers.optional(wanted.Epochs),
			SequenceLength: wanted.SequenceLength,
		}
	}
	return request, numbers.err
}

var lossFunctions = map[classifierv1alpha1.LossFunction]string{
	classifierv1alpha1.SingleClass: mistral.LossSingleClass,
	classifierv1alpha1.MultiClass:  mistral.LossMultiClass,
}

// decimals reads decimals and keeps the first error. The schema lets no other
// than numbers through, but an older one might have.
type decimals struct{ err error }

func (d *decimals) or(value classifierv1alpha1.Decimal, otherwise float64) float64 {
	if number := d.optional(value); number != nil {
		return *number
	}
	return otherwise
}

func (d *decimals) optional(value classifierv1alpha1.Decimal) *float64 {
	if value == "" {
		return nil
	}
	number, err := strconv.ParseFloat(string(value), 64)
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("a decimal of the spec is no number: %w", err)
	}
	return &number
}
