// Package basemodels knows what models can be trained from: the engine alone, or beside it
// what was learned elsewhere. It trains nothing, and knows no requests.
package basemodels

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/factory/embeddings"
	"github.com/classifier-factory/classifier-factory/internal/factory/words"
)

// Kind is what a base model is.
type Kind string

// What base models can be.
const (
	Engine Kind = "engine" // learns from the examples alone
	Words  Kind = "words"  // knows words by a table of vectors

	Embeddings Kind = "embeddings" // asks an encoder for vectors of texts
)

// Model is what models are trained from.
type Model struct {
	Name           string
	Kind           Kind
	Languages      []string // if they are known
	Digest         string   // of what was learned elsewhere
	Representation classifier.Representation
	Encoder        *embeddings.Encoder // that is asked what it is, before there is a representation
	MemoryBytes    int64               // of the representation
	// Flag is what the model was opened from, for a process that is to have the same.
	Flag string
}

// Represented returns the representation, which is nil for the engine alone, and what a
// trained model's file says of it.
func (m *Model) Represented(ctx context.Context, patience embeddings.Patience) (classifier.Representation, classifier.BaseModel, error) {
	if m.Encoder == nil {
		return m.Representation, classifier.BaseModel{Name: m.Name, Digest: m.Digest, Dimension: m.Dimension()}, nil
	}
	r, err := m.Encoder.Representation(ctx, patience)
	if err != nil {
		return nil, classifier.BaseModel{}, err
	}
	return r, classifier.BaseModel{Name: m.Name, Digest: r.Digest(), Dimension: r.Dimension(), Fingerprint: r.Fingerprint()}, nil
}

// Dimension is the length of the vectors; zero when there are none, or before an encoder
// was asked.
func (m *Model) Dimension() int {
	switch {
	case m.Encoder != nil:
		return m.Encoder.Dimension()
	case m.Representation != nil:
		return m.Representation.Dimension()
	}
	return 0
}

// Host is where texts are sent to; empty when they stay here.
func (m *Model) Host() string {
	if m.Encoder == nil {
		return ""
	}
	return m.Encoder.Host()
}

// Models are those that a factory offers, in the order of its flags.
type Models []Model

// Open opens base models: NAME is the engine, NAME=words:FILE has a table of word vectors
// beside it, NAME=embeddings:URL an encoder.
func Open(flags []string, encoders Encoders) (Models, error) {
	var models Models
	cache := encoders.cache()
	for _, flag := range flags {
		m, err := open(flag, encoders, cache)
		if err != nil {
			return nil, err
		}
		if models.Find(m.Name) != nil {
			return nil, fmt.Errorf("two base models have the name %q", m.Name)
		}
		models = append(models, m)
	}
	return models, encoders.check(models)
}

func open(flag string, encoders Encoders, cache *embeddings.Cache) (Model, error) {
	name, place, elsewhere := strings.Cut(flag, "=")
	if name == "" {
		return Model{}, errors.New("a base model has no name")
	}
	if !elsewhere {
		return Model{Name: name, Kind: Engine, Flag: flag}, nil
	}
	kind, place, _ := strings.Cut(place, ":")
	var m Model
	var err error
	switch {
	case place == "":
		err = errNoKind
	case Kind(kind) == Words:
		m, err = openTable(place)
	case Kind(kind) == Embeddings:
		m, err = encoders.open(name, place, cache)
	default:
		err = errNoKind // shows nothing of it, for a URL may hold a secret
	}
	if err != nil {
		return Model{}, fmt.Errorf("the base model %q: %w", name, err)
	}
	m.Name, m.Kind, m.Flag = name, Kind(kind), flag
	return m, nil
}

var errNoKind = fmt.Errorf("what follows its name is not %s:FILE or %s:URL", Words, Embeddings)

func openTable(path string) (Model, error) {
	table, err := readTable(path)
	if err != nil {
		return Model{}, err
	}
	return Model{
		Languages:      table.Languages(),
		Digest:         table.Digest(),
		Representation: table,
		MemoryBytes:    table.MemoryBytes(),
	}, nil
}

func readTable(path string) (*words.Table, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	table, err := words.Read(bufio.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return table, nil
}

// Find returns nil when there is none with the name.
func (m Models) Find(name string) *Model {
	if i := slices.IndexFunc(m, func(m Model) bool { return m.Name == name }); i >= 0 {
		return &m[i]
	}
	return nil
}

// Names are those of all.
func (m Models) Names() []string {
	names := make([]string, len(m))
	for i := range m {
		names[i] = m[i].Name
	}
	return names
}

// NotOfferedError says that what a model was trained with is not there.
type NotOfferedError struct {
	Name    string
	Changed bool // there is another one with the name
}

func (e *NotOfferedError) Error() string {
	if e.Changed {
		return fmt.Sprintf("The base model %s has changed since the model was trained, so that the model would not understand it. Train the model again, or have the server offer what it was trained with, under whatever name.", e.Name)
	}
	return fmt.Sprintf("The model was trained with the base model %s, which this server does not offer. Train the model again, or have the server offer that base model.", e.Name)
}

// Trained returns the representation that a model was trained with. It is known by its
// digest or its fingerprint: a name can come to mean something else.
func (m Models) Trained(ctx context.Context, base classifier.BaseModel) (classifier.Representation, error) {
	if base.Fingerprint != "" {
		return m.recognise(ctx, base)
	}
	same := func(m Model) bool { return m.Digest == base.Digest && m.Dimension() == base.Dimension }
	if i := slices.IndexFunc(m, same); i >= 0 && m[i].Representation != nil {
		return m[i].Representation, nil
	}
	return nil, &NotOfferedError{Name: base.Name, Changed: m.Find(base.Name) != nil}
}
