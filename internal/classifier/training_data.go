package classifier

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"slices"
)

// trainingExamples are those of a corpus, and the labels' names after them.
type trainingExamples struct {
	corpus *Corpus
	names  []Example
}

func (e trainingExamples) count() int { return e.corpus.Len() + len(e.names) }

// all reads them in order. An example is valid until the next.
func (e trainingExamples) all() iter.Seq2[*Example, error] {
	return func(yield func(*Example, error) bool) {
		for example, err := range e.corpus.all() {
			if !yield(example, err) || err != nil {
				return
			}
		}
		for i := range e.names {
			if !yield(&e.names[i], nil) {
				return
			}
		}
	}
}

// trainingData is what all fits of a training learn from. They only read it.
type trainingData struct {
	examples     trainingExamples
	targets      []Target
	heads        []head
	vocabulary   *vocabulary
	meanWeight   float64
	labelWeights []float32  // of each column
	first        []sample   // of the first examples
	vectors      *table     // of the others; nil when they are too large to be kept
	bayes        *linear    // nil unless repeatable
	odds         *linear    // nil unless repeatable and a target has NB-SVM
	kinships     []*kinship // of each target's labels
}

// maxKeptFeatures bounds the room of the vectors, which are made anew for each pass
// when there are more: 256 MiB.
const maxKeptFeatures = 1 << 25

const (
	// maxFirstBytes of samples stay in memory, so that small data is learned from as fast
	// as it can be: about ten thousand texts of a dozen words.
	maxFirstBytes = 24 << 20
	// sampleBytes is what a sample takes beside its features.
	sampleBytes = 160
)

// newTrainingData is for examples that a survey tells of.
func newTrainingData(examples trainingExamples, s *survey, targets []Target, heads []head, vocabulary *vocabulary) *trainingData {
	d := &trainingData{
		examples:     examples,
		targets:      targets,
		heads:        heads,
		vocabulary:   vocabulary,
		meanWeight:   s.meanWeight(),
		labelWeights: labelWeights(s.frequencies, heads),
	}
	for _, target := range targets {
		d.kinships = append(d.kinships, newKinship(target))
	}
	return d
}

// keepVectors writes the vectors to disk if they are not too many.
func (d *trainingData) keepVectors(ctx context.Context, files *scratchFiles) error {
	vectors, err := newTable(files)
	if err != nil {
		return err
	}
	vectorizer := newVectorizer(d.vocabulary)
	features, bytes := 0, 0
	var record []byte
	for example, err := range d.examples.all() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("reading features: %w", err)
		}
		x := vectorizer.vectorizeBoth(example.Text, example.Dense)
		features += len(x.features)
		bytes += sampleBytes + 8*len(x.features)
		if features > maxKeptFeatures {
			d.first = nil
			return vectors.empty()
		}
		if bytes <= maxFirstBytes {
			d.first = append(d.first, sample{cloneLabels(example.Labels), weight(example), x.clone()})
			continue
		}
		record = appendVector(appendHead(record[:0], *example), x)
		if err := vectors.append(record); err != nil {
			return err
		}
	}
	d.vectors = vectors
	return vectors.flush()
}

func cloneLabels(labels [][]int) [][]int {
	clones := make([][]int, len(labels))
	for t := range labels {
		clones[t] = slices.Clone(labels[t])
	}
	return clones
}

func appendVector(record []byte, x vector) []byte {
	for _, feature := range x.features {
		record = binary.LittleEndian.AppendUint32(record, feature)
	}
	for _, value := range x.values {
		record = binary.LittleEndian.AppendUint32(record, math.Float32bits(value))
	}
	return record
}

// sampleReader reads samples, for one goroutine at a time.
type sampleReader struct {
	data       *trainingData
	vectorizer *vectorizer // nil when vectors are kept
	head       headReader
	record     []byte
	row        denseRow
	kept       vector
}

// sample is what is learned from an example.
type sample struct {
	labels [][]int
	weight float64
	vector vector
}

func (d *trainingData) newReader() *sampleReader {
	r := &sampleReader{data: d}
	if d.vectors == nil {
		r.vectorizer = newVectorizer(d.vocabulary)
	}
	return r
}

