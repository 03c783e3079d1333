package classifier

import (
	"math"
	"slices"
	"sync"
)

// Model classifies texts. It is safe for concurrent use.
type Model struct {
	targets      []Target
	calibrations []calibration
	heads        []head
	vocabulary   *vocabulary

	// weights has a row of signed bytes for each feature; times its column's scale, a
	// byte is a weight.
	weights      []byte
	scales, bias []float32

	scratch sync.Pool // of *scratch
}

// scratch is what one classification needs.
type scratch struct {
	vectorizer *vectorizer
	sums       []int32
	margins    []float32
}

// newModel quantises the weights, each column by its largest. Those of some features may
// be apart from those of the ones before.
func newModel(targets []Target, vocabulary *vocabulary, calibrations []calibration, parts ...*linear) *Model {
	columns := parts[0].columns
	m := &Model{
		targets:      cloneTargets(targets),
		calibrations: calibrations,
		vocabulary:   vocabulary,
		weights:      make([]byte, 0, vocabulary.count()*columns),
		scales:       make([]float32, columns),
		bias:         make([]float32, columns),
	}
	for _, l := range parts {
		for i, weight := range l.weights {
			m.scales[i%columns] = max(m.scales[i%columns], l.scale*float32(math.Abs(float64(weight))))
		}
		for column, bias := range l.bias {
			m.bias[column] += bias
		}
	}
	for _, l := range parts {
		m.quantise(l)
	}
	for column := range m.scales {
		m.scales[column] /= math.MaxInt8
	}
	m.prepare()
	return m
}

// quantise appends weights, of which the scales are the largest.
func (m *Model) quantise(l *linear) {
	for i, weight := range l.weights {
		quantised := byte(0)
		if largest := m.scales[i%l.columns]; largest > 0 {
			quantised = byte(int8(math.Round(float64(l.scale*weight) * math.MaxInt8 / float64(largest))))
		}
		m.weights = append(m.weights, quantised)
	}
}

// prepare derives what is not stored.
func (m *Model) prepare() {
	m.heads = newHeads(m.targets)
	m.scratch.New = func() any { return m.newScratch() }
}

func (m *Model) newScratch() *scratch {
	return &scratch{
		vectorizer: newVectorizer(m.vocabulary),
		sums:       make([]int32, len(m.bias)),
		margins:    make([]float32, len(m.bias)),
	}
}

// Targets returns the targets as they were trained.
func (m *Model) Targets() []Target {
	return cloneTargets(m.targets)
}

func cloneTargets(targets []Target) []Target {
	clones := make([]Target, len(targets))
	for i, target := range targets {
		clones[i] = target
		clones[i].Labels = append([]string(nil), target.Labels...)
	}
	return clones
}

// Classify returns, for each target, a score for each of its labels. The scores of a
// target sum to one. It overwrites and returns scores when that has the room.
func (m *Model) Classify(text string, scores [][]float64) [][]float64 {
	return m.ClassifyDense(text, nil, scores)
}

// ClassifyDense is Classify with the vector that the model's representation made of the
// text's Content.
func (m *Model) ClassifyDense(text string, represented []float32, scores [][]float64) [][]float64 {
	s := m.scratch.Get().(*scratch)
	defer m.scratch.Put(s)
	return m.classify(text, represented, scores, s)
}

func (m *Model) classify(text string, represented []float32, scores [][]float64, s *scratch) [][]float64 {
	m.setMargins(text, represented, s)
	scores = resize(scores, len(m.heads))
	for t, h := range m.heads {
		scores[t] = resize(scores[t], h.end-h.first)
		h.scores(s.margins[h.first:h.end], m.calibrations[t].Temperature, scores[t])
	}
	return scores
}

// Probabilities is like Classify, but gives each label of a multi_class target the
// probability that it applies, whatever those of the others are.
func (m *Model) Probabilities(text string, probabilities [][]float64) [][]float64 {
	return m.ProbabilitiesDense(text, nil, probabilities)
}

