package classifier

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// denseFits are the weights of dense features, which are fitted on their own: the features
// of words and characters would take most of their part.
type denseFits struct {
	dense       *dense
	data        *trainingData
	final       *descent
	calibrating *descent             // is final unless examples are held out
	shares      []float64            // of each head's margins; zero where the features are no help
	crossFitted *calibrationExamples // margins of the cross-fitted examples
}

// prepareDense makes the dense features, if there is a representation.
func (t *trainer) prepareDense(ctx context.Context) error {
	r := t.options.Representation
	if r == nil {
		return nil
	}
	base := t.options.BaseModel
	if base.Dimension = r.Dimension(); base.Dimension < 1 || base.Dimension > MaxDimension {
		return fmt.Errorf("the base model's vectors have %d numbers: from 1 to %d are supported", base.Dimension, MaxDimension)
	}
	for _, corpus := range t.corpora() {
		if err := corpus.represent(ctx, r); err != nil {
			return err
		}
	}
	if err := t.representNames(ctx); err != nil {
		return err
	}
	mean, err := t.examples.corpus.vectors.mean(ctx, t.examples.corpus.Len())
	if err != nil {
		return err
	}
	d := &denseFits{dense: &dense{base: base, mean: mean}, crossFitted: newCalibrationExamples(t.heads)}
	d.data = newTrainingData(t.examples, t.survey, t.options.Targets, t.heads, &vocabulary{dense: d.dense})
	t.leaveNamesOut(d.data)
	t.dense = d
	return d.data.keepVectors(ctx, &t.files)
}

// fitDense makes the fits of the dense features, if there are any.
func (t *trainer) fitDense() (err error) {
	d := t.dense
	if d == nil {
		return nil
	}
	if d.final, err = t.newDenseFit(nil); err != nil {
		return err
	}
	d.calibrating = d.final
	if t.heldOut != nil {
		d.calibrating, err = t.denseFitWithoutHeldOut()
	}
	return err
}

// denseFitWithoutHeldOut is nil if there are no dense features.
func (t *trainer) denseFitWithoutHeldOut() (*descent, error) {
	if t.dense == nil {
		return nil, nil
	}
	return t.newDenseFit(t.heldOut)
}

// addDenseMargins adds the margins of the unseen examples by dense features alone.
func (t *trainer) addDenseMargins(ctx context.Context, fitted *descent, c *calibrationExamples) error {
	return t.addUnseenMargins(ctx, fitted.weights, newVectorizer(t.dense.data.vocabulary), c)
}

// corpora are those of the training and of the validation examples, if there are any.
func (t *trainer) corpora() []*Corpus {
	if t.unseen.corpus == nil || t.unseen.corpus == t.examples.corpus {
		return []*Corpus{t.examples.corpus}
	}
	return []*Corpus{t.examples.corpus, t.unseen.corpus}
}

func (t *trainer) newDenseFit(leftOut []int32) (*descent, error) {
	order, err := newOrder(&t.files, t.dense.data.examples.count(), leftOut)
	if err != nil {
		return nil, err
	}
	d := newDescent(t.dense.data, order, t.schedule, t.options.Seed, t.schedule.descents)
	d.dropped = 0 // of few features each counts
	return d, nil
}

// representNames makes the vectors of the labels' names.
func (t *trainer) representNames(ctx context.Context) error {
	for batch := range slices.Chunk(t.examples.names, representedTexts) {
		texts := make([]string, len(batch))
		for i := range batch {
			texts[i] = Content(batch[i].Text)
		}
		vectors, err := represent(ctx, t.options.Representation, texts)
		if err != nil {
			return fmt.Errorf("representing the names of labels: %w", err)
		}
		dimension := t.options.Representation.Dimension()
		for i := range batch {
			batch[i].Dense = vectors[i*dimension : (i+1)*dimension]
		}
	}
	return nil
}

// fits are those of the dense features, if there are any.
func (d *denseFits) fits() []fit {
	switch {
	case d == nil:
		return nil
	case d.calibrating == d.final:
		return []fit{d.final}
	}
	return []fit{d.final, d.calibrating}
}

