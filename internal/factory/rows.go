package factory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// maxReportedRows is how many invalid rows a failure names.
const maxReportedRows = 5

// What contradicts a job's targets, beside dataset's own reasons.
const (
	unknownTarget dataset.Reason = "UnknownTarget"
	unknownLabel  dataset.Reason = "UnknownLabel"
	severalLabels dataset.Reason = "SeveralLabels"
)

// invalidDataError says why a job's files cannot be trained on. It is written for
// the tenant, and never repeats what is in a row.
type invalidDataError struct {
	message string
	samples *invalidSamples // nil if it is not about particular rows
}

func (e *invalidDataError) Error() string { return e.message }

// invalidSamples tells programs which rows are invalid.
type invalidSamples struct {
	Samples int             `json:"samples"` // all that were read
	Invalid int             `json:"invalid_samples"`
	First   []invalidSample `json:"first_invalid_samples"`
}

type invalidSample struct {
	FileID string         `json:"file_id"`
	Line   int            `json:"line"` // from 1
	Reason dataset.Reason `json:"reason"`
}

// labelIndex finds a target's and a label's position.
type labelIndex map[string]targetIndex

type targetIndex struct {
	position int
	single   bool // every row has exactly one label
	labels   map[string]int
}

func newLabelIndex(targets []mistral.ClassifierTarget) labelIndex {
	index := make(labelIndex, len(targets))
	for position, target := range targets {
		labels := make(map[string]int, len(target.Labels))
		for i, label := range target.Labels {
			labels[label] = i
		}
		index[target.Name] = targetIndex{position: position, single: target.LossFunction == mistral.LossSingleClass, labels: labels}
	}
	return index
}

// rows reads the rows of a job's training or validation files and tells the
// valid from the invalid ones. Validation and training both read through it, so
// that they skip the same.
type rows struct {
	blobs        *blobs
	limits       dataset.Limits
	inputType    dataset.InputType // that rows must have; empty: that of the first
	known        labelIndex        // that labels must be in; nil: any
	skipFraction float64

	census   *dataset.Census
	bytes    int64 // of text
	invalid  int
	first    []invalidSample
	reported []string
}

// read passes the valid rows to use. A sample is valid until the next.
func (r *rows) read(ctx context.Context, inputs []input, use func(*dataset.Sample, input)) error {
	r.census = dataset.NewCensus(r.limits)
	for _, input := range inputs {
		if err := r.readInput(ctx, input, use); err != nil {
			return err
		}
	}
	return r.check()
}

func (r *rows) readInput(ctx context.Context, input input, use func(*dataset.Sample, input)) error {
	content, err := r.blobs.open(input.Digest)
	if err != nil {
		return err
	}
	defer content.Close()
	reader := dataset.NewReader(content, r.limits)
	var sample dataset.Sample
	for ctx.Err() == nil {
		err := reader.Read(&sample)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = r.accept(&sample)
		}
		if invalid, ok := errors.AsType[*dataset.InvalidSampleError](err); ok {
			r.report(input, invalid)
			continue
		}
		if err != nil {
			return err
		}
		r.bytes += textBytes(&sample)
		use(&sample, input)
	}
	return ctx.Err()
}

// accept counts a row that fits the job's targets and the rows before.
func (r *rows) accept(sample *dataset.Sample) error {
	if reason, detail := r.contradiction(sample); reason != "" {
		return &dataset.InvalidSampleError{Line: sample.Line, Reason: reason, Detail: detail}
	}
	return r.census.Add(sample)
}

func (r *rows) contradiction(sample *dataset.Sample) (dataset.Reason, string) {
	if r.inputType != "" && sample.InputType() != r.inputType {
		return dataset.MixedInput, "the row has the other one of text and messages than the training files"
	}
	if r.known == nil {
		return "", ""
	}
	for _, labels := range sample.Labels {
		target, ok := r.known[labels.Target]
		if !ok {
			return unknownTarget, "the row has a target that the job does not have"
		}
		if target.single && len(labels.Labels) > 1 {
			return severalLabels, "the row gives several labels to a target that is single_class"
		}
		for _, label := range labels.Labels {
			if _, ok := target.labels[label]; !ok {
				return unknownLabel, "the row has a label that its target does not have"
			}
		}
	}
	return "", ""
}

func (r *rows) report(input input, invalid *dataset.InvalidSampleError) {
	r.invalid++
	if len(r.reported) < maxReportedRows {
		r.first = append(r.first, invalidSample{FileID: input.FileID, Line: invalid.Line, Reason: invalid.Reason})
		r.reported = append(r.reported, fmt.Sprintf("%s, %s", input.Filename, invalid))
	}
}

// check fails when more rows are invalid than the job allows.
func (r *rows) check() error {
	all := r.invalid + r.census.Samples()
	if float64(r.invalid) <= r.skipFraction*float64(all) {
		return nil
	}
	more := ""
	if r.invalid > len(r.reported) {
		more = fmt.Sprintf("; and %d more", r.invalid-len(r.reported))
	}
	return &invalidDataError{fmt.Sprintf("%s%s. %d of %d rows are invalid; at most %g%% may be.",
		strings.Join(r.reported, "; "), more, r.invalid, all, 100*r.skipFraction), r.invalidSamples()}
}

// invalidSamples is nil if there are none.
func (r *rows) invalidSamples() *invalidSamples {
	if r.invalid == 0 {
		return nil
	}
	return &invalidSamples{Samples: r.invalid + r.census.Samples(), Invalid: r.invalid, First: r.first}
}

func textBytes(sample *dataset.Sample) int64 {
	size := len(sample.Text)
	for _, message := range sample.Messages {
		size += len(message.Content)
	}
	return int64(size)
}
