package evaluation

import "github.com/classifier-factory/classifier-factory/internal/mistral"

// maxConfusionLabels is the most labels with a confusion matrix: nobody reads more
// than its 10000 cells, and every look at the job would carry them.
const maxConfusionLabels = 100

// SingleLabel evaluates a target of which every sample has exactly one label.
type SingleLabel struct {
	name        string
	names       []string
	samples     int64
	labels      []counts
	confusion   [][]int64 // by true, then by predicted label; nil if there are too many
	calibration calibration
}

// NewSingleLabel begins the evaluation of a target.
func NewSingleLabel(name string, labels []string) *SingleLabel {
	s := &SingleLabel{name: name, names: labels, labels: make([]counts, len(labels))}
	if len(labels) <= maxConfusionLabels {
		s.confusion = make([][]int64, len(labels))
		for i := range s.confusion {
			s.confusion[i] = make([]int64, len(labels))
		}
	}
	return s
}

// Add counts a sample: the index of its true label, and a probability for each
// label, in the target's order. The prediction is the likeliest label, the first
// of those that are equally likely.
func (s *SingleLabel) Add(truth int, probabilities []float64) {
	predicted := 0
	for label, probability := range probabilities {
		if probability > probabilities[predicted] {
			predicted = label
		}
	}
	s.samples++
	s.labels[truth].truths++
	s.labels[predicted].predictions++
	if predicted == truth {
		s.labels[truth].hits++
	}
	if s.confusion != nil {
		s.confusion[truth][predicted]++
	}
	s.calibration.add(probabilities[predicted], predicted == truth)
}

// Result computes the metrics of what was added so far.
//
// The macro averages are over the labels that a sample has or was given, which is
// what scikit-learn does when it is not told the labels. The micro averages equal
// the accuracy. The calibration error is that of the predicted labels' probabilities.
func (s *SingleLabel) Result() mistral.TargetEvaluation {
	result := mistral.TargetEvaluation{
		Name:            s.name,
		Samples:         s.samples,
		Metrics:         map[string]float64{},
		Labels:          labelEvaluations(s.names, s.labels),
		ConfusionMatrix: s.confusion,
	}
	if s.samples == 0 {
		return result
	}
	var seen []counts
	var hits int64
	for _, label := range s.labels {
		hits += label.hits
		if label.seen() {
			seen = append(seen, label)
		}
	}
	addAverages(result.Metrics, seen)
	result.Metrics[Accuracy] = ratio(hits, s.samples)
	result.Metrics[ExpectedCalibrationError] = s.calibration.expectedError()
	if kappa, ok := s.cohenKappa(hits); ok {
		result.Metrics[CohenKappa] = kappa
	}
	return result
}

// cohenKappa is how much better than by chance predictions and truth agree:
// (p_o - p_e) / (1 - p_e), where p_o is the accuracy and p_e that of predictions
// that are as frequent but random (Cohen 1960). It is undefined when there is
// nothing but one label.
func (s *SingleLabel) cohenKappa(hits int64) (kappa float64, ok bool) {
	all := float64(s.samples)
	expected := 0.0
	for _, label := range s.labels {
		expected += float64(label.truths) / all * float64(label.predictions) / all
		if label.truths == s.samples && label.predictions == s.samples {
			return 0, false
		}
	}
	return (float64(hits)/all - expected) / (1 - expected), true
}
