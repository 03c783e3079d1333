package classifier

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
)

// hinge fits the weights of single_class targets as support vector machines, each label
// against the rest, with the squared hinge loss and L2 regularisation, by dual
// coordinate descent (Hsieh et al. 2008). Only the examples close to the border
// between labels matter to it.
type hinge struct {
	data     *trainingData
	schedule schedule
	reader   *sampleReader
	turns    *turns

	passes int
	cost   float32         // of losses, against the size of the weights
	learns func(head) bool // of which targets
	// factors are what the square of a feature's value counts for each label; nil: one. The
	// larger, the less it costs to use the feature.
	factors *linear
	squares []float32 // of an example's vector, for each column

	weights *linear
	duals   *os.File  // of each example and column
	own     []float32 // duals of an example
	buffer  []byte
	margins []float32
}

// hingePasses is more than it takes to stop gaining accuracy.
const hingePasses = 10

// newHinge is for the examples but those left out, ascending.
func newHinge(data *trainingData, files *scratchFiles, leftOut []int32, s schedule, seed uint64) (*hinge, error) {
	width := columns(data.heads)
	order, err := newOrder(files, data.examples.count(), leftOut)
	if err != nil {
		return nil, err
	}
	h := &hinge{
		data:     data,
		schedule: s,
		reader:   data.newReader(),
		turns:    newTurns(order, rand.NewPCG(seed, 0)),
		passes:   hingePasses,
		cost:     s.cost,
		learns:   head.isSingleClass,
		squares:  make([]float32, width),
		weights:  newLinear(data.vocabulary.count(), width),
		own:      make([]float32, width),
		buffer:   make([]byte, 4*width),
		margins:  make([]float32, width),
	}
	if h.duals, err = files.create(); err != nil {
		return nil, err
	}
	if err := h.duals.Truncate(h.dualBytes()); err != nil {
		return nil, fmt.Errorf("writing a scratch file: %w", err)
	}
	return h, nil
}

func (h *hinge) dualBytes() int64 {
	return int64(h.data.examples.count()) * int64(len(h.buffer))
}

func (h *hinge) advance(ctx context.Context, update int) error {
	end := int(float64(h.passes*h.turns.order.length) * float64(update) / float64(h.schedule.updates))
	for h.turns.taken < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := h.update(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (h *hinge) update(ctx context.Context) error {
	example, err := h.turns.next(ctx)
	if err != nil {
		return err
	}
	s, err := h.reader.read(example)
	if err != nil {
		return err
	}
	if err := h.readDuals(example); err != nil {
		return err
	}
	x := s.vector
	h.weights.margins(x, h.margins)
	h.square(x)
	for i, target := range h.data.heads {
		if labels := s.labels[i]; h.learns(target) && labels != nil {
			h.solve(target, labels[0], 1/(2*h.cost*h.data.gradientWeight(s, i)))
		}
	}
	changed := len(h.weights.active) > 0
	if h.factors == nil {
		h.weights.step(x, 1, 0)
	} else {
		h.weights.stepBy(x, h.factors)
	}
	if !changed {
		return nil
	}
	return h.writeDuals(example)
}

// square sets the squares. The bias is the weight of a feature that every example has.
func (h *hinge) square(x vector) {
	if h.factors == nil {
		square := 1 + x.square()
		for column := range h.squares {
			h.squares[column] = square
		}
		return
	}
	for column := range h.squares {
		h.squares[column] = 1
	}
	for i, feature := range x.features {
		square := x.values[i] * x.values[i]
		for column, factor := range h.factors.row(feature) {
			h.squares[column] += square * factor
		}
	}
}

func (h *hinge) readDuals(example int32) error {
	if _, err := h.duals.ReadAt(h.buffer, int64(example)*int64(len(h.buffer))); err != nil {
		return fmt.Errorf("reading a scratch file: %w", err)
	}
	for i := range h.own {
		h.own[i] = math.Float32frombits(binary.LittleEndian.Uint32(h.buffer[4*i:]))
	}
	return nil
}

func (h *hinge) writeDuals(example int32) error {
	for i, dual := range h.own {
		binary.LittleEndian.PutUint32(h.buffer[4*i:], math.Float32bits(dual))
	}
	if _, err := h.duals.WriteAt(h.buffer, int64(example)*int64(len(h.buffer))); err != nil {
		return fmt.Errorf("writing a scratch file: %w", err)
	}
	return nil
}

func (h *hinge) stateBytes() int64 {
	return h.dualBytes() + h.turns.stateBytes() + h.weights.stateBytes()
}

func (h *hinge) save(w io.Writer) error {
	_, err := io.Copy(w, io.NewSectionReader(h.duals, 0, h.dualBytes()))
	return errors.Join(err, h.turns.save(w), h.weights.save(w))
}

func (h *hinge) restore(r io.Reader) error {
	_, err := io.CopyN(io.NewOffsetWriter(h.duals, 0), r, h.dualBytes())
	return errors.Join(err, h.turns.restore(r), h.weights.restore(r))
}

// solve optimises the dual variables of an example, one for each label, and collects
// what their changes do to the weights.
func (h *hinge) solve(target head, right int, diagonal float32) {
	duals, squares := h.own[target.first:target.end], h.squares[target.first:target.end]
	for label, margin := range h.margins[target.first:target.end] {
		sign := float32(-1)
		if label == right {
			sign = 1
		}
		gradient := sign*margin - 1 + diagonal*duals[label]
		dual := max(duals[label]-gradient/(squares[label]+diagonal), 0)
		if dual == duals[label] {
			continue
		}
		change := sign * (dual - duals[label])
		duals[label] = dual
		h.weights.active = append(h.weights.active, columnGradient{uint32(target.first + label), -change})
	}
}
