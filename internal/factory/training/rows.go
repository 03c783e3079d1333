package training

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// maxReportedRows is how many invalid rows a failure names.
const maxReportedRows = 5

// What contradicts a job's targets, beside dataset's own reasons.
const (
	unknownTarget dataset.Reason = "UnknownTarget"
	unknownLabel  dataset.Reason = "UnknownLabel"
	severalLabels dataset.Reason = "SeveralLabels"

	labelWithoutRows dataset.Reason = "LabelWithoutRows"
)

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
	blobs        blob.Store
	limits       dataset.Limits
	inputType    dataset.InputType // that rows must have; empty: that of the first
	known        labelIndex        // that labels must be in; nil: any
	skipFraction float64
	most         int64 // bytes that are read of each file; zero for all

	census   *dataset.Census
	bytes    int64 // of text
	invalid  int
	code     dataset.Reason // of the first invalid row
	lines    []int64        // of those reported
	reported []string
}

// read passes the valid rows to use. A sample is valid until the next.
func (r *rows) read(ctx context.Context, inputs []store.Input, use func(*dataset.Sample, store.Input)) error {
	r.census = dataset.NewCensus(r.limits)
	for _, input := range inputs {
		if err := r.readInput(ctx, input, use); err != nil {
			return err
		}
	}
	return r.check()
}

func (r *rows) readInput(ctx context.Context, input store.Input, use func(*dataset.Sample, store.Input)) error {
	content, err := r.blobs.Open(input.Digest)
	if err != nil {
		return err
	}
	defer content.Close()
	var read io.Reader = content
	if r.most > 0 {
		read = io.LimitReader(content, r.most)
	}
	reader, err := dataset.OpenJSONLines(read, r.limits)
	if invalid, ok := errors.AsType[*dataset.InvalidDatasetError](err); ok {
		return notJSONLines(input, invalid)
	}
	if err != nil {
		return err
	}
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
			_, damaged := io.Copy(io.Discard, content) // which may be why
			return cmp.Or(damaged, err)
		}
		r.bytes += textBytes(&sample)
		use(&sample, input)
	}
	return ctx.Err()
}

// notJSONLines says what the file is: each of its rows would say something else.
func notJSONLines(input store.Input, invalid *dataset.InvalidDatasetError) error {
	return &store.InvalidDataError{
		Message: fmt.Sprintf("%s: %s. Files are JSON Lines", input.Filename, invalid.Detail),
		Update:  mistral.StatusUpdate{Code: string(invalid.Reason)},
	}
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

func (r *rows) report(input store.Input, invalid *dataset.InvalidSampleError) {
	if r.invalid++; r.code == "" {
		r.code = invalid.Reason
	}
	if len(r.reported) < maxReportedRows {
		r.lines = append(r.lines, int64(invalid.Line))
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
	return &store.InvalidDataError{Message: fmt.Sprintf("%s%s. %d of %d rows are invalid; at most %g%% may be.",
		strings.Join(r.reported, "; "), more, r.invalid, all, 100*r.skipFraction), Update: r.update()}
}

// update counts the invalid rows, if there are any.
func (r *rows) update() mistral.StatusUpdate {
	return mistral.StatusUpdate{Code: string(r.code), Lines: r.lines, InvalidSamples: int64(r.invalid)}
}

func textBytes(sample *dataset.Sample) int64 {
	size := len(sample.Text)
	for _, message := range sample.Messages {
		size += len(message.Content)
	}
	return int64(size)
}
