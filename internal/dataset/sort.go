package dataset

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"slices"
)

// sortBytes is how much a sorter holds in memory.
const sortBytes = 8 << 20

// The sizes of an entry's parts, in bytes.
const (
	keyBytes    = 4 * 8
	headerBytes = keyBytes + 16 + 4 + 4 // the key, input and origin, the row's length, the number of labels
)

// entry is a sample between reading and writing.
type entry struct {
	key    entryKey
	input  uint64 // a hash of it, folded, that no seed changes
	from   origin
	labels []uint32 // their numbers, in the order of the row
	row    []byte
}

// entryKey is what entries are sorted by: the hashes of a sample's input for the
// order and for the split, of its labels, and of its row. Samples with the same
// input stand next to each other, and among them those with equal labels.
type entryKey [keyBytes]byte

func makeEntryKey(order, split, labels, row uint64) (key entryKey) {
	binary.BigEndian.PutUint64(key[0:], order)
	binary.BigEndian.PutUint64(key[8:], split)
	binary.BigEndian.PutUint64(key[16:], labels)
	binary.BigEndian.PutUint64(key[24:], row)
	return key
}

func (k *entryKey) split() uint64 { return binary.BigEndian.Uint64(k[8:]) }

// input is equal for samples with the same input.
func (k *entryKey) input() []byte { return k[:16] }

// sample is equal for samples with the same input and equal labels.
func (k *entryKey) sample() []byte { return k[:24] }

// sorter sorts entries by their keys, in bounded memory whatever they are: it
// writes sorted runs to a temporary file and merges them.
type sorter struct {
	scratch  Scratch
	maxBytes int
	data     []byte // entries of the run that is being collected, encoded
	order    []entryRef
	file     ScratchFile // nil as long as one run holds all
	runs     []run
	entry    entry
}

// entryRef is where in data an entry starts. It repeats the key's first part,
// which nearly always decides.
type entryRef struct {
	key   uint64
	start int
}

// run is where in the file a sorted run is.
type run struct {
	start, end int64
	entries    int
}

