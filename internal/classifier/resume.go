package classifier

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// Resumption lets a training that was interrupted, even by a kill, go on from a
// checkpoint and give the same model as without the interruption.
type Resumption struct {
	// Folder is the training's own. It holds one file, and another one while that is
	// written. The caller removes it when the model is safe.
	Folder string
	// OnResume, if set, is called with the step of the checkpoint from which the training
	// goes on. It is not called when it starts from the beginning, as it does when the
	// folder has nothing of the same examples and options.
	OnResume func(step int)
	// OnError, if set, is told why the training could not be saved. It goes on.
	OnError func(error)
}

// A state file is
//
//	magic        8 bytes, the last of which is the version
//	fingerprint  SHA-256 of all that the training depends on
//	checkpoint   four bytes
//	fits         what each has saved, one after the other
//	checksum     CRC-32C of all before
//
// All numbers are little-endian.
const (
	stateMagic   = "CFSTATE\x01"
	stateFile    = "training.state"
	newStateFile = "training.state.new"
)

type stateHeader struct {
	Magic       [len(stateMagic)]byte
	Fingerprint [sha256.Size]byte
	Checkpoint  uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// states saves and restores the state of a training.
type states struct {
	resumption  *Resumption
	fits        []fit
	fingerprint [sha256.Size]byte
	every       int // checkpoints
}

func (t *trainer) newStates() (*states, error) {
	s := &states{resumption: t.options.Resumption, fits: t.fits()}
	if s.resumption == nil {
		return s, nil
	}
	var err error
	s.fingerprint, err = t.fingerprint()
	s.every = t.saveEvery(s.bytes())
	return s, err
}

// fingerprint differs when anything does that the weights depend on.
func (t *trainer) fingerprint() (sum [sha256.Size]byte, err error) {
	digest := sha256.New()
	_, _ = io.WriteString(digest, stateMagic+magic+runtime.GOARCH)
	err = json.NewEncoder(digest).Encode([]any{t.options.Targets, t.options.Hyperparameters, t.options.Seed, t.options.BaseModel, len(t.vocabulary.slots)})
	if err != nil {
		return sum, fmt.Errorf("encoding options: %w", err)
	}
	digest.Write(t.examples.corpus.digest.Sum(nil))
	if t.unseen.corpus != nil {
		digest.Write(t.unseen.corpus.digest.Sum(nil))
	}
	digest.Sum(sum[:0])
	return sum, nil
}

const (
	// savedWork is how many weights are used for each byte that is saved, so that saving
	// takes a few hundredths of the time.
	savedWork = 50
	// updateWork and fileWork are what an update and a file cost beside, in weights and
	// in bytes.
	updateWork = 2000
	fileWork   = 1 << 20
)

// saveEvery returns how many checkpoints there are to a state that is saved.
func (t *trainer) saveEvery(bytes int64) int {
	updates := float64(t.schedule.updates) / float64(t.schedule.checkpoints()) * float64(len(t.fits()))
	work := updates * (t.meanFeatures*float64(columns(t.heads)) + updateWork)
	return max(1, int(math.Ceil(float64(bytes+fileWork)*savedWork/work)))
}

// bytes is what a file has.
func (s *states) bytes() int64 {
	size := int64(binary.Size(stateHeader{}) + crc32.Size)
	for _, f := range s.fits {
		size += f.stateBytes()
	}
	return size
}

// save saves the state at the i-th checkpoint, if it is time to.
func (s *states) save(i int) {
	if s.resumption == nil || i%s.every != 0 {
		return
	}
	if err := s.replaceFile(i); err != nil && s.resumption.OnError != nil {
		s.resumption.OnError(fmt.Errorf("saving the state of the training: %w", err))
	}
}

// replaceFile leaves the file before in place until the new one is on disk.
func (s *states) replaceFile(i int) error {
	path := filepath.Join(s.resumption.Folder, newStateFile)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(s.write(file, i), file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	if err := os.Rename(path, filepath.Join(s.resumption.Folder, stateFile)); err != nil {
		return err
	}
	folder, err := os.Open(s.resumption.Folder)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func (s *states) write(file io.Writer, i int) error {
	checksum := crc32.New(castagnoli)
	out := bufio.NewWriterSize(io.MultiWriter(file, checksum), tableRead)
	header := stateHeader{Magic: [8]byte([]byte(stateMagic)), Fingerprint: s.fingerprint, Checkpoint: uint32(i)}
	if err := binary.Write(out, binary.LittleEndian, header); err != nil {
		return err
	}
	for _, f := range s.fits {
		if err := f.save(out); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return binary.Write(file, binary.LittleEndian, checksum.Sum32())
}

// restore goes on from the checkpoint that was saved and returns its number; zero if
// there is none, or it is of something else or damaged.
func (s *states) restore() (int, error) {
	if s.resumption == nil {
		return 0, nil
	}
	file, err := os.Open(filepath.Join(s.resumption.Folder, stateFile))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("going on with the training: %w", err)
	}
	defer func() { _ = file.Close() }()
	if !s.intact(file) {
		return 0, nil
	}
	i, err := s.read(file)
	if err != nil {
		return 0, fmt.Errorf("going on with the training: %w", err)
	}
	return i, nil
}

// intact reads all of a file, so that nothing is changed by one that is not.
func (s *states) intact(file *os.File) bool {
	checksum := crc32.New(castagnoli)
	size, err := io.Copy(checksum, io.NewSectionReader(file, 0, s.bytes()-crc32.Size))
	if err != nil || size != s.bytes()-crc32.Size {
		return false
	}
	var want uint32
	var header stateHeader
	err = errors.Join(
		binary.Read(io.NewSectionReader(file, size, crc32.Size), binary.LittleEndian, &want),
		binary.Read(io.NewSectionReader(file, 0, size), binary.LittleEndian, &header))
	return err == nil && want == checksum.Sum32() && header.Fingerprint == s.fingerprint && bytes.Equal(header.Magic[:], []byte(stateMagic))
}

func (s *states) read(file io.Reader) (int, error) {
	in := bufio.NewReaderSize(file, tableRead)
	var header stateHeader
	if err := binary.Read(in, binary.LittleEndian, &header); err != nil {
		return 0, err
	}
	for _, f := range s.fits {
		if err := f.restore(in); err != nil {
			return 0, err
		}
	}
	return int(header.Checkpoint), nil
}

// floatsAtOnce are encoded in memory of four times as many bytes.
const floatsAtOnce = 1 << 12

func writeFloats(w io.Writer, values []float32) error {
	data := make([]byte, 0, 4*floatsAtOnce)
	for part := range slices.Chunk(values, floatsAtOnce) {
		data = data[:0]
		for _, value := range part {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(value))
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return nil
}

func readFloats(r io.Reader, values []float32) error {
	data := make([]byte, 4*floatsAtOnce)
	for part := range slices.Chunk(values, floatsAtOnce) {
		data := data[:4*len(part)]
		if _, err := io.ReadFull(r, data); err != nil {
			return err
		}
		for i := range part {
			part[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	}
	return nil
}
