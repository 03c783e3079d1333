package classifier

import (
	"context"
	"fmt"
	"math"
	"slices"
)

const (
	// What turn weights are learned from is a sample of bounded size. They have few places,
	// and their words are frequent ones.
	maxConversations = 1 << 12
	maxTurnFeatures  = 1 << 20
	// maxTurnCells bounds the table of naive Bayes; where labels are many, features share
	// its rows.
	maxTurnCells = 1 << 21

	turnFolds  = 4 // no conversation is judged by what was counted from it
	turnRounds = 6
	turnPasses = 3 // for each round

	placeRate = 0.3
	wordRate  = 0.5
	wordDecay = 1e-3 // closes in on what words weigh only where many turns say so

	// guessedShare are labels that no turn tells.
	guessedShare  = 0.1
	turnSmoothing = 0.1
	// toleratedLoss is relative to the least, and softest to the weights that were learned.
	toleratedLoss = 1.1
	softest       = 0.1
	// usualTurns are those of a place that beside its own tell nothing.
	usualTurns = 20
)

// turnLearner learns turn weights by expectation maximisation. A conversation's label is
// told by one of its turns, nobody says by which. Naive Bayes on the words of turns tells
// how likely each is, given the label; weights are fitted to what that makes likely, and
// naive Bayes to the turns by these weights.
type turnLearner struct {
	heads         []head
	weights       *turnWeights
	conversations []conversation
	features      int // of all turns of conversations
	oneOf         uint32

	table   *linear // of naive Bayes
	margins []float32

	placeSquares []float32 // of gradients, by which steps become smaller
	wordSquares  []float32
}

// conversation is one to learn from.
type conversation struct {
	number uint32 // random, but always the same
	labels [][]int
	turns  []turn
	shares []float32 // of turns, before its label is known
	likely []float32 // the same afterwards
}

// fold is told by the bits of the number that say least of whether it is sampled.
func (c *conversation) fold() uint32 { return c.number * turnFolds >> slotBits }

// learnTurns learns how much turns count, before features weigh anything. It learns
// nothing from examples that are held out.
func (t *trainer) learnTurns(ctx context.Context) error {
	l := &turnLearner{heads: t.heads, weights: t.vocabulary.turns, oneOf: 1}
	l.weights.words = make([]float32, len(t.vocabulary.slots))
	if err := t.readConversations(ctx, l); err != nil {
		return fmt.Errorf("weighing turns: %w", err)
	}
	l.table = newLinear(max(1, min(len(t.vocabulary.slots), maxTurnCells/columns(t.heads))), columns(t.heads))
	l.margins = make([]float32, columns(t.heads))
	l.placeSquares, l.wordSquares = make([]float32, places), make([]float32, len(t.vocabulary.slots))
	if err := l.learn(ctx); err != nil {
		return fmt.Errorf("weighing turns: %w", err)
	}
	return nil
}

func (t *trainer) readConversations(ctx context.Context, l *turnLearner) error {
	i, heldOut := int32(-1), t.heldOut
	for example, err := range t.examples.corpus.all() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		i++
		if len(heldOut) > 0 && heldOut[0] == i {
			heldOut = heldOut[1:]
			continue
		}
		number := conversationNumber(i)
		if number%l.oneOf == 0 && isConversation(example.Text) && isLabelled(example) {
			t.vectorizer.readTurns(example.Text)
			if turns := t.vectorizer.conversation.turns; len(turns) > 0 {
				l.add(number, example.Labels, turns)
			}
		}
	}
	return nil
}

func conversationNumber(example int32) uint32 { return slot(mix(positionSeed, uint64(example))) }

func isLabelled(example *Example) bool {
	return slices.ContainsFunc(example.Labels, func(labels []int) bool { return len(labels) > 0 })
}

// add copies a conversation, and forgets one of two when there are too many.
func (l *turnLearner) add(number uint32, labels [][]int, turns []turn) {
	c := conversation{
		number: number,
		labels: cloneLabels(labels),
		turns:  slices.Clone(turns),
		shares: make([]float32, len(turns)),
		likely: make([]float32, len(turns)),
	}
	for i, turn := range turns {
		c.turns[i].words = turn.words.clone()
		l.features += len(turn.words.features)
	}
	l.conversations = append(l.conversations, c)
	if len(l.conversations) <= maxConversations && l.features <= maxTurnFeatures {
		return
	}
	l.oneOf *= 2
	l.conversations = slices.DeleteFunc(l.conversations, func(c conversation) bool { return c.number%l.oneOf != 0 })
	l.features = 0
	for _, c := range l.conversations {
		for _, turn := range c.turns {
			l.features += len(turn.words.features)
		}
	}
}

