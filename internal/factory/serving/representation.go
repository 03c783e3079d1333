package serving

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
	"github.com/classifier-factory/classifier-factory/internal/factory/embeddings"
)

// maxVectorBytes is the most that the vectors of a request's inputs take: numbers multiply
// with inputs, of which a request can have millions.
const maxVectorBytes = 64 << 20

// TooManyInputsError says how many inputs a model with a base model can be asked about at
// once.
type TooManyInputsError struct{ Inputs, MaxInputs int }

func (e *TooManyInputsError) Error() string {
	return fmt.Sprintf("%d inputs are more than a model with this base model is asked about at once: send %d or fewer in a request", e.Inputs, e.MaxInputs)
}

// RepresentationError says that a base model did not answer.
type RepresentationError struct {
	Name  string
	Cause error
}

func (e *RepresentationError) Error() string {
	return fmt.Sprintf("base model %s: %v", e.Name, e.Cause)
}

// Unwrap is why.
func (e *RepresentationError) Unwrap() error { return e.Cause }

// Answered reports whether a base model did answer, but nothing that is of use.
func (e *RepresentationError) Answered() bool {
	asked, ok := errors.AsType[*embeddings.Error](e.Cause)
	return ok && asked.Answered
}

// vectors are what a base model has made of texts.
type vectors struct {
	dimension int
	values    []float32
}

func (v *vectors) at(i int) []float32 {
	if v == nil {
		return nil
	}
	return v.values[i*v.dimension : (i+1)*v.dimension]
}

// represent asks a model's base model, if it has one, for the vectors of all inputs.
func (m *Models) represent(ctx context.Context, base *classifier.BaseModel, inputs int, text func(int) string, pause func() (resume func())) (*vectors, error) {
	if base == nil {
		return nil, nil
	}
	if most := maxVectorBytes / 4 / base.Dimension; inputs > most {
		return nil, &TooManyInputsError{Inputs: inputs, MaxInputs: most}
	}
	contents := make([]string, inputs)
	for i := range contents {
		contents[i] = strings.Clone(classifier.Content(text(i))) // what is around it need not stay
	}
	if base.Fingerprint != "" { // an encoder, which is asked by the network
		defer pause()()
	}
	values, err := m.valuesOf(ctx, base, contents)
	if err != nil {
		return nil, representationError(base.Name, err)
	}
	return &vectors{base.Dimension, values}, nil
}

func (m *Models) valuesOf(ctx context.Context, base *classifier.BaseModel, contents []string) ([]float32, error) {
	representation, err := m.baseModels.Trained(ctx, *base)
	if err != nil {
		return nil, err
	}
	values, err := representation.Represent(ctx, contents)
	if err == nil && len(values) != len(contents)*base.Dimension {
		err = errors.New("it returned another number of vectors than of texts")
	}
	return values, err
}

// representationError keeps apart what time will not change, and the end of who asked.
func representationError(name string, err error) error {
	if _, ok := errors.AsType[*embeddings.ChangedError](err); ok {
		return &basemodels.NotOfferedError{Name: name, Changed: true}
	}
	if _, ok := errors.AsType[*basemodels.NotOfferedError](err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	return &RepresentationError{Name: name, Cause: err}
}
