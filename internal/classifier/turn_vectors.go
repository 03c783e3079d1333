package classifier

import (
	"math"
	"slices"
)

// turnVectors are what a vectorizer makes the vector of a conversation from.
type turnVectors struct {
	segments          []segment
	turns             []turn
	shares            []float32 // of each turn
	words, characters mean
}

// mean is a weighted mean of vectors.
type mean struct {
	features        []uint32
	values, present []float32 // of each feature that there is; present sums the weights of vectors that have it
	length          float64   // the weighted mean of theirs
}

// vectorizeTurns sets the vector to the mean of those of a conversation's turns, by their
// shares, both of its groups as long as theirs are.
func (v *vectorizer) vectorizeTurns(text string) {
	v.readTurns(text)
	v.vector.features, v.vector.values = v.vector.features[:0], v.vector.values[:0]
	c := &v.conversation
	if len(c.turns) == 0 {
		return
	}
	c.shares = resize(c.shares, len(c.turns))
	for i := range c.turns {
		c.shares[i] = v.vocabulary.turns.score(&c.turns[i])
	}
	toShares(c.shares)
	if only := slices.Index(c.shares, 1); only >= 0 {
		v.vectorizeTurn(text, only)
		return
	}
	for i, share := range c.shares {
		if share > 0 {
			characters := v.vectorizeTurn(text, i)
			c.words.add(v.vector.features[:characters], v.vector.values[:characters], share, len(v.counts))
			c.characters.add(v.vector.features[characters:], v.vector.values[characters:], share, len(v.counts))
		}
	}
	v.vector.features, v.vector.values = v.vector.features[:0], v.vector.values[:0]
	v.take(&c.words)
	v.take(&c.characters)
}

func (v *vectorizer) vectorizeTurn(text string, i int) (characters int) {
	segments := v.conversation.segments
	v.position = v.vocabulary.turns.position(segments, i)
	defer func() { v.position = 0 }()
	return v.vectorizeText(text[segments[i].start:segments[i].end])
}

// readTurns reads what the weights of a conversation's turns are told from.
func (v *vectorizer) readTurns(text string) {
	c := &v.conversation
	c.segments = splitTurns(text, c.segments)
	c.turns = resize(c.turns, len(c.segments))
	for i, s := range c.segments {
		v.vector.features = v.vector.features[:0]
		v.ngrams.extract(text[s.start:s.end])
		v.count(v.ngrams.words)
		c.turns[i].places = placesOf(c.segments, i, len(v.vector.features))
		v.takeWords(&c.turns[i].words)
	}
}

// takeWords takes the first of the counted features, and forgets all.
func (v *vectorizer) takeWords(words *vector) {
	features := v.vector.features[:min(mostTurnWords, len(v.vector.features))]
	words.features, words.values = append(words.features[:0], features...), words.values[:0]
	sum := uint32(0)
	for _, feature := range features {
		sum += v.counts[feature]
	}
	for _, feature := range features {
		words.values = append(words.values, float32(math.Sqrt(float64(v.counts[feature])/float64(sum))))
	}
	for _, feature := range v.vector.features {
		v.counts[feature] = 0
	}
	v.unknown = 0
}

// add adds a vector; vocabulary is the number of features that there are.
func (m *mean) add(features []uint32, values []float32, weight float32, vocabulary int) {
	if m.values == nil {
		m.values, m.present = make([]float32, vocabulary), make([]float32, vocabulary)
	}
	for i, feature := range features {
		if m.present[feature] == 0 {
			m.features = append(m.features, feature)
		}
		m.values[feature] += weight * values[i]
		m.present[feature] += weight
	}
	m.length += float64(weight) * math.Sqrt(float64(vector{values: values}.square()))
}

// take appends a mean to the vector, as long as what it is of, and empties it.
func (v *vectorizer) take(m *mean) {
	start, square := len(v.vector.values), float32(0)
	for _, feature := range m.features {
		value := m.values[feature]
		v.vector.values = append(v.vector.values, value)
		v.present = append(v.present, m.present[feature])
		m.values[feature], m.present[feature] = 0, 0
		square += value * value
	}
	toLength(m.length, v.vector.values[start:], square)
	v.vector.features = append(v.vector.features, m.features...)
	m.features, m.length = m.features[:0], 0
}
