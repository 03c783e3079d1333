package classifier

import (
	"context"
	"errors"
	"fmt"
)

// maxWeights bounds features times labels.
const maxWeights = 1 << 26

// Trained is what a training gives.
type Trained struct {
	Model *Model
	// Unseen are the examples that no weight was fitted to: the validation examples or,
	// without any, those held out of the training examples. There are none when these are
	// too few to hold any out.
	Unseen Examples
	// Measurable is the model to measure on Unseen: Model itself or, when examples were
	// held out, the one that was trained without them to calibrate Model.
	Measurable *Model
	// Curve says how much each doubling of the examples has brought, from the smallest part
	// to all that are not held out. Nil where it is not drawn.
	Curve []CurvePoint
}

// Train trains a model. valid may be empty or nil. What does not fit memory lies beside
// the training examples. It returns the context's error soon after its end. Any other
// error says what is wrong with the options or the examples, or with the disk.
func Train(ctx context.Context, train, valid *Corpus, options Options) (*Trained, error) {
	survey, err := check(ctx, train, valid, options)
	if err != nil {
		return nil, err
	}
	t, err := newTrainer(ctx, train, valid, survey, options)
	if err != nil {
		return nil, err
	}
	defer t.files.close()
	if err := t.prepare(ctx); err != nil {
		return nil, err
	}
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	trained, err := t.finish(ctx)
	if err != nil {
		return nil, err
	}
	t.forgetFits()
	trained.Curve, err = t.curve(ctx)
	return trained, err
}

// check reads all examples and returns what the training examples are like.
func check(ctx context.Context, train, valid *Corpus, options Options) (*survey, error) {
	if err := checkTargets(options.Targets); err != nil {
		return nil, err
	}
	if err := checkHyperparameters(options.Hyperparameters); err != nil {
		return nil, err
	}
	if train.Len() == 0 {
		return nil, errors.New("no training examples")
	}
	for _, corpus := range []*Corpus{train, valid} {
		if err := corpus.flush(); err != nil {
			return nil, err
		}
	}
	if _, err := surveyExamples(ctx, "validation", valid, options.Targets); err != nil {
		return nil, err
	}
	survey, err := surveyExamples(ctx, "training", train, options.Targets)
	if err != nil {
		return nil, err
	}
	return survey, checkCoverage(survey, options.Targets)
}

// trainer fits the weights of a model and, when there are no validation examples,
// those of a second one that calibrates it.
type trainer struct {
	options  Options
	heads    []head
	survey   *survey // of examples
	examples trainingExamples
	named    []bool  // of each target: whether the names of its labels help
	heldOut  []int32 // of them, ascending
	unseen   Examples
	// crossFitted are examples that calibrate beside the unseen ones: each list by weights
	// that are fitted to all others.
	crossFitted        [][]int32
	crossFittedMargins *mixture
	priors             []float32 // of each column, for what is known of no text; chosen with the temperatures
	schedule           schedule
	files              scratchFiles

	vocabulary   *vocabulary
	vectorizer   *vectorizer
	meanFeatures float64 // of an example, rare ones included

	final       *ensemble
	calibrating *ensemble // is final unless examples are held out

	dense *denseFits // nil when there is no representation
}

// newTrainer adds to the survey of the training examples what they get beside.
func newTrainer(ctx context.Context, train, valid *Corpus, s *survey, options Options) (*trainer, error) {
	names, err := learnableNames(ctx, train, s, options)
	if err != nil {
		return nil, err
	}
	examples := trainingExamples{train, names.examples}
	for i := range examples.names {
		s.add(&examples.names[i])
	}
	t := &trainer{
		options:  options,
		heads:    newHeads(options.Targets),
		survey:   s,
		examples: examples,
		named:    names.help,
		unseen:   Examples{corpus: valid},
		schedule: newSchedule(examples.count(), s.labels(), s.textBytes, options.Hyperparameters),
		files:    scratchFiles{folder: train.files.folder},
	}
	if err := t.divide(ctx); err != nil {
		t.files.close()
		return nil, err
	}
	return t, nil
}

// prepare chooses and weighs the features before any vector is made with them.
func (t *trainer) prepare(ctx context.Context) error {
	if err := t.chooseFeatures(ctx); err != nil {
		return err
	}
	if t.vocabulary.turns != nil {
		if err := t.learnTurns(ctx); err != nil {
			return err
		}
	}
	if err := t.prepareDense(ctx); err != nil {
		return err
	}
	var err error
	if t.crossFittedMargins, err = t.crossFit(ctx); err != nil {
		return err
	}
	data, err := t.prepareData(ctx)
	if err != nil {
		return err
	}
	if err := t.newEnsembles(data); err != nil {
		return err
	}
	return t.fitDense()
}

