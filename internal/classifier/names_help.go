package classifier

import (
	"context"
	"fmt"
	"math"
	"slices"
)

const (
	// weighedExamples are enough to tell whether names help.
	weighedExamples = 2000
	// helpfulNames is by how many standard errors texts have to be likelier to have
	// something in common with their labels' names than with others: chance alone rarely does.
	helpfulNames = 2
)

// names are what is learned from the names of labels.
type names struct {
	examples []Example
	help     []bool // of each target
}

// learnableNames are those of the targets whose texts have more in common with their
// labels' names than if these were another's: what is called something else, or nothing
// that is a word, would mislead.
func learnableNames(ctx context.Context, corpus *Corpus, s *survey, options Options) (names, error) {
	n := names{help: make([]bool, len(options.Targets))}
	if options.Hyperparameters.IgnoreNames {
		return n, nil
	}
	all := nameExamples(s, options.Targets)
	agreements, err := agreementsOf(ctx, corpus, all, options.Targets)
	if err != nil {
		return n, err
	}
	for t := range n.help {
		n.help[t] = agreements[t].significance() >= helpfulNames
	}
	for _, example := range all {
		target := slices.IndexFunc(example.Labels, func(labels []int) bool { return labels != nil })
		if n.help[target] {
			n.examples = append(n.examples, example)
		}
	}
	return n, nil
}

// agreementsOf reads so many examples as tell whether names help.
func agreementsOf(ctx context.Context, corpus *Corpus, names []Example, targets []Target) ([]*agreement, error) {
	agreements := make([]*agreement, len(targets))
	for t, target := range targets {
		agreements[t] = newAgreement(t, len(target.Labels), names)
	}
	var chosen []int32
	for i := 0; i < corpus.Len(); i += 1 + corpus.Len()/weighedExamples {
		chosen = append(chosen, int32(i))
	}
	var n ngrams
	for example, err := range (Examples{corpus, chosen}).all() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("reading examples: %w", err)
		}
		slots := distinctSlots(&n, example.Text)
		for t, labels := range example.Labels {
			agreements[t].add(slots, labels)
		}
	}
	return agreements, nil
}

// distinctSlots are those of a text's n-grams, ascending.
func distinctSlots(n *ngrams, text string) []uint32 {
	n.extract(text)
	found := slices.Concat(n.words, n.characters.slots)
	slices.Sort(found)
	return slices.Compact(found)
}

// agreement is what the texts of a target's labels have in common with their names: of
// each name the share that is in a text, where what few names have counts more.
type agreement struct {
	names    map[uint32][]int // labels whose names have a slot
	wholes   []float64        // of each name
	shares   []float64        // of each name in a text
	examples []float64        // of each label
	own      []float64        // sums over a label's examples: the share of its own name,
	usual    []float64        // and that of all names on average
	all      []float64        // sum over all examples: the share of each name
	labelled float64          // examples and their labels
}

func newAgreement(target, labels int, names []Example) *agreement {
	a := &agreement{names: map[uint32][]int{}}
	for _, values := range []*[]float64{&a.wholes, &a.shares, &a.examples, &a.own, &a.usual, &a.all} {
		*values = make([]float64, labels)
	}
	var n ngrams
	for _, name := range names {
		for _, label := range name.Labels[target] {
			for _, slot := range distinctSlots(&n, name.Text) {
				a.names[slot] = append(a.names[slot], label)
			}
		}
	}
	for _, name := range names {
		for _, label := range name.Labels[target] {
			for _, slot := range distinctSlots(&n, name.Text) {
				a.wholes[label] += a.rarity(slot)
			}
		}
	}
	return a
}

func (a *agreement) rarity(slot uint32) float64 {
	return math.Log(float64(len(a.wholes)) / float64(len(a.names[slot])))
}

// add adds an example that has slots.
func (a *agreement) add(slots []uint32, labels []int) {
	if len(labels) == 0 {
		return
	}
	clear(a.shares)
	for _, slot := range slots {
		for _, label := range a.names[slot] {
			a.shares[label] += a.rarity(slot) / max(a.wholes[label], 1e-9)
		}
	}
	usual := 0.0
	for _, share := range a.shares {
		usual += share / float64(len(a.shares))
	}
	for _, label := range labels {
		a.examples[label]++
		a.own[label] += a.shares[label]
		a.usual[label] += usual
		a.labelled++
		for other, share := range a.shares {
			a.all[other] += share
		}
	}
}

// significance is by how many standard errors a label's examples have more of its own
// name than of others, and than others' examples have of it: about zero by chance.
func (a *agreement) significance() float64 {
	average := 0.0
	for _, share := range a.all {
		average += share / a.labelled / float64(len(a.all))
	}
	sum, squares, labels := 0.0, 0.0, 0.0
	for label, examples := range a.examples {
		if examples == 0 {
			continue
		}
		excess := (a.own[label]-a.usual[label])/examples - (a.all[label]/a.labelled - average)
		sum += excess
		squares += excess * excess
		labels++
	}
	variance := squares/labels - math.Pow(sum/labels, 2)
	return sum / labels / math.Sqrt(max(variance/max(labels-1, 1), 1e-12))
}
