package classifier

import (
	"math"
	"slices"
)

// vocabulary is the set of features: the slots that occur in the training
// examples, and what each weighs.
type vocabulary struct {
	slots    []uint32  // of each feature, ascending
	weights  []float32 // of each feature
	features []uint32  // of each slot, plus one; zero when it is none
	dense    *dense    // nil when there are none but these
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
	for atLeast(frequencies, least) > maxFeatures {
		least *= 2
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
	vector     vector
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
	v.vector.features, v.vector.values = v.vector.features[:0], v.vector.values[:0]
	v.ngrams.extract(text)
	v.count(v.ngrams.words)
	v.scale(0)
	start := len(v.vector.features)
	v.count(v.ngrams.characters)
	v.scale(start)
	return v.vector
}

// count appends the features of a group that it does not have yet.
func (v *vectorizer) count(group []uint32) {
	for _, slot := range group {
		feature := v.vocabulary.features[slot]
		if feature == 0 {
			continue
		}
		feature--
		if v.counts[feature] == 0 {
			v.vector.features = append(v.vector.features, feature)
		}
		v.counts[feature]++
	}
}

// scale scales the group of features from start on to length one. The square root keeps
// what a long text repeats from hiding the rest.
func (v *vectorizer) scale(start int) {
	square := float32(0)
	for _, feature := range v.vector.features[start:] {
		value := float32(math.Sqrt(float64(v.counts[feature]))) * v.vocabulary.weights[feature]
		v.counts[feature] = 0
		v.vector.values = append(v.vector.values, value)
		square += value * value
	}
	if square == 0 {
		return
	}
	scale := float32(1 / math.Sqrt(float64(square)))
	for i := range v.vector.values[start:] {
		v.vector.values[start+i] *= scale
	}
}

// frequencyCounter counts in how many documents each slot occurs.
type frequencyCounter struct {
	ngrams      ngrams
	documents   uint32
	last        []uint32 // of each slot: the last document that had it, from one
	frequencies []uint32
}

func newFrequencyCounter() *frequencyCounter {
	made := &frequencyCounter{last: make([]uint32, slots), frequencies: make([]uint32, slots)}
	made.ngrams.full = made.addGroup
	return made
}

func (c *frequencyCounter) add(text string) {
	c.documents++
	c.ngrams.extract(text)
	c.addGroup(c.ngrams.words)
	c.addGroup(c.ngrams.characters)
}

func (c *frequencyCounter) addGroup(group []uint32) {
	for _, slot := range group {
		if c.last[slot] != c.documents {
			c.last[slot] = c.documents
			c.frequencies[slot]++
		}
	}
}
