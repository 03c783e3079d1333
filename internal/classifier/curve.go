package classifier

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"golang.org/x/sync/errgroup"
)

// CurvePoint is how well the unseen examples are answered when a part of the others is
// learned from.
type CurvePoint struct {
	Examples int       // of the part
	F1       []float64 // for each target, micro-averaged: of a single_class target the accuracy
}

// curveParts are one of so many examples each.
var curveParts = []int{4, 2, 1}

// fewestForCurve are the unseen examples that tell a rise from chance.
const fewestForCurve = 50

// curve fits weights to parts of the examples, each part by one descent that is so short
// that all together take a small share of a training. The parts have the features of the
// whole and their weights. There is no curve where too few examples are unseen, where weights
// are so many that they were fitted once, where dense features help, which the curve leaves
// out, or where it would double the time.
func (t *trainer) curve(ctx context.Context) ([]CurvePoint, error) {
	dense := t.dense != nil && slices.Max(t.dense.shares) > 0
	worthIt := t.options.Hyperparameters.Quality.hasCurve() && t.unseen.Len() >= fewestForCurve
	if dense || !worthIt || !t.final.data.repeatable() {
		return nil, nil
	}
	leftOut, err := t.leftOutOfParts(ctx)
	if err != nil {
		return nil, fmt.Errorf("drawing the learning curve: %w", err)
	}
	points, fits := make([]CurvePoint, len(curveParts)), make([]*descent, len(curveParts))
	for i := range points {
		points[i].Examples = t.examples.corpus.Len() - len(leftOut[i])
		if fits[i], err = t.newPartFit(leftOut[i]); err != nil {
			return nil, err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fitsAtATime())
	for i, fit := range fits {
		group.Go(func() (err error) {
			if err = fit.advance(ctx, fit.schedule.updates); err == nil {
				points[i].F1, err = t.unseenF1(ctx, fit.weights)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("drawing the learning curve: %w", err)
	}
	return points, nil
}

// leftOutOfParts are the examples that each part is without, ascending. A part has its share
// of the examples of each label, chosen by the seed, and all that smaller parts have.
func (t *trainer) leftOutOfParts(ctx context.Context) ([][]int32, error) {
	lottery := newLottery(columns(t.heads), rand.New(rand.NewPCG(t.options.Seed, curveStream)))
	leftOut := make([][]int32, len(curveParts))
	i, heldOut := int32(-1), t.heldOut
	for example, err := range t.examples.corpus.all() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		i++
		rank := curveParts[0] // of what is in no part
		if len(heldOut) > 0 && heldOut[0] == i {
			heldOut = heldOut[1:]
		} else {
			rank = lottery.draw(firstLabel(t.heads, example))
		}
		for part, oneOf := range curveParts {
			if rank*oneOf >= curveParts[0] {
				leftOut[part] = append(leftOut[part], i)
			}
		}
	}
	return leftOut, nil
}

// lottery draws ranks, each once among as many examples of a label as there are ranks.
type lottery struct {
	random *rand.Rand
	drawn  []int // of each label, and of none
	ranks  [][]int
}

func newLottery(labels int, random *rand.Rand) *lottery {
	return &lottery{random, make([]int, labels+1), make([][]int, labels+1)}
}

// draw is for an example of a label, or of none: -1.
func (l *lottery) draw(label int) int {
	label++
	next := l.drawn[label] % curveParts[0]
	if next == 0 {
		l.ranks[label] = l.random.Perm(curveParts[0])
	}
	if l.drawn[label] == 0 { // the smallest part has every label
		first := slices.Index(l.ranks[label], 0)
		l.ranks[label][0], l.ranks[label][first] = 0, l.ranks[label][0]
	}
	l.drawn[label]++
	return l.ranks[label][next]
}

// curveStream keeps the curve's random numbers apart from those of fits.
const curveStream = 2 << 32

func (t *trainer) newPartFit(leftOut []int32) (*descent, error) {
	data := t.final.data
	order, err := newOrder(&t.files, data.examples.count(), leftOut)
	if err != nil {
		return nil, err
	}
	bytes := t.survey.textBytes * int64(order.length) / int64(data.examples.count())
	schedule := curveSchedule(order.length, t.survey.labels(), bytes, t.options.Hyperparameters)
	return newDescent(data, order, schedule, t.options.Seed, curveStream), nil
}

// curveSchedule is the engine's own choice for so many examples, whatever was asked for.
func curveSchedule(examples, labels int, textBytes int64, h Hyperparameters) schedule {
	h.Steps, h.Epochs, h.Quality = 0, 0, qualityCurve
	return newSchedule(examples, labels, textBytes, h)
}

// unseenF1 is that of each target, with thresholds that suit the unseen examples, as those of
// the model do.
func (t *trainer) unseenF1(ctx context.Context, weights *linear) ([]float64, error) {
	examples := newCalibrationExamples(t.heads)
	if err := t.addUnseenMargins(ctx, weights, newVectorizer(t.vocabulary), examples); err != nil {
		return nil, err
	}
	f1 := make([]float64, len(t.heads))
	for i, h := range t.heads {
		f1[i] = h.f1(i, examples, !t.survey.unlabelled[i])
	}
	return f1, nil
}

func (h head) f1(target int, examples *calibrationExamples, always bool) float64 {
	c := calibration{Temperature: 1}
	if h.loss == MultiClass {
		c.Independent = fitIndependent(h.labelMargins(target, examples), always)
	}
	hits, all := 0, 0
	var decided []int
	probabilities, margins := make([]float64, h.end-h.first), make([]float32, h.end-h.first)
	for row, example := range examples.all() {
		labels := example.Labels[target]
		if labels == nil {
			continue
		}
		copy(margins, row[h.first:h.end])
		h.calibrated(margins, c, probabilities)
		decided = c.decide(probabilities, decided)
		for _, label := range decided {
			if slices.Contains(labels, label) {
				hits++
			}
		}
		all += len(labels) + len(decided)
	}
	return 2 * float64(hits) / float64(max(all, 1))
}
