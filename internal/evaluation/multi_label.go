package evaluation

import "github.com/classifier-factory/classifier-factory/internal/mistral"

// MultiLabel evaluates a target of which a sample has any number of labels.
type MultiLabel struct {
	name        string
	names       []string
	thresholds  []float64
	samples     int64
	exact       int64 // samples whose labels were all found, and no others
	labels      []counts
	calibration calibration

	isTrue, isPredicted []bool // of the sample in hand, by label
}

// NewMultiLabel begins the evaluation of a target. A label's threshold is the
// probability above which it is taken to apply; the thresholds are only reported.
func NewMultiLabel(name string, labels []string, thresholds []float64) *MultiLabel {
	return &MultiLabel{
		name:        name,
		names:       labels,
		thresholds:  thresholds,
		labels:      make([]counts, len(labels)),
		isTrue:      make([]bool, len(labels)),
		isPredicted: make([]bool, len(labels)),
	}
}

// Add counts a sample: the indices of the labels that it has, of those that it was
// given, and for each label of the target the probability that it applies. No
// index is there twice.
func (m *MultiLabel) Add(truth, predicted []int, probabilities []float64) {
	clear(m.isTrue)
	clear(m.isPredicted)
	for _, label := range truth {
		m.isTrue[label] = true
	}
	for _, label := range predicted {
		m.isPredicted[label] = true
	}
	exact := true
	for i := range m.labels {
		m.addLabel(i, probabilities[i])
		exact = exact && m.isTrue[i] == m.isPredicted[i]
	}
	m.samples++
	if exact {
		m.exact++
	}
}

func (m *MultiLabel) addLabel(i int, probability float64) {
	label := &m.labels[i]
	if m.isTrue[i] {
		label.truths++
	}
	if m.isPredicted[i] {
		label.predictions++
	}
	if m.isTrue[i] && m.isPredicted[i] {
		label.hits++
	}
	m.calibration.add(probability, m.isTrue[i])
}

// Result computes the metrics of what was added so far.
//
// Accuracy is that of the samples whose labels are exactly right. The averages are
// over all labels, also those that no sample has: scikit-learn does both for label
// indicators. The calibration error is over all labels of all samples, whether they
// apply or not. Cohen's kappa is not defined for several labels, nor is the
// confusion matrix.
func (m *MultiLabel) Result() mistral.TargetEvaluation {
	result := mistral.TargetEvaluation{
		Name:    m.name,
		Samples: m.samples,
		Metrics: map[string]float64{},
		Labels:  labelEvaluations(m.names, m.labels),
	}
	for i := range m.thresholds {
		result.Labels[i].Threshold = &m.thresholds[i]
	}
	if m.samples == 0 {
		return result
	}
	addAverages(result.Metrics, m.labels)
	result.Metrics[Accuracy] = ratio(m.exact, m.samples)
	result.Metrics[ExpectedCalibrationError] = m.calibration.expectedError()
	return result
}
