package dataset

import (
	"errors"
	"io"
)

// JSONReader reads the samples of JSON that is not an object a line: arrays of objects,
// and objects one after the other, however they are laid out. Their Raw is a row of
// JSON Lines. A sample's line is the one on which its object starts.
type JSONReader struct {
	values  jsonValues
	objects objectDecoder
}

// NewJSONReader returns a JSONReader of r.
func NewJSONReader(r io.Reader, limits Limits) *JSONReader {
	return newMappedJSONReader(r, nil, limits)
}

// newMappedJSONReader returns a JSONReader of records that the mapper makes rows of.
func newMappedJSONReader(r io.Reader, mapper *mapper, limits Limits) *JSONReader {
	return &JSONReader{values: newJSONValues(r, limits), objects: newObjectDecoder(mapper, limits)}
}

// Read decodes the next value into sample, as SampleReader says. What is wrong between
// values, and a value of which nobody can tell the end, is an *InvalidDatasetError.
func (r *JSONReader) Read(sample *Sample) error {
	if err := r.values.next(); err != nil {
		return err
	}
	if err := r.objects.decode(r.values.value, r.values.line, sample); err != nil {
		if invalid, ok := errors.AsType[*InvalidSampleError](err); ok {
			invalid.Column, invalid.Bytes = 0, r.values.bytes() // a column is of the object without its white space
		}
		return err
	}
	sample.Line, sample.Bytes = r.values.line, r.values.bytes()
	return nil
}
