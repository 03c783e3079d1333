package classifier

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Rows are taken several at a time: none may be left out or counted twice.
func TestSumsOfAnyNumberOfRows(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	const rows, columns = 11, 5
	l := newLinear(rows, columns)
	m := &Model{weights: make([]byte, rows*columns), bias: make([]float32, columns)}
	for i := range l.weights {
		weight := random.IntN(256) - 128
		l.weights[i], m.weights[i] = float32(weight), byte(int8(weight))
	}
	var x vector
	want := make([]float64, columns)
	for feature := range uint32(rows) {
		for column := range want {
			margins, sums := make([]float32, columns), make([]int32, columns)
			l.margins(x, margins)
			m.sum(x, sums)
			if math.Abs(float64(margins[column])-want[column]) > 1e-3 || math.Abs(float64(sums[column])/fixedPoint-want[column]) > 0.1 {
				t.Fatalf("column %d of %d rows: margin %v, sum %v, want %v", column, feature, margins[column], float64(sums[column])/fixedPoint, want[column])
			}
		}
		value := float32(feature+1) / 16
		x.features, x.values = append(x.features, feature), append(x.values, value)
		for column := range want {
			want[column] += float64(value * l.weights[int(feature)*columns+column])
		}
	}
}
