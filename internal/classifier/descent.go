package classifier

import (
	"context"
	"math"
	"math/rand/v2"
)

// descent fits weights by stochastic gradient descent.
type descent struct {
	data       *trainingData
	schedule   schedule
	vectorizer *vectorizer
	random     *rand.Rand
	turns      *turns // as many as updates
	dropped    uint64 // of 256 features

	weights *linear
	losses  *meanLoss
	margins []float32
	own     []float32 // gradients before they are spread
	kept    vector    // what is not left out of an example
}

func newDescent(data *trainingData, order []int32, s schedule, seed uint64, number int) *descent {
	width := columns(data.heads)
	random := rand.New(rand.NewPCG(seed, uint64(number+1)))
	d := &descent{
		data:       data,
		schedule:   s,
		vectorizer: newVectorizer(data.vocabulary),
		random:     random,
		turns:      newTurns(order, random),
		dropped:    uint64(256 * droppedShare(len(order), width)),
		weights:    newLinear(len(data.vocabulary.slots), width),
		margins:    make([]float32, width),
		own:        make([]float32, width),
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
		example := d.turns.next()
		d.learn(example, d.dropOut(d.data.vector(example, d.vectorizer)), rate)
	}
	return nil
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
	d.kept.features, d.kept.values = d.kept.features[:0], d.kept.values[:0]
	bits := uint64(0)
	scale := 256 / float32(256-d.dropped)
	for i, feature := range x.features {
		if i%8 == 0 {
			bits = d.random.Uint64()
		}
		if bits&0xff >= d.dropped {
			d.kept.features = append(d.kept.features, feature)
			d.kept.values = append(d.kept.values, scale*x.values[i])
		}
		bits >>= 8
	}
	return d.kept
}

// learn takes one step of gradient descent and adds the loss before it to losses.
func (d *descent) learn(example int32, x vector, rate float64) {
	labels := d.data.examples[example].Labels
	d.weights.margins(x, d.margins)
	for i, h := range d.data.heads {
		for _, label := range labels[i] {
			d.margins[h.first+label] -= h.lead
		}
	}
	differentiate(d.data.heads, d.margins, labels, d.losses)
	for i, h := range d.data.heads {
		if labels[i] != nil {
			gradients := d.margins[h.first:h.end]
			d.data.kinships[i].spread(gradients, d.own)
			d.weights.collect(h, gradients, d.data.gradientWeight(example, i))
		}
	}
	d.weights.step(x, rate, d.schedule.decay)
}
