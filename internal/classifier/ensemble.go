package classifier

import (
	"context"
	"io"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// ensemble is several fits of the weights to the same examples, and the weights of naive
// Bayes, which need none. They err in different ways, by chance and by their losses, so
// that their mean errs less than each.
// The mean of linear models is one: a model is no larger or slower for it.
type ensemble struct {
	data     *trainingData
	descents []*descent
	hinge    *hinge // nil when no target is single_class
	nbsvm    *hinge // nil when no target has it
	// shares are what the weights of NB-SVM are of the mean, for each target; nil: none.
	shares []float64
}

const (
	// mixedShare is what the weights of the hinge are of the mean, and then those of naive
	// Bayes.
	mixedShare = 0.2
	// maxRepeatedWeights is where the memory of several fits becomes too large: a single
	// descent has to do then.
	maxRepeatedWeights = 1 << 23
)

// repeatable tells whether there is memory for several fits.
func (d *trainingData) repeatable() bool {
	return max(len(d.vocabulary.slots), d.examples.count())*columns(d.heads) <= maxRepeatedWeights
}

// newEnsemble is for the examples but those left out, ascending.
func newEnsemble(data *trainingData, files *scratchFiles, leftOut []int32, s schedule, seed uint64) (*ensemble, error) {
	e := &ensemble{data: data}
	count := 1
	if data.repeatable() {
		count = s.descents
	}
	for i := range count {
		order, err := newOrder(files, data.examples.count(), leftOut)
		if err != nil {
			return nil, err
		}
		e.descents = append(e.descents, newDescent(data, order, s, seed, i))
	}
	if !data.repeatable() {
		return e, nil
	}
	var err error
	if slices.ContainsFunc(data.heads, head.isSingleClass) {
		if e.hinge, err = newHinge(data, files, leftOut, s, seed); err != nil {
			return nil, err
		}
	}
	if data.odds != nil {
		e.nbsvm, err = newNBSVM(data, files, leftOut, s, seed)
	}
	return e, err
}

// fit is a set of weights on its way.
type fit interface {
	// advance goes on to the update of the schedule.
	advance(ctx context.Context, update int) error
	// save writes all that restore needs to go on from here: stateBytes.
	stateBytes() int64
	save(w io.Writer) error
	restore(r io.Reader) error
}

func (e *ensemble) fits() []fit {
	var fits []fit
	for _, d := range e.descents {
		fits = append(fits, d)
	}
	for _, h := range []*hinge{e.hinge, e.nbsvm} {
		if h != nil {
			fits = append(fits, h)
		}
	}
	return fits
}

// fitsAtATime are on all processors but one: whoever classifies with another model meanwhile
// would wait for tens of milliseconds.
func fitsAtATime() int { return max(1, runtime.GOMAXPROCS(0)-1) }

// advanceAll advances several fits at a time. They have nothing in common that changes, so
// that the number of processors does not matter to what is learned.
func advanceAll(ctx context.Context, fits []fit, update int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fitsAtATime())
	for _, f := range fits {
		group.Go(func() error { return f.advance(ctx, update) })
	}
	return group.Wait()
}

// loss returns the mean training loss of the descents since it was last asked for.
func (e *ensemble) loss() float64 {
	losses := e.descents[0].newLosses()
	for _, d := range e.descents {
		losses.merge(d.losses)
		d.losses = d.newLosses()
	}
	return losses.mean()
}

// weights returns the mean of the fits as they are.
func (e *ensemble) weights() (*linear, error) {
	if e.data.bayes == nil {
		return e.descents[0].weights, nil
	}
	first := e.descents[0].weights
	mean := newLinear(len(first.weights)/first.columns, first.columns)
	for _, d := range e.descents {
		mean.add(d.weights, uniform(first.columns, 1/float32(len(e.descents))))
	}
	mixed := slices.Repeat([]float64{mixedShare}, len(e.data.heads))
	if e.hinge != nil {
		if err := e.mix(mean, e.hinge.weights, mixed); err != nil {
			return nil, err
		}
	}
	if err := e.mix(mean, e.data.bayes, mixed); err != nil {
		return nil, err
	}
	if e.nbsvm == nil || e.shares == nil {
		return mean, nil
	}
	return mean, e.mix(mean, e.nbsvm.weights, e.shares)
}

// mix mixes other weights in, a share of each head's, made to spread the margins as far as
// those that they are mixed with. Heads that they say nothing of stay as they are.
func (e *ensemble) mix(mean, other *linear, shares []float64) error {
	kept, added := uniform(mean.columns, 1), make([]float32, mean.columns)
	ratios, err := spreadRatios(e.data, mean, e.data, other)
	if err != nil {
		return err
	}
	for i, h := range e.data.heads {
		if ratios[i] == 0 {
			continue
		}
		for column := h.first; column < h.end; column++ {
			kept[column] = float32(1 - shares[i])
			added[column] = float32(shares[i] * ratios[i])
		}
	}
	mean.multiply(kept)
	mean.add(other, added)
	return nil
}

// spreadRatios are, for each head, how much farther margins spread than those of other
// weights, each of their own data; zero where these say nothing.
func spreadRatios(data *trainingData, weights *linear, otherData *trainingData, other *linear) ([]float64, error) {
	ratios, err := data.spreads(weights)
	if err != nil {
		return nil, err
	}
	others, err := otherData.spreads(other)
	if err != nil {
		return nil, err
	}
	for i := range ratios {
		if others[i] == 0 {
			ratios[i] = 0
		} else {
			ratios[i] /= others[i]
		}
	}
	return ratios, nil
}

func uniform(columns int, value float32) []float32 {
	values := make([]float32, columns)
	for i := range values {
		values[i] = value
	}
	return values
}
