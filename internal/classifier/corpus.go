package classifier

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"iter"
	"math"
	"strings"
	"unsafe"
)

// Corpus holds examples on disk, so that a training's memory does not grow with them.
// All are added before any is used; from then on it is safe for concurrent use.
type Corpus struct {
	files  scratchFiles
	table  *table
	digest hash.Hash // of all that was added
	record []byte

	vectors *denseFile // of the texts; nil unless these were represented
}

// NewCorpus returns an empty corpus whose files are in the folder, without names. An
// empty folder is that of the system for temporary files. The caller closes it.
func NewCorpus(folder string) (*Corpus, error) {
	c := &Corpus{files: scratchFiles{folder: folder}, digest: sha256.New()}
	var err error
	if c.table, err = newTable(&c.files); err != nil {
		c.files.close()
		return nil, err
	}
	return c, nil
}

// Close gives the room on disk back.
func (c *Corpus) Close() { c.files.close() }

// Len is the number of examples.
func (c *Corpus) Len() int {
	if c == nil {
		return 0
	}
	return c.table.count
}

// Add copies an example.
func (c *Corpus) Add(example Example) error {
	if c.Len() == math.MaxInt32 {
		return errors.New("more than 2147483647 examples")
	}
	c.record = appendHead(c.record[:0], example)
	c.record = append(c.record, example.Text...)
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], uint64(len(c.record)))
	c.digest.Write(length[:])
	c.digest.Write(c.record)
	return c.table.append(c.record)
}

func (c *Corpus) flush() error {
	if c == nil {
		return nil
	}
	return c.table.flush()
}

// all reads the examples in order. Each is valid until the next.
func (c *Corpus) all() iter.Seq2[*Example, error] {
	return func(yield func(*Example, error) bool) {
		if c.Len() == 0 {
			return
		}
		var h headReader
		var row denseRow
		i := 0
		for record, err := range c.table.all() {
			if err != nil {
				yield(nil, err)
				return
			}
			example := h.example(record)
			example.Dense, err = c.vectors.read(i, &row)
			if !yield(example, err) || err != nil {
				return
			}
			i++
		}
	}
}

// Examples are those of a corpus, or some of them. They can be read as long as it is
// open.
type Examples struct {
	corpus *Corpus
	chosen []int32 // nil for all
}

// Len is their number.
func (e Examples) Len() int {
	if e.chosen != nil {
		return len(e.chosen)
	}
	return e.corpus.Len()
}

// All reads them. An example is valid until the next, but its text for ever; nothing
// comes after an error.
func (e Examples) All() iter.Seq2[*Example, error] {
	return func(yield func(*Example, error) bool) {
		for example, err := range e.all() {
			if err == nil {
				example.Text = strings.Clone(example.Text)
			}
			if !yield(example, err) {
				return
			}
		}
	}
}

// all reads them. An example, with its text, is valid until the next.
func (e Examples) all() iter.Seq2[*Example, error] {
	if e.chosen == nil {
		return e.corpus.all()
	}
	return func(yield func(*Example, error) bool) {
		var h headReader
		var record []byte
		var row denseRow
		for _, i := range e.chosen {
			var err error
			if record, err = e.corpus.table.read(int(i), record); err != nil {
				yield(nil, err)
				return
			}
			example := h.example(record)
			example.Dense, err = e.corpus.vectors.read(int(i), &row)
			if !yield(example, err) || err != nil {
				return
			}
		}
	}
}

// appendHead appends what a record begins with: an example without its text.
func appendHead(record []byte, example Example) []byte {
	record = binary.LittleEndian.AppendUint64(record, math.Float64bits(example.Weight))
	record = binary.AppendUvarint(record, uint64(len(example.Labels)))
	for _, labels := range example.Labels {
		if labels == nil {
			record = append(record, 0)
			continue
		}
		record = binary.AppendUvarint(record, uint64(len(labels))+1)
		for _, label := range labels {
			record = binary.AppendVarint(record, int64(label))
		}
	}
	return record
}

// headReader reads the heads of records into memory that it reuses.
type headReader struct {
	result Example
	room   [][]int
}

// example reads a record of a corpus, of which its text remains a part.
func (h *headReader) example(record []byte) *Example {
	text := h.read(record)
	// A copy of each text would be as much garbage as there is data, for each pass.
	h.result.Text = unsafe.String(unsafe.SliceData(text), len(text))
	return &h.result
}

// read sets result but for its text and returns what comes after.
func (h *headReader) read(record []byte) []byte {
	h.result.Weight = math.Float64frombits(binary.LittleEndian.Uint64(record))
	record = record[8:]
	targets, size := binary.Uvarint(record)
	record = record[size:]
	h.room, h.result.Labels = resize(h.room, int(targets)), resize(h.result.Labels, int(targets))
	for t := range h.result.Labels {
		count, size := binary.Uvarint(record)
		record = record[size:]
		if count == 0 {
			h.result.Labels[t] = nil
			continue
		}
		h.room[t] = resize(h.room[t], int(count)-1)
		for i := range h.room[t] {
			label, size := binary.Varint(record)
			record = record[size:]
			h.room[t][i] = int(label)
		}
		h.result.Labels[t] = h.room[t]
		if h.room[t] == nil {
			h.result.Labels[t] = []int{} // none applies, which is not that nothing is known
		}
	}
	return record
}
