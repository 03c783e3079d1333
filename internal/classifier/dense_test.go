package classifier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// shades are words for a colour, of which an example has one.
var shades = map[string][]string{
	"red":   {"scarlet", "crimson", "ruby", "cherry", "brick", "rust", "wine", "rose"},
	"green": {"olive", "lime", "moss", "jade", "mint", "fern", "pine", "sage"},
	"blue":  {"azure", "navy", "cobalt", "teal", "denim", "sky", "royal", "ink"},
}

// meanings knows of each shade which colour it is, and of a conversation's roles nothing.
type meanings struct {
	asked []string
	err   error
}

func (*meanings) Dimension() int { return 4 }

func (m *meanings) Represent(_ context.Context, texts []string) ([]float32, error) {
	m.asked = append(m.asked, texts...)
	vectors := make([]float32, 0, 4*len(texts))
	for _, text := range texts {
		vector := []float32{0, 0, 0, 0}
		for i, colour := range colours.Labels {
			if hasAny(text, shades[colour]) || strings.Contains(text, colour) {
				vector[i], vector[3] = 1, 0.5
			}
		}
		vectors = append(vectors, vector...)
	}
	return vectors, m.err
}

func hasAny(text string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
}

// noise knows nothing, whatever it says.
type noise struct{}

func (noise) Dimension() int { return 8 }

func (noise) Represent(_ context.Context, texts []string) ([]float32, error) {
	var vectors []float32
	for _, text := range texts {
		hash := fnv.New64a()
		_, _ = hash.Write([]byte(text))
		random := rand.New(rand.NewPCG(hash.Sum64(), 0))
		for range 8 {
			vectors = append(vectors, float32(random.NormFloat64()))
		}
	}
	return vectors, nil
}

// shadeExamples have the shades from first up to end.
func shadeExamples(first, end int) []Example {
	var examples []Example
	for i := first; i < end; i++ {
		for label, colour := range colours.Labels {
			for f, filler := range fillers {
				examples = append(examples, Example{Text: fmt.Sprintf("%s it is %s %d", filler, shades[colour][i], f), Labels: [][]int{{label}}})
			}
		}
	}
	return examples
}

var meaningsModel = BaseModel{Name: "meanings", Digest: "1234"}

func TestRepresentationTellsOfWordsThatNoExampleHas(t *testing.T) {
	for _, test := range []struct {
		reason          string
		examples, valid []Example
	}{
		{"with examples held out", shadeExamples(0, 4), nil},
		{"with validation examples", shadeExamples(0, 4), shadeExamples(4, 6)},
		{"with too few to hold any out", shadeExamples(0, 4)[:45], nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			unknown := shadeExamples(6, 8)
			without := train(t, test.examples, test.valid, Options{Targets: []Target{colours}})
			r := &meanings{}
			with := train(t, test.examples, test.valid, Options{Targets: []Target{colours}, Representation: r, BaseModel: meaningsModel})
			if got := rightOf(t, without, nil, unknown); got > 0.7 {
				t.Errorf("%.2f are right without it: the test shows nothing", got)
			}
			if got := rightOf(t, with, r, unknown); got < 0.99 {
				t.Errorf("%.2f are right", got)
			}
			if base := with.BaseModel(); base == nil || *base != (BaseModel{Name: "meanings", Digest: "1234", Dimension: 4}) || without.BaseModel() != nil {
				t.Errorf("base models %v and %v", base, without.BaseModel())
			}
			if scores := with.Classify("it is red", nil)[0]; scores[0] < scores[1] || math.Abs(scores[0]+scores[1]+scores[2]-1) > 1e-6 {
				t.Errorf("scores %v without a vector", scores)
			}
		})
	}
}

func rightOf(t *testing.T, model *Model, r Representation, examples []Example) float64 {
	right := 0.0
	for _, example := range examples {
		var vector []float32
		if r != nil {
			var err error
			if vector, err = r.Represent(t.Context(), []string{Content(example.Text)}); err != nil {
				t.Fatal(err)
			}
		}
		if highest(model.ClassifyDense(example.Text, vector, nil)[0]) == example.Labels[0][0] {
			right++
		}
	}
	return right / float64(len(examples))
}

func TestRepresentationServesEveryKindOfTarget(t *testing.T) {
	single := colours
	multi := Target{Name: "shade", Labels: colours.Labels, Loss: MultiClass, Weight: 1}
	examples := shadeExamples(0, 4)
	for i := range examples {
		examples[i].Labels = append(examples[i].Labels, examples[i].Labels[0])
	}
	r := &meanings{}
	model := train(t, examples, nil, Options{Targets: []Target{single, multi}, Representation: r, BaseModel: meaningsModel})
	vector, _ := r.Represent(t.Context(), []string{"royal"})
	probabilities := model.ProbabilitiesDense("royal", vector, nil)
	for target := range probabilities {
		if got := model.Decide(target, probabilities[target], nil); !slices.Equal(got, []int{2}) {
			t.Errorf("target %d: labels %v with %v", target, got, probabilities[target])
		}
	}
}

