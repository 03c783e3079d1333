package dataset

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"slices"
)

// maxInvalidSamples is how many invalid rows a report lists; it counts all.
const maxInvalidSamples = 10

// Report is what Validate found.
type Report struct {
	InputType      InputType
	Samples        int   // valid ones
	Bytes          int64 // that they took
	Invalid        int
	InvalidBytes   int64
	Targets        []Target
	InvalidSamples []InvalidSampleError // the first
	reasons        map[Reason]int       // how many samples are invalid for each
	Problem        *InvalidDatasetError // of the valid samples together, or what ended reading
	Ended          bool                 // before the end, by the Problem
	SizeBytes      int64
	Digest         string // SHA-256 of all bytes, in hexadecimal
}

// Valid reports whether every row is valid and they make a dataset.
func (r *Report) Valid() bool {
	return r.Invalid == 0 && r.Problem == nil
}

// ReasonCount is how many samples are invalid for a reason.
type ReasonCount struct {
	Reason  Reason
	Samples int
}

// Reasons are those for which samples are invalid, the commonest first.
func (r *Report) Reasons() []ReasonCount {
	var counts []ReasonCount
	for reason, samples := range r.reasons {
		counts = append(counts, ReasonCount{reason, samples})
	}
	slices.SortFunc(counts, func(a, b ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Samples, a.Samples), cmp.Compare(a.Reason, b.Reason))
	})
	return counts
}

// Validate reads everything once. What is wrong with the data is in the report;
// the error is that of the reader or the context.
func Validate(ctx context.Context, r io.Reader, limits Limits) (Report, error) {
	input := &digestReader{ctx: ctx, input: r, hash: sha256.New()}
	census := NewCensus(limits)
	var report Report
	if err := report.collect(ctx, NewReader(input, limits), census, func(*Sample) error { return nil }); err != nil {
		return Report{}, err
	}
	report.SizeBytes = input.size
	report.Digest = hex.EncodeToString(input.hash.Sum(nil))
	return report, nil
}

// collect reads all samples, counts them and passes the valid ones to use, whose
// error ends it, as the context does.
func (r *Report) collect(ctx context.Context, samples SampleReader, census *Census, use func(*Sample) error) error {
	var sample Sample
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := samples.Read(&sample)
		if err == nil {
			err = census.Add(&sample)
		}
		if err == nil {
			r.Bytes += sample.Bytes
			err = use(&sample)
		}
		if err == nil {
			continue
		}
		invalid, ok := errors.AsType[*InvalidSampleError](err)
		if ok && invalid.Reason == TooManySamples { // and so are all that follow
			err = &InvalidDatasetError{Part: invalid.Part, Line: invalid.Line, Reason: invalid.Reason, Detail: invalid.Detail}
		} else if ok {
			r.addInvalid(invalid)
			continue
		}
		problem, ok := errors.AsType[*InvalidDatasetError](err)
		if !ok && !isEnd(err) {
			return err
		}
		r.conclude(census, problem)
		return nil
	}
}

func (r *Report) addInvalid(invalid *InvalidSampleError) {
	r.InvalidBytes += invalid.Bytes
	if r.reasons == nil {
		r.reasons = map[Reason]int{}
	}
	r.reasons[invalid.Reason]++
	if r.Invalid++; len(r.InvalidSamples) < maxInvalidSamples {
		r.InvalidSamples = append(r.InvalidSamples, *invalid)
	}
}

// conclude takes over what was counted, and the problem that ended reading if there was one.
func (r *Report) conclude(census *Census, problem *InvalidDatasetError) {
	r.InputType = census.InputType()
	r.Samples = census.Samples()
	r.Targets = census.Targets()
	r.Problem, r.Ended = problem, problem != nil
	if problem == nil {
		r.Problem = problemOf(r.Samples, r.Targets)
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