func (l *turnLearner) learn(ctx context.Context) error {
	for place := range byLength {
		if err := ctx.Err(); err != nil {
			return err
		}
		l.start(place)
	}
	l.startUnseen()
	for i := range l.conversations {
		l.share(&l.conversations[i])
		copy(l.conversations[i].likely, l.conversations[i].shares)
	}
	for range turnRounds {
		for fold := range uint32(turnFolds) {
			if err := ctx.Err(); err != nil {
				return err
			}
			l.expect(fold)
		}
		for range turnPasses {
			l.maximise()
		}
	}
	return l.soften(ctx)
}

// start sets the weight of a place by how much likelier than by guessing the labels are,
// given the turns there alone.
func (l *turnLearner) start(place int) {
	atPlace := func(c *conversation, turn int) float32 {
		if slices.Contains(c.turns[turn].places[:], uint8(place)) {
			return 1
		}
		return 0
	}
	ratio, turns := 0.0, 0.0
	for fold := range uint32(turnFolds) {
		if !l.fit(fold, atPlace) {
			continue
		}
		for i := range l.conversations {
			c := &l.conversations[i]
			if c.fold() != fold {
				continue
			}
			for i := range c.turns {
				if atPlace(c, i) > 0 {
					ratio += l.likelihoodRatio(&c.turns[i], c.labels)
					turns++
				}
			}
		}
	}
	if turns > 0 {
		l.weights.Places[place] += float32(math.Log((ratio + usualTurns) / (turns + usualTurns)))
		l.placeSquares[place] = 1
	}
}

// startUnseen gives a place where no turn was what the place before it has.
func (l *turnLearner) startUnseen() {
	for place := range byLength {
		if place%mostPlaces > 0 && l.placeSquares[place] == 0 {
			l.weights.Places[place] = l.weights.Places[place-1]
		}
	}
}

// fit counts the words of turns by weight, but in conversations of the fold, and makes
// naive Bayes of them. It tells whether there are any.
func (l *turnLearner) fit(fold uint32, weight func(c *conversation, turn int) float32) bool {
	clear(l.table.weights)
	found := false
	for i := range l.conversations {
		c := &l.conversations[i]
		if c.fold() == fold {
			continue
		}
		for i := range c.turns {
			if weight := weight(c, i); weight > 0 {
				l.count(&c.turns[i], c.labels, weight)
				found = true
			}
		}
	}
	if found {
		for _, h := range l.heads {
			l.toLogRatios(h)
		}
	}
	return found
}

func (l *turnLearner) count(t *turn, labels [][]int, weight float32) {
	for i, h := range l.heads {
		for _, label := range labels[i] {
			share := weight / float32(len(labels[i]))
			for _, feature := range t.words.features {
				l.row(feature)[h.first+label] += share
			}
		}
	}
}

func (l *turnLearner) row(feature uint32) []float32 {
	return l.table.row(feature % uint32(len(l.table.weights)/l.table.columns))
}

// toLogRatios makes counts the logarithms of how much more frequent features are with a
// label than with all.
func (l *turnLearner) toLogRatios(h head) {
	all, byLabel := 0.0, make([]float64, h.end-h.first)
	for row := range slices.Chunk(l.table.weights, l.table.columns) {
		for label, count := range row[h.first:h.end] {
			all += float64(count)
			byLabel[label] += float64(count)
		}
	}
	smoothing := turnSmoothing * all / float64(len(byLabel))
	absent := make([]float32, len(byLabel)) // what most are
	for label, count := range byLabel {
		absent[label] = float32(math.Log(smoothing / (count + smoothing)))
	}
	for row := range slices.Chunk(l.table.weights, l.table.columns) {
		row, sum := row[h.first:h.end], 0.0
		for _, count := range row {
			sum += float64(count)
		}
		if sum == 0 {
			continue
		}
		for label, count := range row {
			row[label] = absent[label]
			if count > 0 {
				row[label] = float32(math.Log(share(count, byLabel[label], sum/all, smoothing) * all / sum))
			}
		}
	}
}

// likelihoodRatio is how much likelier than by guessing a turn makes the labels, in the
// mean of the targets.
func (l *turnLearner) likelihoodRatio(t *turn, labels [][]int) float64 {
	sum, targets := 0.0, 0.0
	for i, h := range l.heads {
		if len(labels[i]) > 0 {
			sum += l.likelihood(t, h, labels[i]) * float64(h.end-h.first)
			targets++
		}
	}
	return sum / targets
}

// likelihood is the mean of those of a target's labels, given a turn.
func (l *turnLearner) likelihood(t *turn, h head, labels []int) float64 {
	margins := l.margins[h.first:h.end]
	clear(margins)
	l.addMargins(t, h, 1)
	return likelihoodOf(labels, margins)
}

// addMargins adds those of a turn, times weight, to a head's margins.
func (l *turnLearner) addMargins(t *turn, h head, weight float32) {
	margins := l.margins[h.first:h.end]
	for i, feature := range t.words.features {
		value := weight * t.words.values[i]
		for label, ratio := range l.row(feature)[h.first:h.end] {
			margins[label] += value * ratio
		}
	}
}

