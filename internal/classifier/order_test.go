package classifier

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// Orders that are shuffled on disk are those that they would be in memory.
func TestShuffle(t *testing.T) {
	for _, test := range []struct {
		reason  string
		length  int
		leftOut []int32
	}{
		{"a single index", 1, nil},
		{"a part of a window", 100, nil},
		{"a window", orderWindow, nil},
		{"some are left out", 2*orderWindow + 3, []int32{0, 7, orderWindow, 2*orderWindow + 2}},
		{"a block", shuffleBlock, nil},
		{"one more than a block", shuffleBlock + 1, nil},
		{"several blocks", 3*shuffleBlock + 5, []int32{9}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			o, err := newOrder(scratchFilesOf(t), test.length, test.leftOut)
			if err != nil {
				t.Fatal(err)
			}
			var want []int32
			for i := range int32(test.length) {
				if !slices.Contains(test.leftOut, i) {
					want = append(want, i)
				}
			}
			onDisk, inMemory := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(1, 2))
			for range 2 {
				if err := o.shuffle(t.Context(), onDisk); err != nil {
					t.Fatal(err)
				}
				inMemory.Shuffle(len(want), func(i, j int) { want[i], want[j] = want[j], want[i] })
			}
			got := make([]int32, o.length)
			for i := range got {
				if got[i], err = o.at(i); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(got, want) {
				t.Error("the order differs")
			}
		})
	}
}

func TestShuffleStopsWithTheContext(t *testing.T) {
	o, err := newOrder(scratchFilesOf(t), 2*shuffleBlock, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.shuffle(ctx, rand.New(rand.NewPCG(1, 2))); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
