package classifier

import "math/rand/v2"

// turns takes examples, by their indices, in an order that is shuffled for each pass.
type turns struct {
	random *rand.Rand
	order  []int32
	taken  int
}

func newTurns(order []int32, random *rand.Rand) *turns {
	return &turns{random: random, order: append([]int32(nil), order...)}
}

func (t *turns) next() int32 {
	turn := t.taken % len(t.order)
	if turn == 0 {
		t.random.Shuffle(len(t.order), func(i, j int) { t.order[i], t.order[j] = t.order[j], t.order[i] })
	}
	t.taken++
	return t.order[turn]
}
