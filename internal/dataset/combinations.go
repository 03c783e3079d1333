package dataset

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"io"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// combinationsBytes bounds the memory of combinations to some 50 000 of three labels each.
const combinationsBytes = 8 << 20

// What a combination takes of it by itself, and for each of its labels.
const (
	combinationBytes = 128
	pairBytes        = 16
)

// combinations are those of labels that inputs have, and how many inputs have each.
// Which input has which is written to a temporary file.
//
// Without memory for another combination an input counts as one that has the rarest
// of its labels once, and no other.
type combinations struct {
	file    ScratchFile
	output  *bufio.Writer
	written int64
	labels  []*labelCensus // by number

	all      []combination
	pairs    []labelSamples    // of all combinations
	index    map[uint64]uint32 // combinations by the hash of their pairs
	bytes    int
	maxBytes int

	preparation *Preparation

	input inputLabels // of which samples are being added
	key   []byte
}

// combination is the labels of an input, or of many.
type combination struct {
	start, end uint32           // of its pairs
	samples    uint32           // of each input
	inputs     int              // that have it
	hashed     [len(splits)]int // how many of them are in which split by their hash
	parts      [len(splits)]int // how many of them go to each split
}

// labelSamples is how many samples of an input have a label.
type labelSamples struct{ label, samples uint32 }

// inputLabels is what the samples with one input have.
type inputLabels struct {
	key     entryKey // of the last sample
	samples uint32
	counts  []uint32 // of samples with a label, by its number
	labels  []uint32 // that are counted
}

func newCombinations(scratch Scratch, labels []*labelCensus, preparation *Preparation, maxBytes int) (*combinations, error) {
	file, err := scratch.Create()
	if err != nil {
		return nil, scratchError(err)
	}
	return &combinations{
		file:   file,
		output: bufio.NewWriterSize(file, bufferBytes),
		labels: labels,
		index:  map[uint64]uint32{},
		input:  inputLabels{counts: make([]uint32, len(labels))},

		preparation: preparation,
		maxBytes:    maxBytes,
	}, nil
}

// add adds a sample. Those with the same input follow each other.
func (c *combinations) add(e *entry) error {
	input := &c.input
	if !bytes.Equal(e.key.input(), input.key.input()) {
		if err := c.endInput(); err != nil {
			return err
		}
	}
	input.key = e.key
	input.samples++
	for _, label := range e.labels {
		if input.counts[label]++; input.counts[label] == 1 {
			input.labels = append(input.labels, label)
		}
	}
	return nil
}

// endInput counts the combination of the input whose samples were added.
func (c *combinations) endInput() error {
	input := &c.input
	if input.samples == 0 {
		return nil
	}
	slices.SortFunc(input.labels, c.byName)
	first := len(c.pairs)
	for _, label := range input.labels {
		c.pairs = append(c.pairs, labelSamples{label, input.counts[label]})
		input.counts[label] = 0
	}
	number := c.number(first, input.samples)
	c.all[number].inputs++
	c.all[number].hashed[c.preparation.splitOf(input.key.split())]++
	input.samples, input.labels = 0, input.labels[:0]
	c.written += 4
	_, err := c.output.Write(binary.LittleEndian.AppendUint32(c.output.AvailableBuffer(), number))
	return scratchError(err)
}

// number finds or adds the combination of the pairs from the first on.
func (c *combinations) number(first int, samples uint32) uint32 {
	pairs := c.pairs[first:]
	number, ok := c.find(pairs, samples)
	if !ok && c.bytes+combinationBytes+pairBytes*len(pairs) > c.maxBytes {
		pairs[0] = labelSamples{slices.MinFunc(pairs, c.byRarity).label, 1}
		pairs, samples = pairs[:1], 1
		number, ok = c.find(pairs, samples)
	}
	if ok {
		c.pairs = c.pairs[:first]
		return number
	}
	c.pairs = c.pairs[:first+len(pairs)]
	c.bytes += combinationBytes + pairBytes*len(pairs)
	number = uint32(len(c.all)) //nolint:gosec // memory is bounded
	c.index[xxhash.Sum64(c.key)] = number
	c.all = append(c.all, combination{start: uint32(first), end: uint32(len(c.pairs)), samples: samples}) //nolint:gosec // memory is bounded
	return number
}

// find leaves in c.key what makes the combination.
func (c *combinations) find(pairs []labelSamples, samples uint32) (number uint32, ok bool) {
	c.key = binary.LittleEndian.AppendUint32(c.key[:0], samples)
	for _, pair := range pairs {
		c.key = binary.LittleEndian.AppendUint32(c.key, pair.label)
		c.key = binary.LittleEndian.AppendUint32(c.key, pair.samples)
	}
	number, ok = c.index[xxhash.Sum64(c.key)]
	return number, ok
}

// byRarity has the label with the fewest samples of the source first.
func (c *combinations) byRarity(a, b labelSamples) int {
	return cmp.Or(cmp.Compare(c.labels[a.label].samples, c.labels[b.label].samples), c.byName(a.label, b.label))
}

// byName orders labels by what they are called and not, as their numbers do, by what
// the source has first.
func (c *combinations) byName(a, b uint32) int {
	return cmp.Compare(c.labels[a].hash, c.labels[b].hash)
}

// finish ends the adding of samples.
func (c *combinations) finish() error {
	if err := c.endInput(); err != nil {
		return err
	}
	c.index = nil
	return scratchError(c.output.Flush())
}

func (c *combinations) close() error {
	if c == nil {
		return nil
	}
	return scratchError(c.file.Close())
}

// splitReader tells the splits of samples in the order in which they were added. An
// input stays where its hash puts it as long as there is room, so that few move when
// others come or go.
type splitReader struct {
	preparation *Preparation
	input       *bufio.Reader
	room        [][len(splits)]int // for inputs to come, by combination
	spare       [][len(splits)]int // of it for those that cannot stay
	key         entryKey           // of the last sample
	split       int                // of the last sample
	started     bool
	number      [4]byte // of the last sample's combination
}

func (c *combinations) reader() *splitReader {
	r := &splitReader{preparation: c.preparation, input: bufio.NewReaderSize(io.NewSectionReader(c.file, 0, c.written), bufferBytes)}
	for i := range c.all {
		combination := &c.all[i]
		room, spare := combination.parts, combination.parts
		for split := range splits {
			room[split] = min(combination.parts[split], combination.hashed[split])
			spare[split] -= room[split]
		}
		r.room, r.spare = append(r.room, room), append(r.spare, spare)
	}
	return r
}

// next returns the position of the split that the sample is in.
func (r *splitReader) next(e *entry) (int, error) {
	if r.started && bytes.Equal(e.key.input(), r.key.input()) {
		return r.split, nil
	}
	r.key, r.started = e.key, true
	if _, err := io.ReadFull(r.input, r.number[:]); isEnd(err) {
		return 0, errAltered
	} else if err != nil {
		return 0, scratchError(err)
	}
	combination := binary.LittleEndian.Uint32(r.number[:])
	if int(combination) >= len(r.room) {
		return 0, errAltered
	}
	r.split = r.preparation.splitOf(e.key.split())
	if room := &r.room[combination][r.split]; *room > 0 {
		*room--
		return r.split, nil
	}
	for split := range splits {
		if spare := &r.spare[combination][split]; *spare > 0 {
			*spare--
			r.split = split
			return split, nil
		}
	}
	return 0, errAltered
}
