package factory

import (
	"context"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/evaluation"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// evaluate measures a model, as it will be served, on the rows of the validation
// files. A job without any has no evaluation: what was trained on would flatter
// the model.
func evaluate(ctx context.Context, model *classifier.Model, targets []mistral.ClassifierTarget, validation []classifier.Example) (*mistral.Evaluation, error) {
	if len(validation) == 0 {
		return nil, nil
	}
	evaluations := make([]*evaluation.SingleLabel, len(targets))
	for t, target := range targets {
		if target.LossFunction == mistral.LossSingleClass {
			evaluations[t] = evaluation.NewSingleLabel(target.Name, target.Labels)
		}
	}
	var scores [][]float64
	for _, example := range validation {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		scores = model.Classify(example.Text, scores)
		for t, labels := range example.Labels {
			if len(labels) == 1 && evaluations[t] != nil {
				evaluations[t].Add(labels[0], scores[t])
			}
		}
	}
	result := &mistral.Evaluation{}
	for _, evaluated := range evaluations {
		if evaluated != nil {
			result.Targets = append(result.Targets, evaluated.Result())
		}
	}
	return result, nil
}
