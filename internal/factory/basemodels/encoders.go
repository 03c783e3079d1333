package basemodels

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/factory/embeddings"
)

// Encoders are what base models with an encoder need beside their flags.
type Encoders struct {
	Models     map[string]string // by the base model's name: what the encoder's server calls it
	KeyFiles   map[string]string // by the base model's name: the file with the encoder's API key
	CacheFile  string            // of vectors; default: none are kept
	CacheBytes int64
}

// Of are those of one base model.
func (e Encoders) Of(name string) Encoders {
	others := func(other, _ string) bool { return other != name }
	e.Models, e.KeyFiles = maps.Clone(e.Models), maps.Clone(e.KeyFiles)
	maps.DeleteFunc(e.Models, others)
	maps.DeleteFunc(e.KeyFiles, others)
	return e
}

func (e Encoders) cache() *embeddings.Cache { return embeddings.NewCache(e.CacheFile, e.CacheBytes) }

func (e Encoders) open(name, url string, cache *embeddings.Cache) (Model, error) {
	encoder, err := embeddings.New(embeddings.Options{BaseModel: name, URL: url, Model: e.Models[name], KeyFile: e.KeyFiles[name]}, cache)
	if err != nil {
		return Model{}, err
	}
	return Model{Encoder: encoder, MemoryBytes: embeddings.MemoryBytes}, nil
}

// Greet asks an encoder what it is.
func (m *Model) Greet(ctx context.Context) error {
	_, _, err := m.Represented(ctx, embeddings.Impatient)
	return err
}

// check makes sure that what is said is said of an encoder.
func (e Encoders) check(models Models) error {
	for _, named := range []map[string]string{e.Models, e.KeyFiles} {
		for _, name := range slices.Sorted(maps.Keys(named)) {
			if found := models.Find(name); found == nil || found.Encoder == nil {
				return fmt.Errorf("there is no base model %q with an encoder, which a model or a key is named for", name)
			}
		}
	}
	return nil
}

// recognise finds the encoder that a model was trained with, first by its name.
func (m Models) recognise(ctx context.Context, base classifier.BaseModel) (classifier.Representation, error) {
	encoders := slices.DeleteFunc(slices.Clone(m), func(m Model) bool { return m.Encoder == nil })
	slices.SortStableFunc(encoders, func(a, b Model) int {
		switch base.Name {
		case a.Name:
			return -1
		case b.Name:
			return 1
		}
		return 0
	})
	var silent error
	for _, model := range encoders {
		r, err := model.Encoder.Recognise(ctx, base.Fingerprint, embeddings.Impatient)
		if r != nil {
			return r, nil
		}
		if silent == nil {
			silent = err
		}
	}
	if silent != nil {
		return nil, silent
	}
	return nil, &NotOfferedError{Name: base.Name, Changed: m.Find(base.Name) != nil}
}

// Collectors are the metrics of what is asked for the models.
func (m Models) Collectors() (collectors []prometheus.Collector) {
	for _, model := range m {
		if model.Encoder != nil {
			collectors = append(collectors, model.Encoder.Collectors()...)
		}
	}
	return collectors
}

// Close closes what the models keep open.
func (m Models) Close() error {
	var problems []error
	for _, model := range m {
		if model.Encoder != nil {
			problems = append(problems, model.Encoder.Close())
		}
	}
	return errors.Join(problems...)
}