// prepareData weighs the features by the examples that are not held out, and makes all
// examples into vectors.
func (t *trainer) prepareData(ctx context.Context) (*trainingData, error) {
	counts, err := t.countLabels(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.weighFeatures(ctx, counts); err != nil {
		return nil, err
	}
	data := newTrainingData(t.examples, t.survey, t.options.Targets, t.heads, t.vocabulary)
	t.leaveNamesOut(data)
	if data.repeatable() {
		data.bayes = counts.bayes(t.heads)
		if t.choosesShares() {
			data.odds = counts.odds(t.heads, t.vocabulary.weights)
		}
	}
	return data, data.keepVectors(ctx, &t.files)
}

// leaveNamesOut forgets what names have in common that are no help.
func (t *trainer) leaveNamesOut(data *trainingData) {
	for i, named := range t.named {
		if !named {
			data.kinships[i] = &kinship{}
		}
	}
}

func (t *trainer) chooseFeatures(ctx context.Context) error {
	counter := newFrequencyCounter()
	if t.survey.conversations {
		counter.turns = newTurnWeights(len(t.heads))
	}
	for example, err := range t.examples.all() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("reading features: %w", err)
		}
		counter.add(example.Text)
	}
	t.vocabulary = newVocabulary(t.examples.count(), counter.frequencies, maxWeights/columns(t.heads))
	t.vocabulary.turns = counter.turns
	t.vectorizer = newVectorizer(t.vocabulary)
	for _, frequency := range counter.frequencies {
		t.meanFeatures += float64(frequency) / float64(t.examples.count())
	}
	return nil
}

func (t *trainer) newEnsembles(data *trainingData) (err error) {
	if t.final, err = newEnsemble(data, &t.files, nil, t.schedule, t.options.Seed); err != nil {
		return err
	}
	t.calibrating = t.final
	if t.heldOut != nil {
		t.calibrating, err = newEnsemble(data, &t.files, t.heldOut, t.schedule, t.options.Seed)
	}
	return err
}

func (t *trainer) run(ctx context.Context) error {
	states, err := t.newStates()
	if err != nil {
		return err
	}
	reached, err := t.resume(states)
	if err != nil {
		return err
	}
	checkpoints := t.schedule.checkpoints()
	for i := reached + 1; i <= checkpoints; i++ {
		loss, err := t.advance(ctx, i)
		if err != nil {
			return fmt.Errorf("training: %w", err)
		}
		_, step := t.schedule.checkpoint(i)
		checkpoint := Checkpoint{Step: step, TotalSteps: t.schedule.steps, TrainLoss: loss}
		if err := t.report(ctx, checkpoint, i%evaluateEach == 0 || i == checkpoints); err != nil {
			return err
		}
		states.save(i)
	}
	return nil
}

// resume returns the number of the checkpoint from which the training goes on.
func (t *trainer) resume(states *states) (int, error) {
	reached, err := states.restore()
	if reached > 0 && t.options.Resumption.OnResume != nil {
		_, step := t.schedule.checkpoint(reached)
		t.options.Resumption.OnResume(step)
	}
	return reached, err
}

func (t *trainer) fits() []fit {
	fits := t.final.fits()
	if t.heldOut != nil {
		fits = append(fits, t.calibrating.fits()...)
	}
	return append(fits, t.dense.fits()...)
}

// advance goes on to the i-th checkpoint and returns the mean loss on the way.
func (t *trainer) advance(ctx context.Context, i int) (loss float64, err error) {
	end, _ := t.schedule.checkpoint(i)
	if err := advanceAll(ctx, t.fits(), end); err != nil {
		return 0, err
	}
	return t.final.loss(), nil
}

func (t *trainer) report(ctx context.Context, checkpoint Checkpoint, evaluate bool) error {
	if t.options.OnCheckpoint == nil {
		return nil
	}
	if evaluate && t.unseen.Len() > 0 {
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
	weights, err := t.calibrating.weights()
	if err != nil {
		return 0, err
	}
	margins := make([]float32, columns(t.heads))
	losses := newMeanLoss(t.heads, t.options.Targets)
	for example, err := range t.unseen.all() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return 0, err
		}
		weights.margins(t.vectorizer.vectorize(example.Text), margins)
		differentiate(t.heads, margins, example.Labels, losses)
	}
	return losses.mean(), nil
}

func (t *trainer) finish(ctx context.Context) (*Trained, error) {
	trained := &Trained{Unseen: t.unseen}
	var err error
	if trained.Measurable, err = t.measurable(ctx); err != nil {
		return nil, err
	}
	trained.Model = trained.Measurable
	if t.heldOut == nil {
		return trained, nil
	}
	t.calibrating = nil // its weights have become a model, and their memory is needed
	weights, err := t.final.weights()
	if err != nil {
		return nil, err
	}
	trained.Model, err = t.newModel(weights, trained.Measurable.calibrations, false)
	return trained, err
}

// forgetFits leaves the memory of the fits, which have become models, to others.
func (t *trainer) forgetFits() {
	data := t.final.data
	data.bayes, data.odds = nil, nil
	t.final, t.calibrating = &ensemble{data: data}, nil
}

func (t *trainer) measurable(ctx context.Context) (*Model, error) {
	if err := t.chooseShares(ctx); err != nil {
		return nil, err
	}
	weights, err := t.calibrating.weights()
	if err != nil {
		return nil, err
	}
	calibrations, err := t.calibrate(ctx, weights)
	if err != nil {
		return nil, err
	}
	return t.newModel(weights, calibrations, true)
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