func (s *sorter) add(e *entry) error {
	size := headerBytes + 4*len(e.labels) + len(e.row)
	if len(s.order) > 0 && len(s.data)+size+16*len(s.order) > s.maxBytes {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.order = append(s.order, entryRef{key: binary.BigEndian.Uint64(e.key[:]), start: len(s.data)})
	s.data = append(s.data, e.key[:]...)
	s.data = binary.LittleEndian.AppendUint64(s.data, e.input)
	s.data = binary.LittleEndian.AppendUint32(s.data, e.from.part)
	s.data = binary.LittleEndian.AppendUint32(s.data, e.from.line)
	s.data = binary.LittleEndian.AppendUint32(s.data, uint32(len(e.row)))    //nolint:gosec // a row is far shorter
	s.data = binary.LittleEndian.AppendUint32(s.data, uint32(len(e.labels))) //nolint:gosec // so are its labels
	for _, label := range e.labels {
		s.data = binary.LittleEndian.AppendUint32(s.data, label)
	}
	s.data = append(s.data, e.row...)
	return nil
}

// bodySize is the size of the labels and the row that follow a header.
func bodySize(header []byte) int {
	row := binary.LittleEndian.Uint32(header[keyBytes+16:])
	labels := binary.LittleEndian.Uint32(header[keyBytes+20:])
	return int(row) + 4*int(labels)
}

// decode makes an entry of its encoding. The row is not copied.
func (e *entry) decode(header, body []byte) {
	copy(e.key[:], header)
	e.input = binary.LittleEndian.Uint64(header[keyBytes:])
	e.from.part = binary.LittleEndian.Uint32(header[keyBytes+8:])
	e.from.line = binary.LittleEndian.Uint32(header[keyBytes+12:])
	e.labels = e.labels[:0]
	for range binary.LittleEndian.Uint32(header[keyBytes+20:]) {
		e.labels = append(e.labels, binary.LittleEndian.Uint32(body))
		body = body[4:]
	}
	e.row = body
}

// sort sorts the run that is being collected.
func (s *sorter) sort() {
	slices.SortFunc(s.order, func(a, b entryRef) int {
		if a.key != b.key {
			return cmp.Compare(a.key, b.key)
		}
		return bytes.Compare(s.data[a.start:a.start+keyBytes], s.data[b.start:b.start+keyBytes])
	})
}

// spill writes the run that is being collected to the file and starts another.
func (s *sorter) spill() (err error) {
	if s.file == nil {
		if s.file, err = s.scratch.Create(); err != nil {
			return scratchError(err)
		}
	}
	s.sort()
	var start int64
	if len(s.runs) > 0 {
		start = s.runs[len(s.runs)-1].end
	}
	end := start
	buffer := bufio.NewWriterSize(s.file, bufferBytes)
	for _, ref := range s.order {
		size := headerBytes + bodySize(s.data[ref.start:])
		_, _ = buffer.Write(s.data[ref.start : ref.start+size]) // its error sticks
		end += int64(size)
	}
	if err := buffer.Flush(); err != nil {
		return scratchError(err)
	}
	s.runs = append(s.runs, run{start, end, len(s.order)})
	s.data, s.order = s.data[:0], s.order[:0]
	return nil
}

// walk passes the entries on in the order of their keys. An entry is valid until
// the next. No entry can be added any more; walking again is possible.
func (s *sorter) walk(use func(*entry) error) error {
	if s.file == nil {
		s.sort()
		for _, ref := range s.order {
			header := s.data[ref.start:]
			body := header[headerBytes:]
			s.entry.decode(header, body[:bodySize(header)])
			if err := use(&s.entry); err != nil {
				return err
			}
		}
		return nil
	}
	if len(s.order) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.data, s.order = nil, nil // the runs' buffers take their place
	return s.merge(use)
}

// merge passes on the entries of all runs.
func (s *sorter) merge(use func(*entry) error) error {
	heads := make(runHeap, 0, len(s.runs))
	size := min(max(s.maxBytes/len(s.runs), 4<<10), bufferBytes)
	for _, run := range s.runs {
		section := io.NewSectionReader(s.file, run.start, run.end-run.start)
		head := &runReader{input: bufio.NewReaderSize(section, size), entries: run.entries, bytes: int(section.Size())}
		if err := head.readHeader(); err != nil {
			return err
		}
		heads = append(heads, head)
	}
	heads.init()
	var body []byte
	for len(heads) > 0 {
		head := heads[0]
		size := bodySize(head.header[:])
		if size > head.bytes {
			return errAltered
		}
		body = slices.Grow(body[:0], size)[:size]
		if err := head.read(body); err != nil {
			return err
		}
		s.entry.decode(head.header[:], body)
		if err := use(&s.entry); err != nil {
			return err
		}
		if err := heads.advance(); err != nil {
			return err
		}
	}
	return nil
}

func (s *sorter) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return scratchError(err)
}

// errAltered says that a temporary file is not what was written.
var errAltered = scratchError(errors.New("it was altered"))

// runReader reads a run. It has read the header of its next entry.
type runReader struct {
	input   *bufio.Reader
	entries int // to come, the next one included
	bytes   int // to come, without the next header
	header  [headerBytes]byte
}

func (r *runReader) readHeader() error { return r.read(r.header[:]) }

func (r *runReader) read(data []byte) error {
	r.bytes -= len(data)
	_, err := io.ReadFull(r.input, data)
	if isEnd(err) {
		err = io.ErrUnexpectedEOF // more was written
	}
	return scratchError(err)
}

// runHeap has the run with the smallest next entry first, and each no larger
// than the two at twice its position.
type runHeap []*runReader

func (h runHeap) init() {
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
}

// advance goes on to the next entry after the smallest was used.
func (h *runHeap) advance() error {
	heads := *h
	if heads[0].entries--; heads[0].entries == 0 {
		last := len(heads) - 1
		heads[0] = heads[last]
		*h = heads[:last]
	} else if err := heads[0].readHeader(); err != nil {
		return err
	}
	h.down(0)
	return nil
}

func (h runHeap) down(i int) {
	for {
		smallest := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if bytes.Compare(h[child].header[:keyBytes], h[smallest].header[:keyBytes]) < 0 {
				smallest = child
			}
		}
		if smallest == i {
			return
		}
		h[i], h[smallest] = h[smallest], h[i]
		i = smallest
	}
}
