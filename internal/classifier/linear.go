package classifier

import "io"

// linear is a matrix of weights, a row for each feature and a column for each
// label, while it is trained. The true weights are scale*weights: decaying all
// of them is one multiplication.
type linear struct {
	columns int
	scale   float32
	weights []float32
	bias    []float32
	active  []columnGradient
}

// columnGradient is the gradient of the loss by one column's margin.
type columnGradient struct {
	column uint32
	value  float32
}

func newLinear(features, columns int) *linear {
	return &linear{
		columns: columns,
		scale:   1,
		weights: make([]float32, features*columns),
		bias:    make([]float32, columns),
	}
}

// margins sets margins to the columns' margins for x.
func (l *linear) margins(x vector, margins []float32) {
	clear(margins)
	features, values := x.features, x.values
	// Four rows at a time: reading and writing the margins costs more than multiplying.
	for ; len(features) >= 4; features, values = features[4:], values[4:] {
		a, b, c, d := l.row(features[0]), l.row(features[1]), l.row(features[2]), l.row(features[3])
		u, v, w, z := values[0], values[1], values[2], values[3]
		b, c, d, margins := b[:len(a)], c[:len(a)], d[:len(a)], margins[:len(a)]
		for j := range a {
			margins[j] += u*a[j] + v*b[j] + w*c[j] + z*d[j]
		}
	}
	for i, feature := range features {
		value := values[i]
		row := l.row(feature)
		margins := margins[:len(row)]
		for j, weight := range row {
			margins[j] += value * weight
		}
	}
	for j := range margins {
		margins[j] = margins[j]*l.scale + l.bias[j]
	}
}

func (l *linear) row(feature uint32) []float32 {
	start := int(feature) * l.columns
	return l.weights[start : start+l.columns]
}

// negligible is the gradient below which a column is not updated: once training has
// found the plausible labels of an example, most are.
const negligible = 1e-4

// collect adds the gradients of the head's columns, times weight, to those of the next
// step.
func (l *linear) collect(h head, gradients []float32, weight float32) {
	for i, value := range gradients {
		if value > negligible || value < -negligible {
			l.active = append(l.active, columnGradient{uint32(h.first + i), value * h.rate * weight})
		}
	}
}

// step moves the weights down the gradients that were collected for x.
func (l *linear) step(x vector, rate, decay float64) {
	l.decay(float32(1 - rate*decay))
	if len(l.active) == 0 {
		return
	}
	for i, feature := range x.features {
		factor := -float32(rate) * x.values[i] / l.scale
		row := l.row(feature)
		for _, g := range l.active {
			row[g.column] += factor * g.value
		}
	}
	for _, g := range l.active {
		l.bias[g.column] -= float32(rate) * g.value
	}
	l.active = l.active[:0]
}

// stepBy moves the weights by one down the gradients that were collected for x, each times
// the factor of its feature and column.
func (l *linear) stepBy(x vector, factors *linear) {
	for i, feature := range x.features {
		row, factors := l.row(feature), factors.row(feature)
		for _, g := range l.active {
			row[g.column] -= x.values[i] * g.value * factors[g.column]
		}
	}
	for _, g := range l.active {
		l.bias[g.column] -= g.value
	}
	l.active = l.active[:0]
}

// smallestScale is where the scale is multiplied out, before it loses precision.
const smallestScale = 1e-3

func (l *linear) decay(factor float32) {
	l.scale *= max(factor, 0.5)
	if l.scale > smallestScale {
		return
	}
	for i := range l.weights {
		l.weights[i] *= l.scale
	}
	l.scale = 1
}

// add adds other, each column times its factor. The scale of l is one.
func (l *linear) add(other *linear, factors []float32) {
	for start := 0; start < len(l.weights); start += l.columns {
		for column, factor := range factors {
			l.weights[start+column] += factor * other.scale * other.weights[start+column]
		}
	}
	for column, factor := range factors {
		l.bias[column] += factor * other.bias[column]
	}
}

func (l *linear) addBias(bias []float32) {
	for column, value := range bias {
		l.bias[column] += value
	}
}

func (l *linear) multiply(factors []float32) {
	for start := 0; start < len(l.weights); start += l.columns {
		for column, factor := range factors {
			l.weights[start+column] *= factor
		}
	}
	for column, factor := range factors {
		l.bias[column] *= factor
	}
}

func (l *linear) stateBytes() int64 {
	return 4 * int64(1+len(l.bias)+len(l.weights))
}

func (l *linear) save(w io.Writer) error {
	for _, values := range [][]float32{{l.scale}, l.bias, l.weights} {
		if err := writeFloats(w, values); err != nil {
			return err
		}
	}
	return nil
}

func (l *linear) restore(r io.Reader) error {
	scale := []float32{0}
	for _, values := range [][]float32{scale, l.bias, l.weights} {
		if err := readFloats(r, values); err != nil {
			return err
		}
	}
	l.scale = scale[0]
	return nil
}
