package classifier

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
)

const (
	heldOutShare   = 10   // one of so many
	maxHeldOut     = 5000 // more do not make a temperature better
	fewestToDivide = 50   // from which holding some out leaves enough of both
	// enoughUnseen are enough examples to calibrate on. Data of which a tenth is fewer is
	// trained on again in little time, without other examples each time.
	enoughUnseen = 200
)

// divide chooses the examples that are held out, but none of the names, and those that
// calibrate beside them.
func (t *trainer) divide(ctx context.Context) error {
	examples := t.examples.corpus.Len()
	order, err := newOrder(&t.files, examples, nil)
	if err != nil {
		return err
	}
	if err := order.shuffle(ctx, rand.New(rand.NewPCG(t.options.Seed, 0))); err != nil {
		return fmt.Errorf("holding examples out: %w", err)
	}
	divided := examples >= fewestToDivide && t.unseen.Len() == 0
	if examples < heldOutShare*enoughUnseen {
		return t.divideFew(order, divided)
	}
	if !divided {
		return nil
	}
	chosen := make([]int32, min(examples/heldOutShare, maxHeldOut))
	if err := order.read(0, chosen); err != nil {
		return err
	}
	t.holdOut(chosen)
	return nil
}

// divideFew has so many folds calibrate as make enough examples with the unseen ones.
func (t *trainer) divideFew(order *order, divided bool) error {
	folds, err := t.folds(order)
	if err != nil {
		return err
	}
	if divided {
		t.holdOut(folds[0])
		folds = folds[1:]
	}
	missing := max(enoughUnseen-t.unseen.Len(), 0)
	count := (missing*heldOutShare + order.length - 1) / order.length
	t.crossFitted = folds[:min(count, len(folds))]
	return nil
}

func (t *trainer) holdOut(chosen []int32) {
	t.unseen = Examples{t.examples.corpus, chosen}
	t.heldOut = slices.Sorted(slices.Values(chosen))
}

// folds divides the examples into tenths. Each has its part of the examples of each
// label.
func (t *trainer) folds(order *order) ([][]int32, error) {
	shuffled := make([]int32, order.length)
	if err := order.read(0, shuffled); err != nil {
		return nil, err
	}
	labels := make([]int, 0, len(shuffled)) // the first of each example
	for example, err := range t.examples.corpus.all() {
		if err != nil {
			return nil, err
		}
		labels = append(labels, firstLabel(t.heads, example))
	}
	slices.SortStableFunc(shuffled, func(a, b int32) int { return labels[a] - labels[b] })
	folds := make([][]int32, min(heldOutShare, len(shuffled)))
	for i, example := range shuffled {
		folds[i%len(folds)] = append(folds[i%len(folds)], example)
	}
	return folds, nil
}

func firstLabel(heads []head, example *Example) int {
	for i, h := range heads {
		for _, label := range example.Labels[i] {
			return h.first + label
		}
	}
	return -1
}

// crossFit returns the margins of the cross-fitted examples.
func (t *trainer) crossFit(ctx context.Context) (*mixture, error) {
	m := newMixture(t.heads)
	for _, fold := range t.crossFitted {
		if err := t.fitWithout(ctx, fold, m); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (t *trainer) fitWithout(ctx context.Context, fold []int32, m *mixture) error {
	part := *t
	part.files = scratchFiles{folder: t.files.folder}
	defer part.files.close()
	part.vocabulary = t.vocabulary.clone()
	part.vectorizer = newVectorizer(part.vocabulary)
	part.holdOut(fold)
	data, err := part.prepareData(ctx)
	if err != nil {
		return err
	}
	ensemble, err := newEnsemble(data, &part.files, part.heldOut, t.schedule, t.options.Seed)
	if err != nil {
		return err
	}
	fits := ensemble.fits()
	dense, err := part.denseFitWithoutHeldOut()
	if err != nil {
		return err
	}
	if dense != nil {
		fits = append(fits, dense)
	}
	if err := advanceAll(ctx, fits, t.schedule.updates); err != nil {
		return fmt.Errorf("calibrating: %w", err)
	}
	if dense != nil {
		if err := part.addDenseMargins(ctx, dense, t.dense.crossFitted); err != nil {
			return err
		}
	}
	return part.addMixture(ctx, ensemble, m)
}
