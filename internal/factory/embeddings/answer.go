package embeddings

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxDimension = 4096
	// maxNumberBytes is what a number takes in an answer at most, with what is around it.
	maxNumberBytes = 32
	// maxAroundBytes is what an answer has beside the numbers.
	maxAroundBytes = 1 << 20
	// largestNumber is far above those of any encoder, and keeps sums finite.
	largestNumber = 1e6
)

// answerError says what is wrong with an answer that came whole.
type answerError struct{ reason string }

func (e *answerError) Error() string { return e.reason }

func unusable(format string, arguments ...any) error {
	return &answerError{fmt.Sprintf(format, arguments...)}
}

// readVectors reads an answer to a request with so many texts. Nothing of it is kept but
// numbers, and no more of these than there can be. An error that is no *answerError says
// that the answer did not come whole.
func readVectors(body io.Reader, count int) ([][]float32, error) {
	limited := &io.LimitedReader{R: body, N: int64(count)*maxDimension*maxNumberBytes + maxAroundBytes}
	a := &answer{vectors: make([][]float32, count)}
	err := a.read(jsontext.NewDecoder(limited, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)))
	if limited.N <= 0 {
		return nil, unusable("its answer is larger than any with %d vectors", count)
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok && !errors.Is(syntactic, io.ErrUnexpectedEOF) {
		return nil, unusable("its answer is no JSON")
	}
	if err != nil {
		return nil, err
	}
	return a.vectors, a.check()
}

// answer is a list of embeddings as it is read.
type answer struct{ vectors [][]float32 }

func (a *answer) read(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return a.skip(d, unusable("its answer is no list of embeddings"))
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if name.String() == "data" && d.PeekKind() == '[' {
			err = a.readList(d)
		} else {
			err = d.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// skip returns the error unless the rest of the answer is worse.
func (a *answer) skip(d *jsontext.Decoder, otherwise error) error {
	if err := d.SkipValue(); err != nil {
		return err
	}
	return otherwise
}

func (a *answer) readList(d *jsontext.Decoder) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for read := 0; d.PeekKind() != ']'; read++ {
		if d.PeekKind() == 0 {
			_, err := d.ReadToken()
			return err
		}
		if read == len(a.vectors) {
			return unusable("it answered with more than the %d vectors that it was asked for", read)
		}
		if err := a.readEmbedding(d); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// readEmbedding puts a vector where its index says.
func (a *answer) readEmbedding(d *jsontext.Decoder) error {
	var embedding struct {
		Index     *int    `json:"index"`
		Embedding numbers `json:"embedding"`
	}
	err := json.UnmarshalDecode(d, &embedding)
	if other, ok := errors.AsType[*answerError](err); ok {
		return other
	}
	if _, ok := errors.AsType[*json.SemanticError](err); ok {
		return unusable("its answer is no list of embeddings")
	}
	if err != nil {
		return err
	}
	index := embedding.Index
	if index == nil || *index < 0 || *index >= len(a.vectors) || a.vectors[*index] != nil {
		return unusable("it does not say which vector is of which text")
	}
	a.vectors[*index] = embedding.Embedding
	return nil
}

// check makes sure that all vectors are there and have the same length.
func (a *answer) check() error {
	for _, vector := range a.vectors {
		switch {
		case len(vector) == 0:
			return unusable("it answered with fewer than the %d vectors that it was asked for", len(a.vectors))
		case len(vector) != len(a.vectors[0]):
			return unusable("its vectors are of different lengths")
		}
	}
	return nil
}

// numbers are those of one vector.
type numbers []float32

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (n *numbers) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	start, err := d.ReadToken()
	if err != nil {
		return err
	}
	if start.Kind() != '[' {
		return unusable("its vectors are no lists of numbers")
	}
	for d.PeekKind() != ']' {
		token, err := d.ReadToken()
		switch {
		case err != nil:
			return err
		case token.Kind() != '0':
			return unusable("its vectors are no lists of numbers")
		case len(*n) == maxDimension:
			return unusable("its vectors have more than %d numbers", maxDimension)
		}
		value, err := token.Float()
		if err != nil || !(math.Abs(value) <= largestNumber) {
			return unusable("its vectors have numbers beyond any sensible size")
		}
		*n = append(*n, float32(value))
	}
	_, err = d.ReadToken()
	return err
}
