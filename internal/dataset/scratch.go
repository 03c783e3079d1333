package dataset

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Scratch makes temporary files.
type Scratch interface {
	Create() (ScratchFile, error)
}

// ScratchFile is a temporary file, which is written to its end and then read.
// Close also removes it.
type ScratchFile interface {
	io.Writer
	io.ReaderAt
	io.Closer
}

// scratchError is a failure of the disk, never of the data.
func scratchError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("temporary file: %w", err)
}

// PreparedFile is the samples of one split in JSON Lines, each line ended by a line feed.
type PreparedFile struct {
	Split     Split
	Digest    string // SHA-256 of the content, in hexadecimal
	Samples   int
	Targets   []Target // of the samples
	SizeBytes int64
	Sketch    Sketch // of its inputs
	file      ScratchFile
}

// Content reads the file from its start. It can be called again, and is valid
// until the Prepared is closed.
func (f *PreparedFile) Content() io.Reader {
	return io.NewSectionReader(f.file, 0, f.SizeBytes)
}

// splitWriter writes the file of a split. There is none until it has a sample.
type splitWriter struct {
	file    ScratchFile
	buffer  *bufio.Writer
	hash    hash.Hash
	samples int
	size    int64
	sketch  sketcher
	labels  []int // how many samples of the split have a label, by its number
	targets []Target
}

func (w *splitWriter) write(scratch Scratch, e *entry) error {
	if w.file == nil {
		file, err := scratch.Create()
		if err != nil {
			return scratchError(err)
		}
		w.file, w.hash, w.sketch = file, sha256.New(), newSketcher()
		w.buffer = bufio.NewWriterSize(io.MultiWriter(file, w.hash), bufferBytes)
	}
	for _, label := range e.labels {
		for int(label) >= len(w.labels) {
			w.labels = append(w.labels, 0)
		}
		w.labels[label]++
	}
	w.sketch.add(e.input)
	w.samples++
	w.size += int64(len(e.row)) + 1
	_, _ = w.buffer.Write(e.row) // its error sticks
	return scratchError(w.buffer.WriteByte('\n'))
}

// samplesOf is how many samples of the split have the label.
func (w *splitWriter) samplesOf(label *labelCensus) int {
	if int(label.number) >= len(w.labels) {
		return 0
	}
	return w.labels[label.number]
}

// finish writes what is buffered and describes the file.
func (w *splitWriter) finish(split Split) (PreparedFile, error) {
	if err := w.buffer.Flush(); err != nil {
		return PreparedFile{}, scratchError(err)
	}
	return PreparedFile{Split: split, Digest: hex.EncodeToString(w.hash.Sum(nil)), Samples: w.samples, Targets: w.targets, SizeBytes: w.size,
		Sketch: w.sketch.result(), file: w.file}, nil
}

func (w *splitWriter) close() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return scratchError(err)
}

// closeAll closes what was opened, whatever fails.
func closeAll(writers []splitWriter) error {
	var errs []error
	for i := range writers {
		errs = append(errs, writers[i].close())
	}
	return errors.Join(errs...)
}
