package classifier

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// A model file is
//
//	magic         8 bytes, the last of which is the version
//	header        its length, then as much JSON
//	features      their number, then for each the distance of its slot from the
//	              one before
//	relevance     a float32 for every feature: its weight in a text
//	turns         where the header has turns, a float32 for every feature: its
//	              weight among what tells how much a turn counts
//	mean          a float32 for every number of the base model's vectors, if there is one:
//	              what all of them have in common
//	bias, scales  a float32 each for every label
//	weights       a signed byte for every label of every feature, then of every number of
//	              the base model's vectors
//	checksum      SHA-256 of all before
//
// Numbers without a size are unsigned varints, those with one are little-endian.
const magic = "CFMODEL\x04"

// maxFileBytes is more than the largest model takes.
const maxFileBytes = maxWeights + 1<<26

// header is the part of the file that a person may want to read.
type header struct {
	Targets      []Target      `json:"targets"`
	Calibrations []calibration `json:"calibrations"`
	Turns        *turnWeights  `json:"turns,omitempty"` // nil when texts are no conversations
	// UnknownWeight is the weight in a text of what is no feature.
	UnknownWeight float32    `json:"unknown_weight,omitempty"`
	BaseModel     *BaseModel `json:"base_model,omitempty"`
}

// VersionError says that a model file has another version of the format than the one
// that is read and written here.
type VersionError struct{ Version byte }

func (e *VersionError) Error() string {
	return fmt.Sprintf("version %d of the file format instead of %d: train the model again", e.Version, magic[len(magic)-1])
}

// WriteTo writes the model file. The same model gives the same bytes.
func (m *Model) WriteTo(w io.Writer) (int64, error) {
	top, err := m.appendTop([]byte(magic))
	if err != nil {
		return 0, err
	}
	checksum := sha256.New()
	checksum.Write(top)
	checksum.Write(m.weights)
	written := int64(0)
	for _, part := range [][]byte{top, m.weights, checksum.Sum(nil)} {
		n, err := w.Write(part)
		written += int64(n)
		if err != nil {
			return written, fmt.Errorf("writing model: %w", err)
		}
	}
	return written, nil
}

// appendTop appends all between magic and weights.
func (m *Model) appendTop(data []byte) ([]byte, error) {
	head, err := json.Marshal(header{m.targets, m.calibrations, m.vocabulary.turns, m.vocabulary.unknown, m.BaseModel()})
	if err != nil {
		return nil, fmt.Errorf("encoding model header: %w", err)
	}
	data = binary.AppendUvarint(data, uint64(len(head)))
	data = append(data, head...)
	data = binary.AppendUvarint(data, uint64(len(m.vocabulary.slots)))
	previous := uint32(0)
	for _, slot := range m.vocabulary.slots {
		data = binary.AppendUvarint(data, uint64(slot-previous))
		previous = slot
	}
	var turns []float32
	if m.vocabulary.turns != nil {
		turns = m.vocabulary.turns.words
	}
	for _, value := range slices.Concat(m.vocabulary.weights, turns, m.vocabulary.mean(), m.bias, m.scales) {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(value))
	}
	return data, nil
}

// ReadModel reads a model file to the end of r. It never takes more memory than a
// few times what it could read.
func ReadModel(r io.Reader) (*Model, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading model: %w", err)
	}
	m, err := decodeModel(data)
	if err != nil {
		return nil, fmt.Errorf("reading model: %w", err)
	}
	return m, nil
}

func decodeModel(data []byte) (*Model, error) {
	payload, err := verify(data)
	if err != nil {
		return nil, err
	}
	d := &decoder{data: payload}
	m := &Model{vocabulary: &vocabulary{}}
	d.header(m)
	m.vocabulary.slots = d.features()
	m.vocabulary.weights = d.floats(len(m.vocabulary.slots))
	if m.vocabulary.turns != nil {
		m.vocabulary.turns.words = d.floats(len(m.vocabulary.slots))
	}
	if dense := m.vocabulary.dense; dense != nil {
		dense.mean = d.floats(dense.base.Dimension)
	}
	labels := 0
	for _, target := range m.targets {
		labels += len(target.Labels)
	}
	m.bias, m.scales = d.floats(labels), d.floats(labels)
	m.weights = d.data
	if d.err == nil && len(m.weights) != labels*m.vocabulary.count() {
		d.fail("the number of weights is not that of labels and features")
	}
	if d.err != nil {
		return nil, d.err
	}
	m.vocabulary.index()
	m.prepare()
	return m, nil
}

