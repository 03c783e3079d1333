package classifier

import (
	"math"
	"slices"
)

// turnWeights tell how much each turn of a conversation counts: the exponential of the sum
// of what its places and its words weigh, as a share of that of all turns.
type turnWeights struct {
	Places []float32 `json:"places"`
	// Positions says that the words of a turn are also features of its position: a turn that
	// tells the label of one target need not tell that of another.
	Positions bool `json:"positions"`

	words []float32 // of each feature
}

// A turn has a place in each of these tables, one after the other.
const (
	// mostPlaces are told apart; what is further away shares the last one.
	mostPlaces = 8
	sides      = len(roles) + 1 // the roles, and several turns that are one segment

	fromEnd   = 0                            // among the turns of its role, from the last one
	fromStart = fromEnd + sides*mostPlaces   // among the turns of its role, from the first one
	amongAll  = fromStart + sides*mostPlaces // among all turns, from the last one
	byLength  = amongAll + mostPlaces        // by the logarithm of its number of features
	places    = byLength + mostPlaces

	placesOfTurn = 4
)

// usualWeight is what the last turn of a user weighs where nothing can be learned.
const usualWeight = 1.5

func newTurnWeights(targets int) *turnWeights {
	w := &turnWeights{Places: make([]float32, places), Positions: targets > 1}
	w.Places[fromEnd] = usualWeight
	return w
}

// turn is what the weight of a turn is told from.
type turn struct {
	places [placesOfTurn]uint8
	words  vector // the first of its words, of length one whatever they weigh
}

// mostTurnWords are enough to tell whether a turn says anything.
const mostTurnWords = 64

// placesOf returns the places of the i-th segment, which has so many features.
func placesOf(segments []segment, i, features int) [placesOfTurn]uint8 {
	role := segments[i].role
	before, after := othersOf(segments, i)
	return [placesOfTurn]uint8{
		uint8(fromEnd + role*mostPlaces + min(after, mostPlaces-1)),
		uint8(fromStart + role*mostPlaces + min(before, mostPlaces-1)),
		uint8(amongAll + min(len(segments)-1-i, mostPlaces-1)),
		uint8(byLength + min(int(math.Log2(float64(1+features))), mostPlaces-1)),
	}
}

// othersOf counts the other segments of the same role.
func othersOf(segments []segment, i int) (before, after int) {
	for j, other := range segments {
		switch {
		case other.role != segments[i].role:
		case j < i:
			before++
		case j > i:
			after++
		}
	}
	return before, after
}

// positionSeed keeps positions apart from words.
const positionSeed = uint64(0x165667b19e3779f9)

// position is that of a turn among those of its role, the first, the last or one between,
// as what makes the slot of a word that of the word there; zero when it does not matter.
func (w *turnWeights) position(segments []segment, i int) uint32 {
	if !w.Positions {
		return 0
	}
	before, after := othersOf(segments, i)
	position := min(before, 1) + 2*min(after, 1)
	return slot(mix(positionSeed, uint64(4*segments[i].role+position)))
}

// score is the logarithm of what a turn weighs.
func (w *turnWeights) score(t *turn) float32 {
	sum := float32(0)
	for _, place := range t.places {
		sum += w.Places[place]
	}
	for i, feature := range t.words.features {
		sum += w.words[feature] * t.words.values[i]
	}
	return sum
}

// leastShare is, relative to the largest, the least that counts: most turns tell nothing,
// and their words would still take time.
const leastShare = 1.0 / 64

// toShares makes scores into shares, which sum to one.
func toShares(scores []float32) {
	softmax(scores)
	largest, sum := slices.Max(scores), float32(0)
	for i, share := range scores {
		if share < largest*leastShare {
			scores[i] = 0
		}
		sum += scores[i]
	}
	for i := range scores {
		scores[i] /= sum
	}
}

func softmax(scores []float32) {
	largest, sum := slices.Max(scores), float32(0)
	for i, score := range scores {
		scores[i] = float32(math.Exp(float64(score - largest)))
		sum += scores[i]
	}
	for i := range scores {
		scores[i] /= sum
	}
}