// likelihoodOf makes probabilities of the margins.
func likelihoodOf(labels []int, margins []float32) float64 {
	softmax(margins)
	mean := 0.0
	for _, label := range labels {
		mean += float64(margins[label]) / float64(len(labels))
	}
	return (1-guessedShare)*mean + guessedShare/float64(len(margins))
}

// expect tells of a fold's conversations which turns are likely to tell the labels.
func (l *turnLearner) expect(fold uint32) {
	l.fit(fold, func(c *conversation, turn int) float32 { return c.likely[turn] })
	for i := range l.conversations {
		if c := &l.conversations[i]; c.fold() == fold {
			l.share(c)
			l.expectTurns(c)
		}
	}
}

// share sets the shares of a conversation's turns.
func (l *turnLearner) share(c *conversation) {
	for i := range c.turns {
		c.shares[i] = l.weights.score(&c.turns[i])
	}
	softmax(c.shares)
}

func (l *turnLearner) expectTurns(c *conversation) {
	clear(c.likely)
	targets := float32(0)
	told := make([]float32, len(c.turns))
	for i, h := range l.heads {
		if len(c.labels[i]) == 0 {
			continue
		}
		sum := float32(0)
		for turn := range c.turns {
			told[turn] = c.shares[turn] * float32(l.likelihood(&c.turns[turn], h, c.labels[i]))
			sum += told[turn]
		}
		for turn := range c.turns {
			c.likely[turn] += told[turn] / sum
		}
		targets++
	}
	for turn := range c.likely {
		c.likely[turn] /= targets
	}
}

// maximise goes towards the weights by which the turns that are likely have the shares.
func (l *turnLearner) maximise() {
	for i := range l.conversations {
		c := &l.conversations[i]
		if len(c.turns) < 2 {
			continue
		}
		l.share(c)
		for turn := range c.turns {
			l.step(&c.turns[turn], c.likely[turn]-c.shares[turn])
		}
	}
}

// step takes the steps of AdaGrad.
func (l *turnLearner) step(t *turn, gradient float32) {
	for _, place := range t.places {
		l.placeSquares[place] += gradient * gradient
		l.weights.Places[place] += placeRate * gradient / float32(math.Sqrt(float64(1+l.placeSquares[place])))
	}
	for i, feature := range t.words.features {
		gradient := gradient*t.words.values[i] - wordDecay*l.weights.words[feature]
		l.wordSquares[feature] += gradient * gradient
		l.weights.words[feature] += wordRate * gradient / float32(math.Sqrt(float64(1+l.wordSquares[feature])))
	}
}

// soften makes the weights as small as they can be while the labels stay about as likely,
// given the mean of the turns as the model will see it: several turns may tell a label
// together, and naive Bayes makes less of that than what is trained later.
func (l *turnLearner) soften(ctx context.Context) error {
	least, chosen := math.Inf(1), float32(1)
	for factor := float32(1); factor >= softest; factor *= math.Sqrt2 / 2 {
		loss, err := l.meanLoss(ctx, factor)
		if err != nil {
			return err
		}
		least = min(least, loss)
		if loss <= least*toleratedLoss {
			chosen = factor
		}
	}
	for _, weights := range [][]float32{l.weights.Places, l.weights.words} {
		for i := range weights {
			weights[i] *= chosen
		}
	}
	return nil
}

// meanLoss is that of conversations' labels, with weights times factor.
func (l *turnLearner) meanLoss(ctx context.Context, factor float32) (float64, error) {
	for i := range l.conversations {
		c := &l.conversations[i]
		for i := range c.turns {
			c.shares[i] = factor * l.weights.score(&c.turns[i])
		}
		toShares(c.shares)
	}
	sum := 0.0
	for fold := range uint32(turnFolds) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		l.fit(fold, func(c *conversation, turn int) float32 { return c.shares[turn] })
		for i := range l.conversations {
			if c := &l.conversations[i]; c.fold() == fold {
				sum += l.loss(c)
			}
		}
	}
	return sum / float64(len(l.conversations)), nil
}

// loss is the cross-entropy of a conversation's labels, given the mean of its turns.
func (l *turnLearner) loss(c *conversation) float64 {
	square := float32(0)
	for _, share := range c.shares {
		square += share * share
	}
	scale := float32(1 / math.Sqrt(float64(square))) // turns have next to no words in common
	sum := 0.0
	for i, h := range l.heads {
		if len(c.labels[i]) == 0 {
			continue
		}
		margins := l.margins[h.first:h.end]
		clear(margins)
		for turn, share := range c.shares {
			if share > 0 {
				l.addMargins(&c.turns[turn], h, share*scale)
			}
		}
		sum -= math.Log(likelihoodOf(c.labels[i], margins))
	}
	return sum
}
