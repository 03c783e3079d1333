package training

import (
	"context"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/evaluation"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// evaluate measures a model, as it will be served, on examples that it has not learned
// from: what was trained on would flatter it.
func evaluate(ctx context.Context, trained *classifier.Trained, targets []mistral.ClassifierTarget) (*mistral.Evaluation, error) {
	model, unseen := trained.Measurable, trained.Unseen
	if unseen.Len() == 0 {
		return nil, nil
	}
	single, multi := newEvaluations(targets, model.Thresholds())
	var probabilities [][]float64
	var decided []int
	for example, err := range unseen.All() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		probabilities = model.ProbabilitiesDense(example.Text, example.Dense, probabilities)
		for t, labels := range example.Labels {
			switch {
			case labels == nil: // the row says nothing of the target
			case single[t] != nil:
				single[t].Add(labels[0], probabilities[t])
			default:
				decided = model.Decide(t, probabilities[t], decided)
				multi[t].Add(labels, decided, probabilities[t])
			}
		}
	}
	result := &mistral.Evaluation{}
	for t := range targets {
		if single[t] != nil {
			result.Targets = append(result.Targets, single[t].Result())
		} else {
			result.Targets = append(result.Targets, multi[t].Result())
		}
		addCurve(&result.Targets[t], trained.Curve, t)
	}
	return result, nil
}

// addCurve adds the learning curve of a target that was measured.
func addCurve(measured *mistral.TargetEvaluation, curve []classifier.CurvePoint, target int) {
	if measured.Samples == 0 {
		return
	}
	for _, point := range curve {
		measured.LearningCurve = append(measured.LearningCurve, mistral.CurvePoint{Rows: int64(point.Examples), F1Micro: point.F1[target]})
	}
	measured.Outlook = evaluation.Outlook(measured.LearningCurve, measured.Samples)
}

// newEvaluations has one for each target, in one of the lists.
func newEvaluations(targets []mistral.ClassifierTarget, thresholds [][]float64) (single []*evaluation.SingleLabel, multi []*evaluation.MultiLabel) {
	single, multi = make([]*evaluation.SingleLabel, len(targets)), make([]*evaluation.MultiLabel, len(targets))
	for t, target := range targets {
		if target.LossFunction == mistral.LossSingleClass {
			single[t] = evaluation.NewSingleLabel(target.Name, target.Labels)
		} else {
			multi[t] = evaluation.NewMultiLabel(target.Name, target.Labels, thresholds[t])
		}
	}
	return single, multi
}
