package classifier

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// table is a list of records on disk. First all are appended, then they are read, by
// any number of goroutines.
type table struct {
	records, starts *os.File // where records start, as eight bytes each
	out, outStarts  *bufio.Writer
	first           []int64 // starts that are kept in memory
	count           int
	end             int64
}

const (
	// keptStarts of a table take two mebibytes, and spare all but large ones half of the reading.
	keptStarts = 1 << 18
	tableRead  = 1 << 16 // bytes at a time
)

func newTable(files *scratchFiles) (*table, error) {
	records, err := files.create()
	if err != nil {
		return nil, err
	}
	starts, err := files.create()
	if err != nil {
		return nil, err
	}
	t := &table{records: records, starts: starts}
	t.out, t.outStarts = bufio.NewWriterSize(records, tableRead), bufio.NewWriterSize(starts, tableRead)
	return t, t.addStart()
}

// addStart writes where the next record starts.
func (t *table) addStart() error {
	if len(t.first) < keptStarts {
		t.first = append(t.first, t.end)
	}
	var start [8]byte
	binary.LittleEndian.PutUint64(start[:], uint64(t.end))
	if _, err := t.outStarts.Write(start[:]); err != nil {
		return fmt.Errorf("writing a scratch file: %w", err)
	}
	return nil
}

func (t *table) append(record []byte) error {
	if _, err := t.out.Write(record); err != nil {
		return fmt.Errorf("writing a scratch file: %w", err)
	}
	t.count++
	t.end += int64(len(record))
	return t.addStart()
}

// flush comes between appending and reading.
func (t *table) flush() error {
	if err := errors.Join(t.out.Flush(), t.outStarts.Flush()); err != nil {
		return fmt.Errorf("writing a scratch file: %w", err)
	}
	return nil
}

// empty gives the room on disk back.
func (t *table) empty() error {
	if err := errors.Join(t.records.Truncate(0), t.starts.Truncate(0)); err != nil {
		return fmt.Errorf("emptying a scratch file: %w", err)
	}
	return nil
}

// read returns a record, in the buffer when that has the room.
func (t *table) read(i int, buffer []byte) ([]byte, error) {
	start, end, err := t.bounds(i)
	if err != nil {
		return nil, fmt.Errorf("reading a scratch file: %w", err)
	}
	buffer = resize(buffer, int(end-start))
	if _, err := t.records.ReadAt(buffer, start); err != nil {
		return nil, fmt.Errorf("reading a scratch file: %w", err)
	}
	return buffer, nil
}

func (t *table) bounds(i int) (start, end int64, err error) {
	if i+1 < len(t.first) {
		return t.first[i], t.first[i+1], nil
	}
	var both [16]byte
	if _, err := t.starts.ReadAt(both[:], 8*int64(i)); err != nil {
		return 0, 0, err
	}
	return int64(binary.LittleEndian.Uint64(both[:])), int64(binary.LittleEndian.Uint64(both[8:])), nil
}

// all reads the records in order. Each is valid until the next.
func (t *table) all() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		records := bufio.NewReaderSize(io.NewSectionReader(t.records, 0, t.end), tableRead)
		starts := bufio.NewReaderSize(io.NewSectionReader(t.starts, 8, 8*int64(t.count)), tableRead)
		var record []byte
		var next [8]byte
		start := int64(0)
		for range t.count {
			_, err := io.ReadFull(starts, next[:])
			end := int64(binary.LittleEndian.Uint64(next[:]))
			if err == nil {
				record = resize(record, int(end-start))
				_, err = io.ReadFull(records, record)
			}
			if err != nil {
				yield(nil, fmt.Errorf("reading a scratch file: %w", err))
				return
			}
			if !yield(record, nil) {
				return
			}
			start = end
		}
	}
}
