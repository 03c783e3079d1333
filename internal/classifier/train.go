package classifier

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// maxWeights bounds features times labels.
const maxWeights = 1 << 26

// Train trains a model. valid may be empty. It returns the context's error soon
// after its end. Any other error says what is wrong with the options or
// the examples.
func Train(ctx context.Context, train, valid []Example, options Options) (*Model, error) {
	if err := check(train, valid, options); err != nil {
		return nil, err
	}
	heads := newHeads(options.Targets)
	vocabulary, err := readVocabulary(ctx, train, columns(heads))
	if err != nil {
		return nil, err
	}
	t := newTrainer(train, valid, heads, vocabulary, options)
	if err := t.weighFeatures(ctx); err != nil {
		return nil, err
	}
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	calibrations, err := t.calibrate(ctx)
	if err != nil {
		return nil, err
	}
	return newModel(options.Targets, vocabulary, t.final, calibrations), nil
}

func check(train, valid []Example, options Options) error {
	if err := checkTargets(options.Targets); err != nil {
		return err
	}
	if err := checkHyperparameters(options.Hyperparameters); err != nil {
		return err
	}
	if len(train) == 0 {
		return errors.New("no training examples")
	}
	if _, err := checkExamples("validation", valid, options.Targets); err != nil {
		return err
	}
	last, err := checkExamples("training", train, options.Targets)
	if err != nil {
		return err
	}
	return checkCoverage(last, options.Targets)
}

func readVocabulary(ctx context.Context, examples []Example, labels int) (*vocabulary, error) {
	counter := newFrequencyCounter()
	for _, example := range examples {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("reading features: %w", err)
		}
		counter.add(example.Text)
	}
	return newVocabulary(len(examples), counter.frequencies, maxWeights/labels), nil
}

// trainer fits the weights of a model and, when there are no validation examples,
// those of a second one that calibrates it.
type trainer struct {
	options    Options
	heads      []head
	schedule   schedule
	vectorizer *vectorizer
	random     *rand.Rand

	examples   []Example
	meanWeight float64
	dropped    uint64 // of 256 features
	order      []int32
	heldOut    []bool // of each example; nil when none is

	final       *linear
	calibrating *linear   // is final unless examples are held out
	unseen      []Example // that calibrating does not learn from
	margins     []float32
}

func newTrainer(train, valid []Example, heads []head, vocabulary *vocabulary, options Options) *trainer {
	t := &trainer{
		options:    options,
		heads:      heads,
		schedule:   newSchedule(len(train), options.Hyperparameters),
		vectorizer: newVectorizer(vocabulary),
		random:     rand.New(rand.NewPCG(options.Seed, 0)),
		examples:   train,
		meanWeight: meanWeight(train),
		dropped:    uint64(256 * droppedShare(len(train), columns(heads))),
		order:      make([]int32, len(train)),
		final:      newLinear(len(vocabulary.slots), columns(heads)),
		unseen:     valid,
		margins:    make([]float32, columns(heads)),
	}
	for i := range t.order {
		t.order[i] = int32(i)
	}
	t.calibrating = t.final
	if len(valid) == 0 {
		t.holdOut()
	}
	return t
}

const (
	heldOutShare   = 10   // one of so many
	maxHeldOut     = 5000 // more do not make a temperature better
	fewestToDivide = 50   // from which holding some out leaves enough of both
)

// holdOut lets a second set of weights be trained on nine tenths of the examples.
func (t *trainer) holdOut() {
	if len(t.examples) < fewestToDivide {
		return
	}
	t.shuffle()
	t.heldOut = make([]bool, len(t.examples))
	t.unseen = nil
	for _, i := range t.order[:min(len(t.examples)/heldOutShare, maxHeldOut)] {
		t.heldOut[i] = true
		t.unseen = append(t.unseen, t.examples[i])
	}
	t.calibrating = newLinear(len(t.vectorizer.vocabulary.slots), columns(t.heads))
}

func (t *trainer) shuffle() {
	t.random.Shuffle(len(t.order), func(i, j int) { t.order[i], t.order[j] = t.order[j], t.order[i] })
}