// verify returns what is between magic and checksum.
func verify(data []byte) ([]byte, error) {
	kind := len(magic) - 1
	switch {
	case len(data) > maxFileBytes:
		return nil, fmt.Errorf("more than %d bytes: not a model file", maxFileBytes)
	case len(data) < len(magic)+sha256.Size || string(data[:kind]) != magic[:kind]:
		return nil, errors.New("not a model file")
	case data[kind] != magic[kind]:
		return nil, &VersionError{Version: data[kind]}
	}
	content, checksum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if sum := sha256.Sum256(content); !bytes.Equal(sum[:], checksum) {
		return nil, errors.New("the checksum does not match: the file is damaged or incomplete")
	}
	return content[len(magic):], nil
}

// decoder takes values off the front of data. After the first failure it returns
// zero values. A checksum is no signature: everything is checked.
type decoder struct {
	data []byte
	err  error
}

func (d *decoder) fail(reason string) {
	if d.err == nil {
		d.err = errors.New(reason)
	}
	d.data = nil
}

func (d *decoder) number(most uint64) uint64 {
	value, size := binary.Uvarint(d.data)
	if size <= 0 || value > most {
		d.fail("a number is missing or out of range")
		return 0
	}
	d.data = d.data[size:]
	return value
}

func (d *decoder) bytes(length int) []byte {
	if length > len(d.data) {
		d.fail("the file ends too early")
		return nil
	}
	value := d.data[:length]
	d.data = d.data[length:]
	return value
}

func (d *decoder) header(m *Model) {
	var h header
	if err := json.Unmarshal(d.bytes(int(d.number(maxFileBytes))), &h); err != nil {
		d.fail("the header is not valid JSON")
		return
	}
	if err := checkTargets(h.Targets); err != nil {
		d.fail(err.Error())
		return
	}
	if base := h.BaseModel; base != nil {
		if base.Dimension < 1 || base.Dimension > MaxDimension {
			d.fail("the header is inconsistent")
			return
		}
		m.vocabulary.dense = &dense{base: *base}
	}
	valid := len(h.Calibrations) == len(h.Targets) && h.Turns.plausible() && h.UnknownWeight >= 0 && h.UnknownWeight <= largestFloat
	for i := 0; valid && i < len(h.Targets); i++ {
		valid = h.Calibrations[i].fits(h.Targets[i])
	}
	if !valid {
		d.fail("the header is inconsistent")
		return
	}
	m.targets, m.calibrations = h.Targets, h.Calibrations
	m.vocabulary.turns, m.vocabulary.unknown = h.Turns, h.UnknownWeight
}

// plausible tells whether every place has a weight.
func (w *turnWeights) plausible() bool {
	return w == nil || len(w.Places) == places &&
		!slices.ContainsFunc(w.Places, func(weight float32) bool { return !(math.Abs(float64(weight)) <= largestFloat) })
}

func (c calibration) fits(target Target) bool {
	if c.Temperature < lowestTemperature || c.Temperature > highestTemperature {
		return false
	}
	if len(c.Scope) > scopeSteps+1 || !slices.IsSorted(c.Scope) {
		return false
	}
	i := c.Independent
	if i == nil || target.Loss == SingleClass {
		return i == nil && target.Loss == SingleClass
	}
	return len(i.Thresholds) == len(target.Labels) && i.LogOdds.plausible()
}

func (d *decoder) features() []uint32 {
	count := int(d.number(slots))
	if count > len(d.data) { // each takes a byte at least
		d.fail("the file ends too early")
		return nil
	}
	slotsOf := make([]uint32, count)
	previous := uint64(0)
	for i := range count {
		slot := previous + d.number(slots)
		if slot >= slots || i > 0 && slot == previous {
			d.fail("the features are not in order")
			return nil
		}
		slotsOf[i] = uint32(slot)
		previous = slot
	}
	return slotsOf
}

// largestFloat is far above any bias or scale, and keeps margins finite.
const largestFloat = 1e6

func (d *decoder) floats(count int) []float32 {
	data := d.bytes(4 * count)
	if data == nil {
		return nil
	}
	values := make([]float32, count)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		if !(math.Abs(float64(values[i])) <= largestFloat) {
			d.fail("a bias or scale is out of range")
			return nil
		}
	}
	return values
}
