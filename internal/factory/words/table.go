// Package words has tables of word vectors: what words mean, learned elsewhere from texts
// without labels. It makes a table of the files that others publish, keeps it in a file a
// fraction of their size, and makes vectors of texts with it. Pure: readers and writers only.
package words

import (
	"context"
	"encoding/hex"
	"math"
)

const (
	// maxWords and maxDimension bound what a table takes: most that are published for a
	// language have fewer.
	maxWords     = 1 << 20
	maxDimension = 4096
	// maxWordBytes is more than any word has.
	maxWordBytes = 256
)

// Table has a vector for each of its words. It is safe for concurrent use.
type Table struct {
	about
	words   []string // the most frequent ones first
	rows    map[string]int32
	scales  []float32 // of each word
	vectors []byte    // a row of signed bytes for each word; times its scale, a byte is a number
	digest  [digestBytes]byte
}

// about is what a table says of itself. It is a part of the file.
type about struct {
	Vectors   int      `json:"words"`
	Numbers   int      `json:"dimension"`
	Spoken    []string `json:"languages,omitempty"`
	WordPiece bool     `json:"word_piece,omitempty"` // unknown words are made of parts, which are words with a prefix
}

// Dimension is the length of a vector.
func (t *Table) Dimension() int { return t.Numbers }

// Words is their number.
func (t *Table) Words() int { return len(t.words) }

// Languages are those of the words, if whoever imported them has said.
func (t *Table) Languages() []string { return t.Spoken }

// Digest is the SHA-256 of the file in hexadecimal.
func (t *Table) Digest() string { return hex.EncodeToString(t.digest[:]) }

// wordBytes is what a word takes in memory beside its vector.
const wordBytes = 96

// MemoryBytes is what the table takes in memory, at most.
func (t *Table) MemoryBytes() int64 {
	return int64(len(t.words))*wordBytes + int64(len(t.vectors))
}

// Represent returns the vectors of the texts, one after the other: the mean of those of a
// text's words, the frequent ones of which weigh less. Of a text without known words it
// is zero.
func (t *Table) Represent(ctx context.Context, texts []string) ([]float32, error) {
	vectors := make([]float32, len(texts)*t.Numbers)
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t.represent(text, vectors[i*t.Numbers:(i+1)*t.Numbers])
	}
	return vectors, nil
}

func (t *Table) represent(text string, vector []float32) {
	known := 0
	for word := range t.split(text) {
		if row, ok := t.rows[word]; ok {
			t.addRow(row, vector)
			known++
			continue
		}
		if t.WordPiece {
			known += t.addParts(word, vector)
		}
	}
	if known == 0 {
		return
	}
	for i := range vector {
		vector[i] /= float32(known)
	}
}

func (t *Table) addRow(row int32, vector []float32) {
	scale, start := t.scales[row], int(row)*t.Numbers
	for i, number := range t.vectors[start : start+t.Numbers] {
		vector[i] += scale * float32(int8(number))
	}
}

// partPrefix is what the words begin with that are the second and later parts of others.
const partPrefix = "##"

// addParts adds the vectors of a word's parts, each the longest that there is, and returns
// their number. A word of which a part is unknown has none.
func (t *Table) addParts(word string, vector []float32) int {
	var parts []int32
	for prefix := ""; word != ""; prefix = partPrefix {
		row, length := t.longestPart(prefix, word)
		if length == 0 {
			return 0
		}
		parts, word = append(parts, row), word[length:]
	}
	for _, row := range parts {
		t.addRow(row, vector)
	}
	return len(parts)
}

func (t *Table) longestPart(prefix, word string) (row int32, length int) {
	for length := len(word); length > 0; length-- {
		if row, ok := t.rows[prefix+word[:length]]; ok {
			return row, length
		}
	}
	return 0, 0
}

// add appends a word, unless it is there, or its vector is no vector.
func (t *Table) add(word string, vector []float32, weight float32) {
	if _, ok := t.rows[word]; ok {
		return
	}
	largest := float32(0)
	for _, number := range vector {
		largest = max(largest, float32(math.Abs(float64(number))))
	}
	if !(largest > 0 && largest <= largestNumber) {
		return
	}
	t.rows[word] = int32(len(t.words))
	t.words = append(t.words, word)
	t.scales = append(t.scales, weight*largest/math.MaxInt8)
	for _, number := range vector {
		t.vectors = append(t.vectors, byte(int8(math.Round(float64(number)*math.MaxInt8/float64(largest)))))
	}
}

// largestNumber is far above those of any published vector, and keeps sums finite.
const largestNumber = 1e6
