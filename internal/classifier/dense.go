package classifier

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
)

// Representation makes dense vectors of texts, learned elsewhere.
type Representation interface {
	// Dimension is the length of a vector.
	Dimension() int
	// Represent returns the vectors of the texts, one after the other, each Dimension long.
	Represent(ctx context.Context, texts []string) ([]float32, error)
}

// BaseModel is the representation that a model was trained with.
type BaseModel struct {
	Name      string `json:"name"`
	Digest    string `json:"digest"` // of what the vectors depend on
	Dimension int    `json:"dimension"`
	// Fingerprint recognises what has no digest of its own, and whose vectors are not the
	// same to the last bit each time.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// MaxDimension bounds the length of a representation's vectors.
const MaxDimension = 4096

// Content returns what of a text that is trained or classified is represented: of a
// conversation what the user said last, or whoever did where that is nobody.
func Content(text string) string {
	if !isConversation(text) {
		return text
	}
	turns := splitTurns(text, nil)
	for _, turn := range slices.Backward(turns) {
		if turn.role == userRole {
			return text[turn.start:turn.end]
		}
	}
	if len(turns) == 0 {
		return ""
	}
	last := turns[len(turns)-1]
	return text[last.start:last.end]
}

// dense makes a group of features of a representation's vectors. They come after all
// others.
type dense struct {
	base BaseModel
	mean []float32 // of the training texts' vectors: what all have in common tells nothing apart
}

// BaseModel returns that whose vectors the model is asked with; nil if it needs none.
func (m *Model) BaseModel() *BaseModel {
	if m.vocabulary.dense == nil {
		return nil
	}
	base := m.vocabulary.dense.base
	return &base
}

// mean is that of the dense group, if there is one.
func (v *vocabulary) mean() []float32 {
	if v.dense == nil {
		return nil
	}
	return v.dense.mean
}

// count is the number of features, those of the dense group included.
func (v *vocabulary) count() int { return len(v.slots) + len(v.mean()) }

// vectorizeBoth is vectorize with the dense group of a representation's vector.
func (v *vectorizer) vectorizeBoth(text string, represented []float32) vector {
	if len(v.vocabulary.slots) > 0 {
		v.vectorize(text)
	} else {
		v.vector.features, v.vector.values = v.vector.features[:0], v.vector.values[:0]
	}
	if v.vocabulary.dense != nil {
		v.vector = v.vocabulary.dense.append(v.vector, uint32(len(v.vocabulary.slots)), represented)
	}
	return v.vector
}

// append appends the group, of length one, whose first feature is given. A vector of zeros
// says that nothing of the text is known.
func (d *dense) append(x vector, first uint32, represented []float32) vector {
	if len(represented) != len(d.mean) || !slices.ContainsFunc(represented, func(value float32) bool { return value != 0 }) {
		return x
	}
	square := 0.0
	for i, value := range represented {
		square += math.Pow(float64(value-d.mean[i]), 2)
	}
	if !(square > 0) || math.IsInf(square, 1) {
		return x
	}
	scale := float32(1 / math.Sqrt(square))
	for i, value := range represented {
		x.features = append(x.features, first+uint32(i))
		x.values = append(x.values, scale*(value-d.mean[i]))
	}
	return x
}

const (
	// representedTexts are represented at a time, or fewer long ones.
	representedTexts = 256
	representedBytes = 1 << 20
)

// represent makes the vectors of all texts, on disk beside them.
func (c *Corpus) represent(ctx context.Context, r Representation) error {
	if c.Len() == 0 {
		return nil
	}
	file, err := c.files.create()
	if err != nil {
		return err
	}
	w := &denseWriter{representation: r, file: file}
	for example, err := range c.all() {
		if err == nil {
			err = w.add(ctx, example.Text)
		}
		if err != nil {
			return fmt.Errorf("representing texts: %w", err)
		}
	}
	if err := w.flush(ctx); err != nil {
		return fmt.Errorf("representing texts: %w", err)
	}
	c.vectors = &denseFile{file: file, dimension: r.Dimension()}
	return nil
}

// denseWriter represents texts, many at a time.
type denseWriter struct {
	representation Representation
	file           *os.File
	texts          []string
	bytes          int
}

func (w *denseWriter) add(ctx context.Context, text string) error {
	content := string([]byte(Content(text)))
	w.texts, w.bytes = append(w.texts, content), w.bytes+len(content)
	if len(w.texts) < representedTexts && w.bytes < representedBytes {
		return nil
	}
	return w.flush(ctx)
}

func (w *denseWriter) flush(ctx context.Context) error {
	vectors, err := represent(ctx, w.representation, w.texts)
	if err != nil {
		return err
	}
	w.texts, w.bytes = w.texts[:0], 0
	return writeFloats(w.file, vectors)
}

// represent checks what a representation returns.
func represent(ctx context.Context, r Representation, texts []string) ([]float32, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	vectors, err := r.Represent(ctx, texts)
	if err != nil {
		return nil, err
	}
	if len(vectors) != len(texts)*r.Dimension() {
		return nil, fmt.Errorf("%d numbers for %d texts instead of %d for each", len(vectors), len(texts), r.Dimension())
	}
	if slices.ContainsFunc(vectors, func(value float32) bool { return !(math.Abs(float64(value)) <= largestFloat) }) {
		return nil, errors.New("vectors whose values are not numbers of a sensible size")
	}
	return vectors, nil
}

// denseFile has the vectors of a corpus' texts. It is safe for concurrent use.
type denseFile struct {
	file      *os.File
	dimension int
}

// denseRow is memory for a vector that is read.
type denseRow struct {
	bytes  []byte
	values []float32
}

// read returns the vector of the i-th text, which is valid until the row is used again. A
// corpus that was not represented has none.
func (f *denseFile) read(i int, row *denseRow) ([]float32, error) {
	if f == nil {
		return nil, nil
	}
	row.bytes, row.values = resize(row.bytes, 4*f.dimension), resize(row.values, f.dimension)
	if _, err := f.file.ReadAt(row.bytes, int64(i)*int64(len(row.bytes))); err != nil {
		return nil, fmt.Errorf("reading a scratch file: %w", err)
	}
	for j := range row.values {
		row.values[j] = math.Float32frombits(binary.LittleEndian.Uint32(row.bytes[4*j:]))
	}
	return row.values, nil
}

// mean is that of the first count vectors but those that are zero.
func (f *denseFile) mean(ctx context.Context, count int) ([]float32, error) {
	sums, known := make([]float64, f.dimension), 0.0
	var row denseRow
	for i := range count {
		vector, err := f.read(i, &row)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(vector, func(value float32) bool { return value != 0 }) {
			known++
		}
		for j, value := range vector {
			sums[j] += float64(value)
		}
	}
	mean := make([]float32, f.dimension)
	for j := range mean {
		mean[j] = float32(sums[j] / max(known, 1))
	}
	return mean, nil
}
