package classifier

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
)

// crammerSinger fits the weights of single_class targets as a support vector machine that
// sets the labels of an example against each other (Crammer and Singer 2001), by dual
// coordinate descent (Keerthi et al. 2008). Only the few labels that an example could be
// taken for have a dual variable of it, so that many labels take little beside their weights.
type crammerSinger struct {
	data     *trainingData
	schedule schedule
	reader   *sampleReader
	turns    *turns

	weights *linear
	losses  *meanLoss
	margins []float32
	duals   *os.File // of each example: the rivals of each target
	buffer  []byte
	own     []rivals // of an example
	found   []rival
}

// rival is a label that an example does not have, with a dual variable or, while it is
// sought, with how far the label is from being told apart.
type rival struct {
	label uint32
	value float32
}

// mostRivals have a dual variable of an example; hardly ever are there as many.
const (
	mostRivals = 24
	rivalBytes = 8
)

// rivals are those whose value is not zero. The dual variable of the example's own label
// is their sum.
type rivals [mostRivals]rival

// crammerSingerPasses is more than it takes to stop gaining accuracy.
const crammerSingerPasses = 10

func newCrammerSinger(data *trainingData, files *scratchFiles, order *order, s schedule, seed uint64) (*crammerSinger, error) {
	width := columns(data.heads)
	c := &crammerSinger{
		data:     data,
		schedule: s,
		reader:   data.newReader(),
		turns:    newTurns(order, rand.NewPCG(seed, 0)),
		weights:  newLinear(len(data.vocabulary.slots), width),
		losses:   newMeanLoss(data.heads, data.targets),
		margins:  make([]float32, width),
		buffer:   make([]byte, len(data.heads)*mostRivals*rivalBytes),
		own:      make([]rivals, len(data.heads)),
	}
	var err error
	if c.duals, err = files.create(); err != nil {
		return nil, err
	}
	if err := c.duals.Truncate(c.dualBytes()); err != nil {
		return nil, fmt.Errorf("writing a scratch file: %w", err)
	}
	return c, nil
}

func (c *crammerSinger) dualBytes() int64 {
	return int64(c.data.examples.count()) * int64(len(c.buffer))
}

