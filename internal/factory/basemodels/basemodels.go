// Package basemodels knows what models can be trained from: the engine alone, or beside it
// what was learned elsewhere. It trains nothing, and knows no requests.
package basemodels

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/factory/words"
)

// Kind is what a base model is.
type Kind string

// What base models can be.
const (
	Engine Kind = "engine" // learns from the examples alone
	Words  Kind = "words"  // knows words by a table of vectors
)

// Model is what models are trained from.
type Model struct {
	Name           string
	Kind           Kind
	Languages      []string // if they are known
	Digest         string   // of what was learned elsewhere
	Representation classifier.Representation
	MemoryBytes    int64 // of the representation
	// Flag is what the model was opened from, for a process that is to have the same.
	Flag string
}

// Pinned is what a trained model's file says of its base model.
func (m *Model) Pinned() classifier.BaseModel {
	return classifier.BaseModel{Name: m.Name, Digest: m.Digest}
}

// Dimension is the length of the representation's vectors; zero when there is none.
func (m *Model) Dimension() int {
	if m.Representation == nil {
		return 0
	}
	return m.Representation.Dimension()
}

// Models are those that a factory offers, in the order of its flags.
type Models []Model

// Open opens base models: NAME is the engine, NAME=words:FILE has a table of word vectors
// beside it.
func Open(flags []string) (Models, error) {
	var models Models
	for _, flag := range flags {
		m, err := open(flag)
		if err != nil {
			return nil, err
		}
		if models.Find(m.Name) != nil {
			return nil, fmt.Errorf("two base models have the name %q", m.Name)
		}
		models = append(models, m)
	}
	return models, nil
}

func open(flag string) (Model, error) {
	name, place, elsewhere := strings.Cut(flag, "=")
	if name == "" {
		return Model{}, errors.New("a base model has no name")
	}
	if !elsewhere {
		return Model{Name: name, Kind: Engine, Flag: flag}, nil
	}
	kind, path, _ := strings.Cut(place, ":")
	if Kind(kind) != Words || path == "" {
		return Model{}, fmt.Errorf("the base model %q is %q, which is not %s:FILE", name, place, Words)
	}
	table, err := readTable(path)
	if err != nil {
		return Model{}, fmt.Errorf("the base model %q: %w", name, err)
	}
	return Model{
		Name:           name,
		Kind:           Words,
		Languages:      table.Languages(),
		Digest:         table.Digest(),
		Representation: table,
		MemoryBytes:    table.MemoryBytes(),
		Flag:           flag,
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
// digest: a name can come to mean something else.
func (m Models) Trained(base classifier.BaseModel) (classifier.Representation, error) {
	same := func(m Model) bool { return m.Digest == base.Digest && m.Dimension() == base.Dimension }
	if i := slices.IndexFunc(m, same); i >= 0 && m[i].Representation != nil {
		return m[i].Representation, nil
	}
	return nil, &NotOfferedError{Name: base.Name, Changed: m.Find(base.Name) != nil}
}
