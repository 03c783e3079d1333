package dataset

import "io"

// JSONReader reads the samples of JSON that is not an object a line: arrays of objects,
// and objects one after the other, however they are laid out. Their Raw is a row of
// JSON Lines. A sample's line is the one on which its object starts.
type JSONReader struct {
	values  jsonValues
	decoder decoder
}

// NewJSONReader returns a JSONReader of r.
func NewJSONReader(r io.Reader, limits Limits) *JSONReader {
	return &JSONReader{values: newJSONValues(r, limits), decoder: newDecoder(limits)}
}

// Read decodes the next value into sample, as SampleReader says. What is wrong between
// values, and a value of which nobody can tell the end, is an *InvalidDatasetError.
func (r *JSONReader) Read(sample *Sample) error {
	if err := r.values.next(); err != nil {
		return err
	}
	if !r.decoder.decode(r.values.value, sample) {
		return r.values.invalid(r.decoder.problem.Reason, r.decoder.problem.Detail)
	}
	sample.Line, sample.Bytes = r.values.line, r.values.bytes()
	return nil
}
