package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
)

// maxInvalidSamples is how many invalid rows a report lists; it counts all.
const maxInvalidSamples = 10

// Report is what Validate found.
type Report struct {
	InputType      InputType
	Samples        int // valid ones
	Invalid        int
	Targets        []Target
	InvalidSamples []InvalidSampleError // the first
	Problem        *InvalidDatasetError // of the valid samples together
	SizeBytes      int64
	Digest         string // SHA-256 of all bytes, in hexadecimal
}

// Valid reports whether every row is valid and they make a dataset.
func (r *Report) Valid() bool {
	return r.Invalid == 0 && r.Problem == nil
}

// Validate reads everything once. What is wrong with the data is in the report;
// the error is that of the reader or the context.
func Validate(ctx context.Context, r io.Reader, limits Limits) (Report, error) {
	input := &digestReader{ctx: ctx, input: r, hash: sha256.New()}
	census := NewCensus(limits)
	var report Report
	if err := report.collect(NewReader(input, limits), census); err != nil {
		return Report{}, err
	}
	report.InputType = census.InputType()
	report.Samples = census.Samples()
	report.Targets = census.Targets()
	report.Problem = census.problem()
	report.SizeBytes = input.size
	report.Digest = hex.EncodeToString(input.hash.Sum(nil))
	return report, nil
}

// collect adds the samples to the census and the invalid ones to the report.
func (r *Report) collect(reader *Reader, census *Census) error {
	var sample Sample
	for {
		err := reader.Read(&sample)
		if err == io.EOF { //nolint:errorlint // an end that is wrapped is a failure
			return nil
		}
		if err == nil {
			err = census.Add(&sample)
		}
		if err == nil {
			continue
		}
		invalid, ok := errors.AsType[*InvalidSampleError](err)
		if !ok {
			return err
		}
		if r.Invalid++; len(r.InvalidSamples) < maxInvalidSamples {
			r.InvalidSamples = append(r.InvalidSamples, *invalid)
		}
	}
}

// digestReader hashes and counts what is read through it, as long as the context lasts.
type digestReader struct {
	ctx   context.Context
	input io.Reader
	hash  hash.Hash
	size  int64
}

func (r *digestReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.input.Read(p)
	r.hash.Write(p[:n])
	r.size += int64(n)
	return n, err
}