func (t *trainer) run(ctx context.Context) error {
	update := 0
	checkpoints := t.schedule.checkpoints()
	for i := 1; i <= checkpoints; i++ {
		end, step := t.schedule.checkpoint(i)
		losses := newMeanLoss(t.heads, t.options.Targets)
		for ; update < end; update++ {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("training: %w", err)
			}
			t.update(update, losses)
		}
		checkpoint := Checkpoint{Step: step, TotalSteps: t.schedule.steps, TrainLoss: losses.mean()}
		if err := t.report(ctx, checkpoint, i%evaluateEach == 0 || i == checkpoints); err != nil {
			return err
		}
	}
	return nil
}

// update learns from the example whose turn it is.
func (t *trainer) update(update int, losses *meanLoss) {
	turn := update % len(t.order)
	if turn == 0 {
		t.shuffle()
	}
	i := t.order[turn]
	example := t.examples[i]
	rate := t.schedule.rateAt(update) * min(weight(example)/t.meanWeight, maxRelativeWeight)
	x := t.dropOut(t.vectorizer.vectorize(example.Text))
	t.learn(t.final, x, example.Labels, rate, losses)
	if t.heldOut != nil && !t.heldOut[i] {
		t.learn(t.calibrating, x, example.Labels, rate, nil)
	}
}

// droppedShare is the share of its features that is left out of an example. The fewer
// examples a label has, the more would be learned by heart.
func droppedShare(examples, labels int) float64 {
	perLabel := float64(examples) / float64(labels)
	return min(max(0.8-0.17*math.Log(perLabel/100), 0.3), 0.7)
}

// dropOut leaves out features at random and scales the others up to make up for
// them, in place. Labels have to be recognised by all of their features then, not by
// the few that would do for the training examples.
func (t *trainer) dropOut(x vector) vector {
	kept := 0
	bits := uint64(0)
	scale := 256 / float32(256-t.dropped)
	for i, feature := range x.features {
		if i%8 == 0 {
			bits = t.random.Uint64()
		}
		if bits&0xff >= t.dropped {
			x.features[kept], x.values[kept] = feature, scale*x.values[i]
			kept++
		}
		bits >>= 8
	}
	return vector{x.features[:kept], x.values[:kept]}
}

// learn takes one step of gradient descent and adds the loss before it to losses.
func (t *trainer) learn(l *linear, x vector, labels [][]int, rate float64, losses *meanLoss) {
	l.margins(x, t.margins)
	for i, h := range t.heads {
		for _, label := range labels[i] {
			t.margins[h.first+label] -= h.lead
		}
	}
	t.differentiate(labels, losses)
	for i, h := range t.heads {
		if labels[i] != nil {
			l.collect(h, t.margins[h.first:h.end])
		}
	}
	l.step(x, rate, t.schedule.decay)
}

// differentiate turns margins into the gradient of the loss, and adds the loss to
// losses unless that is nil.
func (t *trainer) differentiate(labels [][]int, losses *meanLoss) {
	for i, h := range t.heads {
		if labels[i] == nil {
			continue
		}
		part := t.margins[h.first:h.end]
		h.probabilities(part, 1)
		loss := h.gradient(part, labels[i])
		if losses != nil {
			losses.add(i, loss)
		}
	}
}

func (t *trainer) report(ctx context.Context, checkpoint Checkpoint, evaluate bool) error {
	if t.options.OnCheckpoint == nil {
		return nil
	}
	if evaluate && len(t.unseen) > 0 {
		losses := newMeanLoss(t.heads, t.options.Targets)
		for _, example := range t.unseen {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("evaluating: %w", err)
			}
			t.calibrating.margins(t.vectorizer.vectorize(example.Text), t.margins)
			t.differentiate(example.Labels, losses)
		}
		checkpoint.ValidLoss, checkpoint.Evaluated = losses.mean(), true
	}
	t.options.OnCheckpoint(checkpoint)
	return nil
}

// maxRelativeWeight keeps a step from overshooting so far that no other example can
// correct it.
const maxRelativeWeight = 10

func weight(example Example) float64 {
	if example.Weight == 0 {
		return 1
	}
	return example.Weight
}

func meanWeight(examples []Example) float64 {
	sum := 0.0
	for _, example := range examples {
		sum += weight(example)
	}
	return sum / float64(len(examples))
}
