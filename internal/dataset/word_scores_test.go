package dataset

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPackedNumbers compares with numbers that are not packed.
func TestPackedNumbers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		labels := 1 + random.IntN(11)
		numbers, plain := newPacked(labels), make([]int32, labels)
		for range 3 {
			label, number := random.IntN(labels), random.Int32N(packedMost/3)
			numbers.add(label, number)
			plain[label] += number
		}
		cleared := random.IntN(labels)
		numbers.clear(cleared)
		plain[cleared] = 0
		limit := random.Int32N(packedMost+2000) - 1000
		wantLabel, want := slices.Index(plain, slices.Max(plain)), slices.Max(plain)
		label, number := numbers.above(limit)
		if want > max(limit, 0) != (label >= 0) || label >= 0 && (label != wantLabel || number != want) {
			t.Fatalf("of %v above %d it is %d of label %d, want %d of label %d", plain, limit, number, label, want, wantLabel)
		}
	}
}

// TestWordScores compares with counts that are not packed.
func TestWordScores(t *testing.T) {
	const labels, words, rows = 10, 30, 400
	random := rand.New(rand.NewPCG(1, 2))
	terms := make([]int32, rows+1)
	for count := range terms {
		terms[count] = int32(3 * count)
	}
	vocabulary := &vocabulary{samples: make([]int32, words)}
	var counts [words][labels]int
	var inputs [labels][][]uint32
	for label := range labels {
		for range rows / labels {
			var input []uint32
			for word := range uint32(words) {
				if random.IntN(words) > int(word) {
					input = append(input, word)
					vocabulary.samples[word]++
					counts[word][label]++
				}
			}
			inputs[label] = append(inputs[label], input)
		}
	}
	scores := newWordScores(vocabulary, labels, terms)
	for label := range labels {
		for _, input := range inputs[label] {
			scores.count(input, label)
		}
		for _, input := range inputs[label] {
			want := int32(0)
			for _, word := range input {
				want += terms[counts[word][label]-1]
			}
			if got := scores.counted(input, label); got != want {
				t.Fatalf("without the input it is %d, want %d", got, want)
			}
		}
	}
	scores.end()
	for _, input := range slices.Concat(inputs[:]...) {
		want, got := newPacked(labels), newPacked(labels)
		for _, word := range input {
			for label := range labels {
				want.add(label, terms[counts[word][label]])
			}
		}
		if scores.addTo(got, input); !slices.Equal(got, want) {
			t.Fatalf("the sums of %v are %x, want %x", input, got, want)
		}
		for label := range labels {
			others := slices.Clone(want)
			others.clear(label)
			if _, most := others.above(0); most > scores.most(input, int32(label)) {
				t.Fatalf("beside label %d one has %d of %v, which is more than most: %d", label, most, input, scores.most(input, int32(label)))
			}
		}
	}
}