func TestRepresentationThatIsNoHelpIsLeftOut(t *testing.T) {
	examples := colourExamples(600)
	for i := 0; i < len(examples); i += 7 {
		examples[i].Labels = [][]int{{i / 7 % 3}} // whatever it says
	}
	for i := range examples {
		examples[i].Text += fmt.Sprintf(" %d", i) // of which the noise is
	}
	examples, valid := examples[:300], examples[300:]
	without := train(t, examples, valid, Options{Targets: []Target{colours}})
	with := train(t, examples, valid, Options{Targets: []Target{colours}, Representation: noise{}, BaseModel: meaningsModel})
	if !bytes.Equal(encode(t, with), encode(t, without)) {
		t.Errorf("the model is another one: base model %v", with.BaseModel())
	}
}

func TestModelFileWithBaseModel(t *testing.T) {
	r := &meanings{}
	model := train(t, shadeExamples(0, 4), nil, Options{Targets: []Target{colours}, Representation: r, BaseModel: meaningsModel})
	file := encode(t, model)
	read, err := ReadModel(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(encode(t, read), file) || *read.BaseModel() != *model.BaseModel() {
		t.Error("a model that was read is another one")
	}
	again := train(t, shadeExamples(0, 4), nil, Options{Targets: []Target{colours}, Representation: r, BaseModel: meaningsModel})
	if !bytes.Equal(encode(t, again), file) {
		t.Error("the same training made another model")
	}
	vector, _ := r.Represent(t.Context(), []string{"royal"})
	if got, want := read.ClassifyDense("royal", vector, nil)[0], model.ClassifyDense("royal", vector, nil)[0]; !slices.Equal(got, want) {
		t.Errorf("scores %v instead of %v", got, want)
	}
}

func TestReadModelRejectsABaseModelThatDoesNotFit(t *testing.T) {
	model := train(t, shadeExamples(0, 4), nil, Options{Targets: []Target{colours}, Representation: &meanings{}, BaseModel: meaningsModel})
	for _, dimension := range []int{-1, 0, 3, 5, MaxDimension + 1} {
		other := *model.vocabulary.dense
		other.base.Dimension = dimension
		changed := &Model{targets: model.targets, calibrations: model.calibrations, weights: model.weights, scales: model.scales, bias: model.bias}
		vocabulary := *model.vocabulary
		vocabulary.dense = &other
		changed.vocabulary = &vocabulary
		if _, err := ReadModel(bytes.NewReader(encode(t, changed))); err == nil {
			t.Errorf("a dimension of %d for vectors of 4 numbers is accepted", dimension)
		}
	}
}

func TestRepresentationIsAskedForWhatAConversationSays(t *testing.T) {
	examples := shadeExamples(0, 4)
	for i := range examples {
		examples[i].Text = RenderChat([]Message{{Role: "assistant", Content: "Which one?"}, {Role: "user", Content: examples[i].Text}})
	}
	r := &meanings{}
	train(t, examples, nil, Options{Targets: []Target{colours}, Representation: r, BaseModel: meaningsModel})
	for _, text := range r.asked {
		if strings.Contains(text, "Which one?") || strings.ContainsAny(text, marks) {
			t.Fatalf("asked for %q", text)
		}
	}
	if len(r.asked) != len(examples) {
		t.Errorf("asked for %d texts of %d examples, whose labels' names say nothing", len(r.asked), len(examples))
	}
}

// brokenRepresentation says something else than what it is asked for.
type brokenRepresentation struct {
	dimension int
	vectors   []float32
}

func (b brokenRepresentation) Dimension() int { return b.dimension }

func (b brokenRepresentation) Represent(_ context.Context, texts []string) ([]float32, error) {
	if b.vectors == nil {
		return slices.Repeat([]float32{float32(math.NaN())}, len(texts)*b.dimension), nil
	}
	return b.vectors, nil
}

func TestRepresentationFails(t *testing.T) {
	failed := errors.New("the server is gone")
	for _, test := range []struct {
		reason         string
		representation Representation
		want           string
	}{
		{"it fails", &meanings{err: failed}, failed.Error()},
		{"it returns too little", brokenRepresentation{4, []float32{1, 2}}, "2 numbers for 75 texts"},
		{"it has no dimension", brokenRepresentation{0, nil}, "from 1 to 4096"},
		{"it has too many", brokenRepresentation{MaxDimension + 1, nil}, "from 1 to 4096"},
		{"it returns what is no number", brokenRepresentation{4, nil}, "are not numbers"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			_, err := Train(t.Context(), corpusOf(t, shadeExamples(0, 8)[:75]), nil, Options{Targets: []Target{colours}, Representation: test.representation})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestClassifyWithVectorsThatAreNone(t *testing.T) {
	model := train(t, shadeExamples(0, 4), nil, Options{Targets: []Target{colours}, Representation: &meanings{}, BaseModel: meaningsModel})
	want := model.Classify("it is red", nil)[0]
	nan := float32(math.NaN())
	for _, vector := range [][]float32{{}, {1}, {0, 0, 0, 0}, {nan, 1, 1, 1}, {float32(math.Inf(1)), 1, 1, 1}} {
		if got := model.ClassifyDense("it is red", vector, nil)[0]; !slices.Equal(got, want) {
			t.Errorf("%v: scores %v, want %v", vector, got, want)
		}
	}
}
