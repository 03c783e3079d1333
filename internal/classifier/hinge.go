package classifier

import (
	"context"
	"math/rand/v2"
)

// hinge fits the weights of single_class targets as support vector machines, each label
// against the rest, with the squared hinge loss and L2 regularisation, by dual
// coordinate descent (Hsieh et al. 2008). Only the examples close to the border
// between labels matter to it.
type hinge struct {
	data       *trainingData
	schedule   schedule
	vectorizer *vectorizer
	turns      *turns

	weights *linear
	duals   []float32 // of each example and column
	margins []float32
}

// hingePasses is more than it takes to stop gaining accuracy.
const hingePasses = 10

func newHinge(data *trainingData, order []int32, s schedule, seed uint64) *hinge {
	width := columns(data.heads)
	return &hinge{
		data:       data,
		schedule:   s,
		vectorizer: newVectorizer(data.vocabulary),
		turns:      newTurns(order, rand.New(rand.NewPCG(seed, 0))),
		weights:    newLinear(len(data.vocabulary.slots), width),
		duals:      make([]float32, len(data.examples)*width),
		margins:    make([]float32, width),
	}
}

func (h *hinge) advance(ctx context.Context, update int) error {
	end := int(float64(hingePasses*len(h.turns.order)) * float64(update) / float64(h.schedule.updates))
	for h.turns.taken < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		h.update()
	}
	return nil
}

func (h *hinge) update() {
	example := h.turns.next()
	x := h.data.vector(example, h.vectorizer)
	h.weights.margins(x, h.margins)
	// The bias is the weight of a feature that every example has.
	square := 1 + x.square()
	for i, target := range h.data.heads {
		if labels := h.data.examples[example].Labels[i]; target.loss == SingleClass && labels != nil {
			h.solve(example, target, labels[0], square, 1/(2*h.schedule.cost*h.data.gradientWeight(example, i)))
		}
	}
	h.weights.step(x, 1, 0)
}

// solve optimises the dual variables of an example, one for each label, and collects
// what their changes do to the weights.
func (h *hinge) solve(example int32, target head, right int, square, diagonal float32) {
	width := len(h.margins)
	duals := h.duals[int(example)*width+target.first : int(example)*width+target.end]
	for label, margin := range h.margins[target.first:target.end] {
		sign := float32(-1)
		if label == right {
			sign = 1
		}
		gradient := sign*margin - 1 + diagonal*duals[label]
		dual := max(duals[label]-gradient/(square+diagonal), 0)
		if dual == duals[label] {
			continue
		}
		change := sign * (dual - duals[label])
		duals[label] = dual
		h.weights.active = append(h.weights.active, columnGradient{uint32(target.first + label), -change})
	}
}
