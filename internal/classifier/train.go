package classifier

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
)

// maxWeights bounds features times labels.
const maxWeights = 1 << 26

// Trained is what a training gives.
type Trained struct {
	Model *Model
	// Unseen are the examples that no weight was fitted to: the validation examples or,
	// without any, those held out of the training examples. There are none when these are
	// too few to hold any out.
	Unseen []Example
	// Measurable is the model to measure on Unseen: Model itself or, when examples were
	// held out, the one that was trained without them to calibrate Model.
	Measurable *Model
}

// Train trains a model. valid may be empty. It returns the context's error soon
// after its end. Any other error says what is wrong with the options or
// the examples.
func Train(ctx context.Context, train, valid []Example, options Options) (*Trained, error) {
	if err := check(train, valid, options); err != nil {
		return nil, err
	}
	t := newTrainer(train, valid, options)
	if err := t.prepare(ctx); err != nil {
		return nil, err
	}
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	return t.finish(ctx)
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
	options  Options
	heads    []head
	examples []Example // and the labels' names after them
	heldOut  []bool    // of each example; nil when none is
	unseen   []Example
	schedule schedule

	vocabulary *vocabulary
	vectorizer *vectorizer

	final       *ensemble
	calibrating *ensemble // is final unless examples are held out
}

func newTrainer(train, valid []Example, options Options) *trainer {
	examples := withNames(train, options.Targets)
	t := &trainer{
		options:  options,
		heads:    newHeads(options.Targets),
		examples: examples,
		unseen:   valid,
		schedule: newSchedule(len(examples), options.Hyperparameters),
	}
	if len(valid) == 0 && len(train) >= fewestToDivide {
		t.holdOut(len(train))
	}
	return t
}

const (
	heldOutShare   = 10   // one of so many
	maxHeldOut     = 5000 // more do not make a temperature better
	fewestToDivide = 50   // from which holding some out leaves enough of both
)

// holdOut holds out some of the first examples.
func (t *trainer) holdOut(first int) {
	t.heldOut, t.unseen = make([]bool, len(t.examples)), nil
	order := rand.New(rand.NewPCG(t.options.Seed, 0)).Perm(first)
	for _, i := range order[:min(len(order)/heldOutShare, maxHeldOut)] {
		t.heldOut[i] = true
		t.unseen = append(t.unseen, t.examples[i])
	}
}

// prepare chooses and weighs the features before any vector is made with them.
func (t *trainer) prepare(ctx context.Context) error {
	vocabulary, err := readVocabulary(ctx, t.examples, columns(t.heads))
	if err != nil {
		return err
	}
	t.vocabulary, t.vectorizer = vocabulary, newVectorizer(vocabulary)
	counts, err := t.countLabels(ctx)
	if err != nil {
		return err
	}
	if err := t.weighFeatures(ctx, counts); err != nil {
		return err
	}
	data, err := newTrainingData(ctx, t.examples, t.options.Targets, t.heads, t.vocabulary)
	if err != nil {
		return err
	}
	if data.repeatable() {
		data.bayes = counts.bayes(t.heads)
	}
	t.final = newEnsemble(data, data.all(), t.schedule, t.options.Seed)
	t.calibrating = t.final
	if t.heldOut != nil {
		t.calibrating = newEnsemble(data, data.without(t.heldOut), t.schedule, t.options.Seed)
	}
	return nil
}

func (t *trainer) run(ctx context.Context) error {
	checkpoints := t.schedule.checkpoints()
	for i := 1; i <= checkpoints; i++ {
		loss, err := t.advance(ctx, i)
		if err != nil {
			return fmt.Errorf("training: %w", err)
		}
		_, step := t.schedule.checkpoint(i)
		checkpoint := Checkpoint{Step: step, TotalSteps: t.schedule.steps, TrainLoss: loss}
		if err := t.report(ctx, checkpoint, i%evaluateEach == 0 || i == checkpoints); err != nil {
			return err
		}
	}
	return nil
}

// advance goes on to the i-th checkpoint and returns the mean loss on the way.
func (t *trainer) advance(ctx context.Context, i int) (loss float64, err error) {
	fits := t.final.fits()
	if t.heldOut != nil {
		fits = append(fits, t.calibrating.fits()...)
	}
	end, _ := t.schedule.checkpoint(i)
	if err := advanceAll(ctx, fits, end); err != nil {
		return 0, err
	}
	return t.final.loss(), nil
}

func (t *trainer) report(ctx context.Context, checkpoint Checkpoint, evaluate bool) error {
	if t.options.OnCheckpoint == nil {
		return nil
	}
	if evaluate && len(t.unseen) > 0 {
		loss, err := t.unseenLoss(ctx)
		if err != nil {
			return fmt.Errorf("evaluating: %w", err)
		}
		checkpoint.ValidLoss, checkpoint.Evaluated = loss, true
	}
	t.options.OnCheckpoint(checkpoint)
	return nil
}

func (t *trainer) unseenLoss(ctx context.Context) (float64, error) {
	weights := t.calibrating.weights()
	margins := make([]float32, columns(t.heads))
	losses := newMeanLoss(t.heads, t.options.Targets)
	for _, example := range t.unseen {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		weights.margins(t.vectorizer.vectorize(example.Text), margins)
		differentiate(t.heads, margins, example.Labels, losses)
	}
	return losses.mean(), nil
}

func (t *trainer) finish(ctx context.Context) (*Trained, error) {
	calibrating := t.calibrating.weights()
	calibrations, err := t.calibrate(ctx, calibrating)
	if err != nil {
		return nil, err
	}
	trained := &Trained{Unseen: t.unseen}
	trained.Measurable = newModel(t.options.Targets, t.vocabulary, calibrating, calibrations)
	trained.Model = trained.Measurable
	if t.heldOut != nil {
		trained.Model = newModel(t.options.Targets, t.vocabulary, t.final.weights(), calibrations)
	}
	return trained, nil
}

// differentiate turns margins into the gradient of the loss, and adds the loss to
// losses.
func differentiate(heads []head, margins []float32, labels [][]int, losses *meanLoss) {
	for i, h := range heads {
		if labels[i] == nil {
			continue
		}
		part := margins[h.first:h.end]
		h.probabilities(part, 1)
		losses.add(i, h.gradient(part, labels[i]))
	}
}