func (c *crammerSinger) advance(ctx context.Context, update int) error {
	end := int(expF("EXP_CSP", crammerSingerPasses) * float64(c.turns.order.length) * float64(update) / float64(c.schedule.updates))
	for c.turns.taken < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.update(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *crammerSinger) update(ctx context.Context) error {
	example, err := c.turns.next(ctx)
	if err != nil {
		return err
	}
	s, err := c.reader.read(example)
	if err != nil {
		return err
	}
	if err := c.readDuals(example); err != nil {
		return err
	}
	c.weights.margins(s.vector, c.margins)
	// The bias is the weight of a feature that every example has.
	square := 1 + s.vector.square()
	for i, target := range c.data.heads {
		if labels := s.labels[i]; labels != nil {
			c.solve(target, &c.own[i], labels[0], square, float32(expF("EXP_C", 1))*gw(c.schedule.cost, c.data.gradientWeight(s, i)))
		}
	}
	differentiate(c.data.heads, c.margins, s.labels, c.losses)
	changed := len(c.weights.active) > 0
	c.weights.step(s.vector, 1, 0)
	if !changed {
		return nil
	}
	return c.writeDuals(example)
}

// solve optimises the dual variables of an example and collects what their changes do to
// the weights.
func (c *crammerSinger) solve(target head, own *rivals, right int, square, cost float32) {
	margins := c.margins[target.first:target.end]
	c.find(margins, own, right, square)
	before := *own
	*own = nearest(c.found, square, cost)
	change := float32(0)
	for _, r := range own {
		if r.value != 0 {
			change += c.collect(target, r.label, r.value-before.take(r.label))
		}
	}
	for _, r := range before {
		if r.value != 0 {
			change += c.collect(target, r.label, -r.value)
		}
	}
	if change != 0 {
		c.weights.active = append(c.weights.active, columnGradient{uint32(target.first + right), -change})
	}
}

// collect collects what the change of a rival's dual variable does to its weights.
func (c *crammerSinger) collect(target head, label uint32, change float32) float32 {
	if change != 0 {
		c.weights.active = append(c.weights.active, columnGradient{uint32(target.first) + label, change})
	}
	return change
}

// find finds the labels whose margins would be less than one below that of the right
// label if the example had no part in the weights, the worst first.
func (c *crammerSinger) find(margins []float32, own *rivals, right int, square float32) {
	sum := float32(0)
	for _, r := range own {
		sum += r.value
	}
	limit := margins[right] - square*sum - 1
	c.found = c.found[:0]
	for label, margin := range margins {
		if margin > limit && label != right {
			c.found = append(c.found, rival{uint32(label), margin - limit + square*own.dual(uint32(label))})
		}
	}
	for _, r := range own {
		margin := margins[r.label]
		if value := margin - limit + square*r.value; margin <= limit && value > 0 {
			c.found = append(c.found, rival{r.label, value})
		}
	}
	slices.SortFunc(c.found, func(a, b rival) int {
		return cmp.Or(cmp.Compare(b.value, a.value), cmp.Compare(a.label, b.label))
	})
	c.found = c.found[:min(len(c.found), mostRivals)]
}

// nearest returns the best dual variables, of which the sum is cost at most.
func nearest(found []rival, square, cost float32) rivals {
	var best rivals
	threshold := float32(0)
	sum := float32(0)
	for i, r := range found {
		if r.value <= threshold {
			break
		}
		sum += r.value
		threshold = max(sum/float32(i+2), (sum-square*cost)/float32(i+1))
	}
	for i, r := range found {
		if r.value <= threshold {
			break
		}
		best[i] = rival{r.label, (r.value - threshold) / square}
	}
	return best
}

// dual returns the dual variable of a label.
func (r *rivals) dual(label uint32) float32 {
	for i := range r {
		if r[i].value != 0 && r[i].label == label {
			return r[i].value
		}
	}
	return 0
}

// take returns the dual variable of a label and sets it to zero.
func (r *rivals) take(label uint32) float32 {
	for i := range r {
		if r[i].value != 0 && r[i].label == label {
			value := r[i].value
			r[i].value = 0
			return value
		}
	}
	return 0
}

func (c *crammerSinger) readDuals(example int32) error {
	if _, err := c.duals.ReadAt(c.buffer, int64(example)*int64(len(c.buffer))); err != nil {
		return fmt.Errorf("reading a scratch file: %w", err)
	}
	rest := c.buffer
	for i := range c.own {
		for j := range c.own[i] {
			c.own[i][j] = rival{binary.LittleEndian.Uint32(rest), math.Float32frombits(binary.LittleEndian.Uint32(rest[4:]))}
			rest = rest[rivalBytes:]
		}
	}
	return nil
}

func (c *crammerSinger) writeDuals(example int32) error {
	record := c.buffer[:0]
	for i := range c.own {
		for _, r := range c.own[i] {
			record = binary.LittleEndian.AppendUint32(record, r.label)
			record = binary.LittleEndian.AppendUint32(record, math.Float32bits(r.value))
		}
	}
	if _, err := c.duals.WriteAt(record, int64(example)*int64(len(record))); err != nil {
		return fmt.Errorf("writing a scratch file: %w", err)
	}
	return nil
}

func (c *crammerSinger) stateBytes() int64 {
	return c.dualBytes() + c.turns.stateBytes() + c.weights.stateBytes()
}

func (c *crammerSinger) save(w io.Writer) error {
	_, err := io.Copy(w, io.NewSectionReader(c.duals, 0, c.dualBytes()))
	return errors.Join(err, c.turns.save(w), c.weights.save(w))
}

func (c *crammerSinger) restore(r io.Reader) error {
	_, err := io.CopyN(io.NewOffsetWriter(c.duals, 0), r, c.dualBytes())
	return errors.Join(err, c.turns.restore(r), c.weights.restore(r))
}

func gw(c, w float32) float32 {
	return c * float32(math.Pow(float64(w), expF("EXP_W", 1)))
}