// ProbabilitiesDense is Probabilities with the vector that the model's representation made
// of the text's Content.
func (m *Model) ProbabilitiesDense(text string, represented []float32, probabilities [][]float64) [][]float64 {
	s := m.scratch.Get().(*scratch)
	defer m.scratch.Put(s)
	m.setMargins(text, represented, s)
	probabilities = resize(probabilities, len(m.heads))
	for t, h := range m.heads {
		probabilities[t] = resize(probabilities[t], h.end-h.first)
		h.calibrated(s.margins[h.first:h.end], m.calibrations[t], probabilities[t])
	}
	return probabilities
}

// Thresholds returns, for each target, the probability of each label above which it is
// best taken to apply; nil for single_class targets.
func (m *Model) Thresholds() [][]float64 {
	thresholds := make([][]float64, len(m.calibrations))
	for t, c := range m.calibrations {
		if c.Independent != nil {
			thresholds[t] = slices.Clone(c.Independent.Thresholds)
		}
	}
	return thresholds
}

// Decide returns the labels of a target that apply, given their probabilities: of a
// single_class target the most probable one, of a multi_class target those above their
// thresholds. When none is, but every training example had a label, it is the most
// probable one. It overwrites and returns labels when that has the room.
func (m *Model) Decide(target int, probabilities []float64, labels []int) []int {
	return m.calibrations[target].decide(probabilities, labels)
}

func (c calibration) decide(probabilities []float64, labels []int) []int {
	if c.Independent == nil {
		return append(labels[:0], highest(probabilities))
	}
	return c.Independent.decide(probabilities, labels[:0])
}

func highest(probabilities []float64) int {
	best := 0
	for label, p := range probabilities {
		if p > probabilities[best] {
			best = label
		}
	}
	return best
}

func (m *Model) setMargins(text string, represented []float32, s *scratch) {
	m.sum(s.vectorizer.vectorizeBoth(text, represented), s.sums)
	for column, sum := range s.sums {
		s.margins[column] = float32(sum)*m.scales[column]/fixedPoint + m.bias[column]
	}
}

// fixedPoint is one in the fixed-point numbers that feature values become. A sum
// cannot overflow: a text has at most 2^18 features in two groups of length one, so
// that it is below 2·2^9·127·2^13 < 2^31.
const fixedPoint = 1 << 13

// sum sets sums to the weighted sum of x's rows, in integers: a byte that had to
// become a float first would cost more than its multiplication.
func (m *Model) sum(x vector, sums []int32) {
	clear(sums)
	features, values := x.features, x.values
	// Four rows at a time: reading and writing the sums costs more than multiplying.
	for ; len(features) >= 4; features, values = features[4:], values[4:] {
		a, b, c, d := m.row(features[0]), m.row(features[1]), m.row(features[2]), m.row(features[3])
		u, v, w, z := fixed(values[0]), fixed(values[1]), fixed(values[2]), fixed(values[3])
		b, c, d, sums := b[:len(a)], c[:len(a)], d[:len(a)], sums[:len(a)]
		for j := range a {
			sums[j] += u*int32(int8(a[j])) + v*int32(int8(b[j])) + w*int32(int8(c[j])) + z*int32(int8(d[j]))
		}
	}
	for i, feature := range features {
		value := fixed(values[i])
		row := m.row(feature)
		sums := sums[:len(row)]
		for j, weight := range row {
			sums[j] += value * int32(int8(weight))
		}
	}
}

func (m *Model) row(feature uint32) []byte {
	start := int(feature) * len(m.bias)
	return m.weights[start : start+len(m.bias)]
}

func fixed(value float32) int32 {
	return int32(value*fixedPoint + 0.5)
}

func resize[E any](s []E, length int) []E {
	if cap(s) < length {
		return append(s[:cap(s)], make([]E, length-cap(s))...)
	}
	return s[:length]
}
