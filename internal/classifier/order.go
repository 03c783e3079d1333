package classifier

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
)

// order is a sequence of examples, by their indices, on disk.
type order struct {
	file   *os.File
	length int
	window []int32 // read ahead
	first  int     // of the window
	buffer []byte
}

const (
	orderWindow  = 1 << 12 // indices read at a time
	shuffleBlock = 1 << 18 // indices shuffled in memory at a time
)

// newOrder is for the examples up to count, in ascending order, but those left out,
// which are ascending too.
func newOrder(files *scratchFiles, count int, leftOut []int32) (*order, error) {
	file, err := files.create()
	if err != nil {
		return nil, err
	}
	o := &order{file: file}
	var part []int32
	for i := range int32(count) {
		if len(leftOut) > 0 && leftOut[0] == i {
			leftOut = leftOut[1:]
			continue
		}
		if part = append(part, i); len(part) == orderWindow {
			if err := o.write(o.length, part); err != nil {
				return nil, err
			}
			o.length, part = o.length+len(part), part[:0]
		}
	}
	err = o.write(o.length, part)
	o.length += len(part)
	return o, err
}

func (o *order) at(i int) (int32, error) {
	if i < o.first || i >= o.first+len(o.window) {
		o.first, o.window = i, resize(o.window, min(orderWindow, o.length-i))
		if err := o.read(i, o.window); err != nil {
			return 0, err
		}
	}
	return o.window[i-o.first], nil
}

func (o *order) read(first int, indices []int32) error {
	o.buffer = resize(o.buffer, 4*min(len(indices), orderWindow))
	for len(indices) > 0 {
		n := min(len(indices), orderWindow)
		if _, err := o.file.ReadAt(o.buffer[:4*n], 4*int64(first)); err != nil {
			return fmt.Errorf("reading a scratch file: %w", err)
		}
		for i := range n {
			indices[i] = int32(binary.LittleEndian.Uint32(o.buffer[4*i:]))
		}
		first, indices = first+n, indices[n:]
	}
	return nil
}

func (o *order) write(first int, indices []int32) error {
	o.window = o.window[:0]
	o.buffer = resize(o.buffer, 4*min(len(indices), orderWindow))
	for len(indices) > 0 {
		n := min(len(indices), orderWindow)
		for i := range n {
			binary.LittleEndian.PutUint32(o.buffer[4*i:], uint32(indices[i]))
		}
		if _, err := o.file.WriteAt(o.buffer[:4*n], 4*int64(first)); err != nil {
			return fmt.Errorf("writing a scratch file: %w", err)
		}
		first, indices = first+n, indices[n:]
	}
	return nil
}

// shuffle shuffles as rand.Shuffle does with a slice, whatever the length.
func (o *order) shuffle(ctx context.Context, random *rand.Rand) error {
	s := shuffles.Get().(*shuffle)
	defer shuffles.Put(s)
	s.order, s.waiting = o, s.waiting[:0]
	s.load(o.length)
	random.Shuffle(o.length, func(i, j int) {
		if s.err == nil {
			s.swap(ctx, i, j)
		}
	})
	if s.err == nil {
		s.err = o.write(s.first, s.block)
	}
	return s.err
}

// shuffle holds a block of an order while it is shuffled from the end to the start: the
// indices at which the next swaps are. Where they swap with indices before the block,
// they wait until the block is full of such swaps, and are made in one reading.
type shuffle struct {
	order   *order
	block   []int32
	first   int // index of the block in the order
	waiting []int32
	outside []int32 // where the waiting ones go before the block, ascending
	values  []int32 // of those
	err     error
}

// shuffles are few, as many as fits are advanced at a time, and large.
var shuffles = sync.Pool{New: func() any { return &shuffle{} }}

// load takes the block that ends at an index.
func (s *shuffle) load(end int) {
	s.first = max(end-shuffleBlock, 0)
	s.block = resize(s.block, end-s.first)
	s.err = s.order.read(s.first, s.block)
}

// swap is called with i descending and j up to i.
func (s *shuffle) swap(ctx context.Context, i, j int) {
	if s.first == 0 {
		s.block[i], s.block[j] = s.block[j], s.block[i]
		return
	}
	if s.waiting = append(s.waiting, int32(j)); i > s.first {
		return
	}
	if s.err = ctx.Err(); s.err != nil {
		return
	}
	if s.err = s.swapWaiting(); s.err == nil {
		s.load(s.first)
	}
}

// swapWaiting makes the swaps of a block and writes it.
func (s *shuffle) swapWaiting() error {
	s.findOutside()
	if err := s.visit(func(k int, index *int32) { s.values[k] = *index }, false); err != nil {
		return err
	}
	for n, j := range s.waiting {
		at, other := &s.block[len(s.block)-1-n], (*int32)(nil)
		if int(j) >= s.first {
			other = &s.block[int(j)-s.first]
		} else {
			k, _ := slices.BinarySearch(s.outside, j)
			other = &s.values[k]
		}
		*at, *other = *other, *at
	}
	s.waiting = s.waiting[:0]
	if err := s.visit(func(k int, index *int32) { *index = s.values[k] }, true); err != nil {
		return err
	}
	return s.order.write(s.first, s.block)
}

func (s *shuffle) findOutside() {
	s.outside = s.outside[:0]
	for _, j := range s.waiting {
		if int(j) < s.first {
			s.outside = append(s.outside, j)
		}
	}
	slices.Sort(s.outside)
	s.outside = slices.Compact(s.outside)
	s.values = resize(s.values, len(s.outside))
}

// visit calls use for each index outside, and writes what it left there when it changes
// them.
func (s *shuffle) visit(use func(k int, index *int32), changes bool) error {
	places := s.outside
	part := make([]int32, orderWindow)
	for k := 0; k < len(places); {
		start := int(places[k])
		part = part[:min(orderWindow, s.first-start)]
		if err := s.order.read(start, part); err != nil {
			return err
		}
		for ; k < len(places) && int(places[k]) < start+len(part); k++ {
			use(k, &part[int(places[k])-start])
		}
		if changes {
			if err := s.order.write(start, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// save writes the order.
func (o *order) save(w io.Writer) error {
	_, err := io.Copy(w, io.NewSectionReader(o.file, 0, 4*int64(o.length)))
	return err
}

// restore reads an order of the same length.
func (o *order) restore(r io.Reader) error {
	o.window = o.window[:0]
	_, err := io.CopyN(io.NewOffsetWriter(o.file, 0), r, 4*int64(o.length))
	return err
}
