package evaluation

import (
	"math"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// The names of the metrics. All but the last are scikit-learn's.
const (
	Accuracy                 = "accuracy"
	PrecisionMicro           = "precision_micro"
	RecallMicro              = "recall_micro"
	F1Micro                  = "f1_micro"
	PrecisionMacro           = "precision_macro"
	RecallMacro              = "recall_macro"
	F1Macro                  = "f1_macro"
	CohenKappa               = "cohen_kappa"
	ExpectedCalibrationError = "expected_calibration_error"
)

// counts of one label.
type counts struct {
	truths      int64 // samples that have the label
	predictions int64 // samples that were given it
	hits        int64 // both
}

func (c counts) precision() float64 { return ratio(c.hits, c.predictions) }
func (c counts) recall() float64    { return ratio(c.hits, c.truths) }

// f1 is the harmonic mean of precision and recall, without its special cases:
// 2·TP / (2·TP + FP + FN).
func (c counts) f1() float64 { return ratio(2*c.hits, c.predictions+c.truths) }

func (c counts) seen() bool { return c.truths > 0 || c.predictions > 0 }

func ratio(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// addAverages computes precision, recall and F1 over the labels: micro of their
// summed counts, macro as the mean of the labels' own.
func addAverages(metrics map[string]float64, labels []counts) {
	var sum counts
	var precision, recall, f1 float64
	for _, label := range labels {
		sum.truths += label.truths
		sum.predictions += label.predictions
		sum.hits += label.hits
		precision += label.precision()
		recall += label.recall()
		f1 += label.f1()
	}
	divisor := float64(max(len(labels), 1))
	metrics[PrecisionMicro], metrics[RecallMicro], metrics[F1Micro] = sum.precision(), sum.recall(), sum.f1()
	metrics[PrecisionMacro], metrics[RecallMacro], metrics[F1Macro] = precision/divisor, recall/divisor, f1/divisor
}

func labelEvaluations(names []string, labels []counts) []mistral.LabelEvaluation {
	evaluations := make([]mistral.LabelEvaluation, len(names))
	for i, label := range labels {
		evaluations[i] = mistral.LabelEvaluation{
			Name:      names[i],
			Precision: label.precision(),
			Recall:    label.recall(),
			F1:        label.f1(),
			Support:   label.truths,
		}
	}
	return evaluations
}

// calibrationBins is what the literature compares with.
const calibrationBins = 15

// calibration compares how sure the predictions were with how many of them came
// true, in bins of equal width. It is the expected calibration error of Guo et al.,
// "On Calibration of Modern Neural Networks" (2017), equation 3; scikit-learn has
// none.
type calibration struct {
	bins [calibrationBins]struct {
		predictions int64
		hits        int64
		confidence  float64
	}
}

// add counts a prediction. A bin has its upper edge, the first one 0 too.
func (c *calibration) add(confidence float64, hit bool) {
	bin := &c.bins[min(max(int(math.Ceil(confidence*calibrationBins))-1, 0), calibrationBins-1)]
	bin.predictions++
	bin.confidence += confidence
	if hit {
		bin.hits++
	}
}

// expectedError is the mean distance of confidence and accuracy in a bin, each bin
// weighing as many as it has predictions.
func (c *calibration) expectedError() float64 {
	var predictions int64
	var distance float64
	for _, bin := range c.bins {
		predictions += bin.predictions
		distance += math.Abs(bin.confidence - float64(bin.hits))
	}
	if predictions == 0 {
		return 0
	}
	return distance / float64(predictions)
}