// read returns a sample that is valid until the next.
func (r *sampleReader) read(i int32) (sample, error) {
	if int(i) < len(r.data.first) {
		return r.data.first[i], nil
	}
	if r.vectorizer == nil {
		return r.readKept(int(i) - len(r.data.first))
	}
	examples := r.data.examples
	if i := int(i) - examples.corpus.Len(); i >= 0 {
		return r.sample(&examples.names[i]), nil
	}
	var err error
	if r.record, err = examples.corpus.table.read(int(i), r.record); err != nil {
		return sample{}, err
	}
	example := r.head.example(r.record)
	example.Dense, err = examples.corpus.vectors.read(int(i), &r.row)
	return r.sample(example), err
}

func (r *sampleReader) sample(example *Example) sample {
	return sample{example.Labels, weight(example), r.vectorizer.vectorizeBoth(example.Text, example.Dense)}
}

func (r *sampleReader) readKept(i int) (sample, error) {
	var err error
	if r.record, err = r.data.vectors.read(i, r.record); err != nil {
		return sample{}, err
	}
	rest := r.head.read(r.record)
	count := len(rest) / 8
	r.kept.features, r.kept.values = resize(r.kept.features, count), resize(r.kept.values, count)
	features, values := rest[:4*count], rest[4*count:]
	for i := range r.kept.features {
		r.kept.features[i] = binary.LittleEndian.Uint32(features[4*i:])
		r.kept.values[i] = math.Float32frombits(binary.LittleEndian.Uint32(values[4*i:]))
	}
	return sample{r.head.result.Labels, weight(&r.head.result), r.kept}, nil
}

// spreadExamples are enough to tell how far margins spread.
const spreadExamples = 2000

// spreads returns, for each head, the root of the mean variance of the labels' margins.
func (d *trainingData) spreads(weights *linear) ([]float64, error) {
	reader := d.newReader()
	margins := make([]float32, weights.columns)
	sums, squares := make([]float64, weights.columns), make([]float64, weights.columns)
	examples := 0.0
	for i := 0; i < d.examples.count(); i += 1 + d.examples.count()/spreadExamples {
		sample, err := reader.read(int32(i))
		if err != nil {
			return nil, err
		}
		weights.margins(sample.vector, margins)
		for column, margin := range margins {
			sums[column] += float64(margin)
			squares[column] += float64(margin) * float64(margin)
		}
		examples++
	}
	spreads := make([]float64, len(d.heads))
	for i, h := range d.heads {
		variances := 0.0
		for column := h.first; column < h.end; column++ {
			variances += max(squares[column]/examples-math.Pow(sums[column]/examples, 2), 0)
		}
		spreads[i] = math.Sqrt(variances / float64(h.end-h.first))
	}
	return spreads, nil
}

const (
	// maxRelativeWeight keeps a step from overshooting so far that no other example can
	// correct it.
	maxRelativeWeight = 10
	// minRelativeWeight is hardly anything, but its inverse is a number.
	minRelativeWeight = 1e-6
)

// gradientWeight is what a sample counts in a head's gradient.
func (d *trainingData) gradientWeight(s sample, target int) float32 {
	relative := float32(min(max(s.weight/d.meanWeight, minRelativeWeight), maxRelativeWeight))
	h := d.heads[target]
	if h.loss == MultiClass {
		return relative
	}
	return min(relative*d.labelWeights[h.first+s.labels[target][0]], maxRelativeWeight)
}

// labelWeights are, for each label of a single_class target, what its examples weigh:
// the less the more of them there are, by the square root, so that the rare labels
// are not drowned.
func labelWeights(frequencies [][]int, heads []head) []float32 {
	weights := make([]float32, columns(heads))
	for i, h := range heads {
		if h.loss == MultiClass {
			continue
		}
		count, roots := 0.0, 0.0
		for _, frequency := range frequencies[i] {
			count += float64(frequency)
			roots += math.Sqrt(float64(frequency))
		}
		for label, frequency := range frequencies[i] {
			weights[h.first+label] = float32(count / roots / math.Sqrt(float64(frequency)))
		}
	}
	return weights
}
