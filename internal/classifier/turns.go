package classifier

import (
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
)

// turns takes examples, by their indices, in an order that is shuffled for each pass.
type turns struct {
	source *rand.PCG
	random *rand.Rand // of the source
	order  *order
	taken  int
}

func newTurns(order *order, source *rand.PCG) *turns {
	return &turns{source: source, random: rand.New(source), order: order}
}

func (t *turns) next(ctx context.Context) (int32, error) {
	turn := t.taken % t.order.length
	if turn == 0 {
		if err := t.order.shuffle(ctx, t.random); err != nil {
			return 0, err
		}
	}
	t.taken++
	return t.order.at(turn)
}

// sourceBytes is the size of a source's state.
const sourceBytes = 20

func (t *turns) stateBytes() int64 {
	return 8 + sourceBytes + 4*int64(t.order.length)
}

func (t *turns) save(w io.Writer) error {
	source, err := t.source.MarshalBinary()
	if err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(t.taken)); err != nil {
		return err
	}
	if _, err := w.Write(source); err != nil {
		return err
	}
	return t.order.save(w)
}

func (t *turns) restore(r io.Reader) error {
	source := make([]byte, sourceBytes)
	var taken uint64
	if err := binary.Read(r, binary.LittleEndian, &taken); err != nil {
		return err
	}
	if _, err := io.ReadFull(r, source); err != nil {
		return err
	}
	if err := t.source.UnmarshalBinary(source); err != nil {
		return err
	}
	t.taken = int(taken)
	return t.order.restore(r)
}
