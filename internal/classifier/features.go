package classifier

import (
	"math"
	"slices"
)

// vocabulary is the set of features: the slots that occur in the training
// examples, and what each weighs.
type vocabulary struct {
	slots    []uint32     // of each feature, ascending
	weights  []float32    // of each feature
	features []uint32     // of each slot, plus one; zero when it is none
	unknown  float32      // what a slot weighs that is no feature
	turns    *turnWeights // nil when texts are no conversations
	dense    *dense       // nil when there are none but these
}

// clone has weights of its own.
func (v *vocabulary) clone() *vocabulary {
	clone := *v
	clone.weights = slices.Clone(v.weights)
	return &clone
}

// rareFromDocuments is the number of documents from which a feature that only one
// of them has is noise. With fewer, everything counts.
const rareFromDocuments = 1000

// newVocabulary chooses at most maxFeatures features, the most frequent ones, from
// the number of documents in which each slot occurs.
func newVocabulary(documents int, frequencies []uint32, maxFeatures int) *vocabulary {
	least := uint32(1)
	if documents >= rareFromDocuments {
		least = 2
	}
	if atLeast(frequencies, least) > maxFeatures {
		ascending := slices.Sorted(slices.Values(frequencies))
		least = ascending[len(ascending)-maxFeatures-1] + 1
	}
	v := &vocabulary{}
	for slot, frequency := range frequencies {
		if frequency >= least {
			v.slots = append(v.slots, uint32(slot))
			v.weights = append(v.weights, 1)
		}
	}
	v.index()
	return v
}

func atLeast(frequencies []uint32, least uint32) int {
	count := 0
	for _, frequency := range frequencies {
		if frequency >= least {
			count++
		}
	}
	return count
}

// index derives what is not stored: the way from slots to features.
func (v *vocabulary) index() {
	v.features = make([]uint32, slots)
	for feature, slot := range v.slots {
		v.features[slot] = uint32(feature) + 1
	}
}

// vectorizer turns texts into feature vectors. It reuses its memory, so that it
// serves one goroutine at a time, and a vector is valid until the next.
type vectorizer struct {
	vocabulary *vocabulary
	ngrams     ngrams
	counts     []uint32 // of each feature; zero between texts
	unknown    uint32   // n-grams that are no features; zero between groups
	vector     vector

	conversation turnVectors
	position     uint32    // of the turn that is being read; zero when it does not matter
	present      []float32 // the shares of turns that have each feature of the vector; empty for one text
}

// vector is a sparse feature vector. A feature may be there twice, once for words
// and once for characters, when their hashes collide.
type vector struct {
	features []uint32
	values   []float32
}

func (x vector) clone() vector {
	return vector{slices.Clone(x.features), slices.Clone(x.values)}
}

// square is that of the vector's length.
func (x vector) square() float32 {
	sum := float32(0)
	for _, value := range x.values {
		sum += value * value
	}
	return sum
}

func newVectorizer(v *vocabulary) *vectorizer {
	made := &vectorizer{vocabulary: v, counts: make([]uint32, len(v.slots))}
	made.ngrams.full = made.count
	return made
}

func (v *vectorizer) vectorize(text string) vector {
	v.present = v.present[:0]
	if v.vocabulary.turns != nil && isConversation(text) {
		v.vectorizeTurns(text)
	} else {
		v.vectorizeText(text)
	}
	return v.vector
}

// vectorizeText sets the vector to that of a text, and returns where its characters start.
func (v *vectorizer) vectorizeText(text string) (characters int) {
	v.vector.features, v.vector.values = v.vector.features[:0], v.vector.values[:0]
	v.ngrams.extract(text)
	v.count(v.ngrams.words)
	v.scale(0, 1)
	characters = len(v.vector.features)
	v.count(v.ngrams.characters.slots)
	v.scale(characters, v.ngrams.characters.share())
	return characters
}

// count appends the features of a group that it does not have yet, and counts the n-grams
// that are none.
func (v *vectorizer) count(group []uint32) {
	v.countAt(0, group)
	if v.position != 0 {
		v.countAt(v.position, group)
	}
}

func (v *vectorizer) countAt(position uint32, group []uint32) {
	for _, slot := range group {
		feature := v.vocabulary.features[slot^position]
		if feature == 0 {
			v.unknown++
			continue
		}
		feature--
		if v.counts[feature] == 0 {
			v.vector.features = append(v.vector.features, feature)
		}
		v.counts[feature]++
	}
}

// scale scales the group of features from start on to a length, or to less where there
// are n-grams beside that are no features: the less is known of a text, the less is said
// of it. The square root keeps what a long text repeats from hiding the rest.
func (v *vectorizer) scale(start int, length float64) {
	square := float32(v.unknown) * v.vocabulary.unknown * v.vocabulary.unknown
	v.unknown = 0
	for _, feature := range v.vector.features[start:] {
		value := float32(math.Sqrt(float64(v.counts[feature]))) * v.vocabulary.weights[feature]
		v.counts[feature] = 0
		v.vector.values = append(v.vector.values, value)
		square += value * value
	}
	toLength(length, v.vector.values[start:], square)
}

// toLength scales values, the sum of whose squares is given.
func toLength(length float64, values []float32, square float32) {
	if square == 0 {
		return
	}
	scale := float32(length / math.Sqrt(float64(square)))
	for i := range values {
		values[i] *= scale
	}
}

// frequencyCounter counts in how many documents each slot occurs.
type frequencyCounter struct {
	ngrams      ngrams
	documents   uint32
	last        []uint32 // of each slot: the last document that had it, from one
	frequencies []uint32

	turns    *turnWeights // nil when texts are no conversations
	segments []segment
	position uint32 // of the turn that is being read; zero when it does not matter
}

func newFrequencyCounter() *frequencyCounter {
	made := &frequencyCounter{last: make([]uint32, slots), frequencies: make([]uint32, slots)}
	made.ngrams.full = made.addGroup
	return made
}

func (c *frequencyCounter) add(text string) {
	c.documents++
	if c.turns == nil || !isConversation(text) {
		c.addText(text)
		return
	}
	c.segments = splitTurns(text, c.segments)
	for i, s := range c.segments {
		c.position = c.turns.position(c.segments, i)
		c.addText(text[s.start:s.end])
	}
	c.position = 0
}

func (c *frequencyCounter) addText(text string) {
	c.ngrams.extract(text)
	c.addGroup(c.ngrams.words)
	c.addGroup(c.ngrams.characters.slots)
}

func (c *frequencyCounter) addGroup(group []uint32) {
	c.addAt(0, group)
	if c.position != 0 {
		c.addAt(c.position, group)
	}
}

func (c *frequencyCounter) addAt(position uint32, group []uint32) {
	for _, slot := range group {
		slot ^= position
		if c.last[slot] != c.documents {
			c.last[slot] = c.documents
			c.frequencies[slot]++
		}
	}
}