const (
	// fewShare is what is expected of the dense features where a label has fewExamples or
	// fewer, and shareDeviation how far from what is expected a share is likely to be: few
	// unseen examples are expected the more with shares that are too large to decide well.
	// Many say more than both.
	fewShare       = 0.5
	fewExamples    = 8
	shareDeviation = 0.07
	shareStep      = 0.05
	mostShareSteps = 12
	// likelyShare is the expected one from which it is more likely than not that the dense
	// features are a help.
	likelyShare = 0.175
)

// expectedShare falls with the number of examples for each label.
func (t *trainer) expectedShare(h head) float64 {
	perLabel := float64(t.examples.corpus.Len()) / float64(h.end-h.first)
	return fewShare * math.Sqrt(min(fewExamples/perLabel, 1))
}

// choose sets the share of each head to that with which the unseen examples are expected
// most, and adds what the dense features say of these to their margins, which are those of
// other weights.
func (d *denseFits) choose(ctx context.Context, t *trainer, weights *linear, unseen *calibrationExamples) error {
	represented := d.crossFitted
	if err := t.addDenseMargins(ctx, d.calibrating, represented); err != nil {
		return err
	}
	ratios, err := spreadRatios(t.final.data, weights, d.data, d.calibrating.weights)
	if err != nil {
		return err
	}
	d.shares = make([]float64, len(t.heads))
	mixed := unseen.clone()
	for i, h := range t.heads {
		if ratios[i] == 0 {
			continue
		}
		loss := func(share float64) float64 {
			h.mixMargins(mixed, unseen, represented, share, ratios[i])
			return h.calibratedLoss(i, mixed)
		}
		if d.shares[i], err = bestShare(ctx, loss, t.expectedShare(h), len(unseen.margins) > 0); err != nil {
			return err
		}
		h.mixMargins(mixed, unseen, represented, d.shares[i], ratios[i])
	}
	unseen.margins = mixed.margins
	return nil
}

// bestShare is the one with the lowest loss, as far as that tells it from the expected one.
// It is zero unless it gains what makes it likely that it is a help.
func bestShare(ctx context.Context, loss func(share float64) float64, expected float64, measured bool) (float64, error) {
	if !measured {
		return expected, nil
	}
	without := loss(0)
	share, lowest, gain := 0.0, math.Inf(1), 0.0
	for step := 0; step <= mostShareSteps; step++ {
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("weighing dense features: %w", err)
		}
		candidate := shareStep * float64(step)
		measured := loss(candidate)
		surprising := measured + math.Pow((candidate-expected)/shareDeviation, 2)/2
		if surprising > lowest {
			break
		}
		share, lowest, gain = candidate, surprising, without-measured
	}
	if gain < math.Log(likelyShare/expected) {
		return 0, nil
	}
	return share, nil
}

// mixMargins sets the head's margins to those of both, of which the represented ones have
// a share.
func (h head) mixMargins(mixed, unseen, represented *calibrationExamples, share, ratio float64) {
	kept, added := float32(1-share), float32(share*ratio)
	for start := 0; start < len(mixed.margins); start += mixed.width {
		for column := start + h.first; column < start+h.end; column++ {
			mixed.margins[column] = kept*unseen.margins[column] + added*represented.margins[column]
		}
	}
}

// newModel makes a model of weights, and of those of the dense features in their share. It
// is the model that is measured, or else the one that is served.
func (t *trainer) newModel(weights *linear, calibrations []calibration, measured bool) (*Model, error) {
	d := t.dense
	if d == nil || slices.Max(d.shares) == 0 {
		weights.addBias(t.priors)
		return newModel(t.options.Targets, t.vocabulary, calibrations, weights), nil
	}
	fitted := d.final
	if measured {
		fitted = d.calibrating
	}
	ratios, err := spreadRatios(t.final.data, weights, d.data, fitted.weights)
	if err != nil {
		return nil, err
	}
	kept, added := uniform(weights.columns, 1), make([]float32, weights.columns)
	for i, h := range t.heads {
		for column := h.first; column < h.end; column++ {
			kept[column] = float32(1 - d.shares[i])
			added[column] = float32(d.shares[i] * ratios[i])
		}
	}
	weights.multiply(kept)
	weights.addBias(t.priors)
	fitted.weights.multiply(added)
	vocabulary := *t.vocabulary
	vocabulary.dense = d.dense
	return newModel(t.options.Targets, &vocabulary, calibrations, weights, fitted.weights), nil
}
