package words

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
)

const (
	maxTokenizerBytes    = 64 << 20
	maxTensorHeaderBytes = 1 << 20
)

// readVocabulary returns the words of a tokenizer, by their numbers.
func readVocabulary(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxTokenizerBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxTokenizerBytes {
		return nil, fmt.Errorf("more than %d bytes", maxTokenizerBytes)
	}
	return parseVocabulary(data)
}

// tokenizer is the part of a tokenizer's file on which it depends what its words are.
type tokenizer struct {
	Model struct {
		Type       string         `json:"type"`
		Prefix     string         `json:"continuing_subword_prefix"`
		Vocabulary map[string]int `json:"vocab"`
	} `json:"model"`
	Normalizer struct {
		Type      string `json:"type"`
		Lowercase bool   `json:"lowercase"`
		Strips    *bool  `json:"strip_accents"`
	} `json:"normalizer"`
}

func parseVocabulary(data []byte) ([]string, error) {
	var t tokenizer
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, errors.New("it is not the JSON of a tokenizer with the model WordPiece")
	}
	switch n := t.Normalizer; {
	case t.Model.Type != "WordPiece" || t.Model.Prefix != partPrefix:
		return nil, fmt.Errorf("the model %q: only WordPiece with the prefix %s is supported", t.Model.Type, partPrefix)
	case n.Type != "BertNormalizer" || !n.Lowercase || n.Strips != nil && !*n.Strips:
		return nil, errors.New("only BertNormalizer that lower-cases and strips accents is supported")
	}
	vocabulary := make([]string, len(t.Model.Vocabulary))
	for word, number := range t.Model.Vocabulary {
		if number < 0 || number >= len(vocabulary) || vocabulary[number] != "" {
			return nil, errors.New("the words are not numbered from 0")
		}
		vocabulary[number] = word
	}
	return vocabulary, nil
}

// tensor reads the rows of a matrix in a file of safetensors: the length of a header, a
// header that says where the numbers of each tensor are, and these.
type tensor struct {
	rows, columns int
	halves        bool // numbers of 16 bits
	file          io.Closer
	in            *bufio.Reader
	row           []float32
	bytes         []byte
}

// tensorHeader says of a tensor what its numbers are and where.
type tensorHeader struct {
	Type    string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets []int  `json:"data_offsets"`
}

// openTensor finds the matrix of a folder's vectors.
func openTensor(path string) (*tensor, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t, err := newTensor(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	t.file = file
	return t, nil
}

func (t *tensor) close() { _ = t.file.Close() } // it was only read

func newTensor(r io.Reader) (*tensor, error) {
	in := bufio.NewReader(r)
	var length uint64
	if err := binary.Read(in, binary.LittleEndian, &length); err != nil || length > maxTensorHeaderBytes {
		return nil, errors.New("it does not begin with the length of a header: it is no file of safetensors")
	}
	data := make([]byte, length)
	if _, err := io.ReadFull(in, data); err != nil {
		return nil, errors.New("the file ends in its header")
	}
	var headers map[string]json.RawMessage
	if err := json.Unmarshal(data, &headers); err != nil {
		return nil, errors.New("the header is not JSON")
	}
	for _, name := range []string{"weights", "mapping"} {
		if headers[name] != nil {
			return nil, fmt.Errorf("the tensor %q is not supported: only models with one vector for each word, and nothing beside, are", name)
		}
	}
	for _, name := range []string{"embeddings", "embedding.weight"} {
		if headers[name] != nil {
			return parseTensor(headers[name], in)
		}
	}
	return nil, errors.New("it has no tensor embeddings")
}

func parseTensor(data []byte, in *bufio.Reader) (*tensor, error) {
	var h tensorHeader
	if err := json.Unmarshal(data, &h); err != nil || len(h.Shape) != 2 || len(h.Offsets) != 2 || !plausible(h.Shape[0], h.Shape[1]) {
		return nil, fmt.Errorf("the tensor has no shape of up to %d rows and %d columns", maxWords, maxDimension)
	}
	size := slices.Index([]string{"", "", "F16", "", "F32"}, h.Type)
	if size < 2 {
		return nil, fmt.Errorf("numbers of the type %q: only F16 and F32 are supported", h.Type)
	}
	if h.Offsets[0] < 0 || h.Offsets[1]-h.Offsets[0] != h.Shape[0]*h.Shape[1]*size {
		return nil, errors.New("the tensor has not as many bytes as its shape says")
	}
	if _, err := in.Discard(h.Offsets[0]); err != nil {
		return nil, errors.New("the file ends before the vectors")
	}
	return &tensor{
		rows: h.Shape[0], columns: h.Shape[1], halves: size == 2, in: in,
		row: make([]float32, h.Shape[1]), bytes: make([]byte, size*h.Shape[1]),
	}, nil
}

// next returns a row that is valid until the next.
func (t *tensor) next() ([]float32, error) {
	if _, err := io.ReadFull(t.in, t.bytes); err != nil {
		return nil, cut(err)
	}
	for i := range t.row {
		if t.halves {
			t.row[i] = halfFloat(binary.LittleEndian.Uint16(t.bytes[2*i:]))
		} else {
			t.row[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.bytes[4*i:]))
		}
	}
	return t.row, nil
}

// halfFloat is the number that IEEE 754 writes in 16 bits.
func halfFloat(bits uint16) float32 {
	sign, exponent, fraction := float64(1), int(bits>>10&0x1f), float64(bits&0x3ff)
	if bits>>15 == 1 {
		sign = -1
	}
	switch exponent {
	case 0:
		return float32(sign * math.Ldexp(fraction, -24))
	case 0x1f:
		return float32(math.NaN())
	default:
		return float32(sign * math.Ldexp(1024+fraction, exponent-25))
	}
}
