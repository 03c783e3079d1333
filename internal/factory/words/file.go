package words

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// A table's file is
//
//	magic     8 bytes, the last of which is the version
//	about     its length, then as much JSON
//	words     for each its length, then as many bytes of UTF-8
//	scales    a float32 for every word
//	vectors   a signed byte for every number of every word
//	checksum  SHA-256 of all before
//
// Lengths are unsigned varints, floats are little-endian.
const magic = "CFWORDS\x01"

const (
	digestBytes = sha256.Size
	// maxFileBytes bounds the memory that a table takes: half a million words of 500 numbers.
	maxFileBytes  = 256 << 20
	maxAboutBytes = 64 << 10
)

// WriteTo writes the file. The same table gives the same bytes.
func (t *Table) WriteTo(w io.Writer) (int64, error) {
	content, err := t.appendContent([]byte(magic))
	if err != nil {
		return 0, err
	}
	written, err := w.Write(append(content, t.digest[:]...))
	return int64(written), err
}

// seal computes what follows from a table's words.
func (t *Table) seal() error {
	t.Vectors = len(t.words)
	content, err := t.appendContent([]byte(magic))
	t.digest = sha256.Sum256(content)
	return err
}

// appendContent appends all between magic and checksum.
func (t *Table) appendContent(data []byte) ([]byte, error) {
	head, err := json.Marshal(t.about)
	if err != nil {
		return nil, err
	}
	data = append(binary.AppendUvarint(data, uint64(len(head))), head...)
	for _, word := range t.words {
		data = append(binary.AppendUvarint(data, uint64(len(word))), word...)
	}
	for _, scale := range t.scales {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(scale))
	}
	return append(data, t.vectors...), nil
}

// Read reads a table's file to the end of r.
func Read(r io.Reader) (*Table, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	content, err := verify(data)
	if err != nil {
		return nil, err
	}
	t := &Table{digest: [digestBytes]byte(data[len(data)-digestBytes:])}
	return t, t.decode(content)
}

// verify returns what is between magic and checksum.
func verify(data []byte) ([]byte, error) {
	kind := len(magic) - 1
	switch {
	case len(data) > maxFileBytes:
		return nil, fmt.Errorf("more than %d bytes: no table of word vectors has as many", maxFileBytes)
	case len(data) < len(magic)+digestBytes || string(data[:kind]) != magic[:kind]:
		return nil, errors.New("not a table of word vectors: factory base import makes one from published vectors")
	case data[kind] != magic[kind]:
		return nil, fmt.Errorf("version %d of the file format instead of %d: import the vectors again", data[kind], magic[kind])
	}
	content, checksum := data[:len(data)-digestBytes], data[len(data)-digestBytes:]
	if sum := sha256.Sum256(content); !bytes.Equal(sum[:], checksum) {
		return nil, errors.New("the checksum does not match: the file is damaged or incomplete")
	}
	return content[len(magic):], nil
}

var errInconsistent = errors.New("the parts of the file do not fit each other")

// decode checks everything: a checksum is no signature.
func (t *Table) decode(content []byte) error {
	in := bufio.NewReader(bytes.NewReader(content))
	head, err := readBytes(in, maxAboutBytes)
	if err != nil {
		return errInconsistent
	}
	if err := json.Unmarshal(head, &t.about); err != nil || !plausible(t.Vectors, t.Numbers) || t.Vectors > len(content) {
		return errInconsistent
	}
	if err := t.decodeWords(in); err != nil {
		return err
	}
	t.scales = make([]float32, t.Vectors)
	if err := binary.Read(in, binary.LittleEndian, t.scales); err != nil {
		return errInconsistent
	}
	for _, scale := range t.scales {
		if !(scale >= 0 && scale <= largestNumber) {
			return errInconsistent
		}
	}
	length := t.Vectors * t.Numbers
	if length > len(content) {
		return errInconsistent
	}
	t.vectors = make([]byte, length)
	if _, err := io.ReadFull(in, t.vectors); err != nil {
		return errInconsistent
	}
	if _, err := in.ReadByte(); err != io.EOF {
		return errInconsistent
	}
	return nil
}

func (t *Table) decodeWords(in *bufio.Reader) error {
	t.rows = make(map[string]int32, t.Vectors)
	for row := range int32(t.Vectors) {
		word, err := readBytes(in, maxWordBytes)
		if err != nil || len(word) == 0 {
			return errInconsistent
		}
		t.words = append(t.words, string(word))
		t.rows[string(word)] = row
	}
	if len(t.rows) != t.Vectors {
		return errInconsistent // a word is there twice
	}
	return nil
}

func readBytes(in *bufio.Reader, most uint64) ([]byte, error) {
	length, err := binary.ReadUvarint(in)
	if err != nil || length > most {
		return nil, errInconsistent
	}
	data := make([]byte, length)
	_, err = io.ReadFull(in, data)
	return data, err
}

func plausible(words, dimension int) bool {
	return words > 0 && words <= maxWords && dimension > 0 && dimension <= maxDimension
}
