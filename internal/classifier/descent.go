package classifier

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
)

// descent fits weights by stochastic gradient descent.
type descent struct {
	data     *trainingData
	schedule schedule
	reader   *sampleReader
	turns    *turns // as many as updates
	dropped  uint64 // of 256 features

	weights *linear
	losses  *meanLoss
	margins []float32
	own     []float32 // gradients before they are spread
	kept    vector    // what is not left out of an example
}

// newDescent is the number-th for the examples that order has the indices of.
func newDescent(data *trainingData, order *order, s schedule, seed uint64, number int) *descent {
	width := columns(data.heads)
	d := &descent{
		data:     data,
		schedule: s,
		reader:   data.newReader(),
		turns:    newTurns(order, rand.NewPCG(seed, uint64(number+1))),
		dropped:  uint64(256 * droppedShare(order.length, width)),
		weights:  newLinear(data.vocabulary.count(), width),
		margins:  make([]float32, width),
		own:      make([]float32, width),
	}
	d.losses = d.newLosses()
	return d
}

func (d *descent) newLosses() *meanLoss {
	return newMeanLoss(d.data.heads, d.data.targets)
}

func (d *descent) advance(ctx context.Context, update int) error {
	for d.turns.taken < update {
		if err := ctx.Err(); err != nil {
			return err
		}
		rate := d.schedule.rateAt(d.turns.taken)
		example, err := d.turns.next(ctx)
		if err != nil {
			return err
		}
		sample, err := d.reader.read(example)
		if err != nil {
			return err
		}
		d.learn(sample, d.dropOut(sample.vector), rate)
	}
	return nil
}

func (d *descent) stateBytes() int64 {
	return d.turns.stateBytes() + d.weights.stateBytes()
}

func (d *descent) save(w io.Writer) error {
	return errors.Join(d.turns.save(w), d.weights.save(w))
}

func (d *descent) restore(r io.Reader) error {
	return errors.Join(d.turns.restore(r), d.weights.restore(r))
}

// droppedShare is the share of its features that is left out of an example. The fewer
// examples a label has, the more would be learned by heart.
func droppedShare(examples, labels int) float64 {
	perLabel := float64(examples) / float64(labels)
	return min(max(0.8-0.17*math.Log(perLabel/100), 0.3), 0.7)
}

// dropOut leaves out features at random and scales the others up to make up for
// them. Labels have to be recognised by all of their features then, not by
// the few that would do for the training examples.
func (d *descent) dropOut(x vector) vector {
	features, values := resize(d.kept.features, len(x.features)), resize(d.kept.values, len(x.values))
	kept, bits := 0, uint64(0)
	scale := 256 / float32(256-d.dropped)
	for i, feature := range x.features {
		if i%8 == 0 {
			bits = d.turns.random.Uint64()
		}
		features[kept], values[kept] = feature, scale*x.values[i]
		// The next takes its place if it is left out. No processor could predict a branch.
		kept += int(1 - (bits&0xff-d.dropped)>>63)
		bits >>= 8
	}
	d.kept = vector{features[:kept], values[:kept]}
	return d.kept
}

// learn takes one step of gradient descent with x of a sample and adds the loss before it
// to losses.
func (d *descent) learn(s sample, x vector, rate float64) {
	d.weights.margins(x, d.margins)
	for i, h := range d.data.heads {
		for _, label := range s.labels[i] {
			d.margins[h.first+label] -= h.lead
		}
	}
	differentiate(d.data.heads, d.margins, s.labels, d.losses)
	for i, h := range d.data.heads {
		if s.labels[i] != nil {
			gradients := d.margins[h.first:h.end]
			d.data.kinships[i].spread(gradients, d.own)
			d.weights.collect(h, gradients, d.data.gradientWeight(s, i))
		}
	}
	d.weights.step(x, rate, d.schedule.decay)
}
