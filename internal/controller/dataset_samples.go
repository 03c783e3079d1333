package controller

import (
	"bufio"
	"io"
	"sync/atomic"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
)

// decompressor decompresses each part of a source by itself, and counts what it reads.
func decompressor(limits dataset.Limits, read *atomic.Int64) func(io.Reader) (io.Reader, error) {
	return func(part io.Reader) (io.Reader, error) {
		return dataset.Decompress(countedReader{part, read}, limits)
	}
}

// openSamples reads the samples of a stream in the format that the spec says.
func openSamples(content io.Reader, beginsPart func(int64) bool, spec *classifierv1alpha1.ClassifierDatasetSpec, limits dataset.Limits) dataset.SampleReader {
	buffered := bufio.NewReader(content)
	if spec.Format == classifierv1alpha1.FormatCSV || spec.Format == classifierv1alpha1.FormatAuto && spec.CSV != nil && !startsAsJSON(buffered) {
		return dataset.NewCSVReader(buffered, csvOptions(spec.CSV), limits)
	}
	return dataset.NewReader(buffered, limits).JoinedAt(beginsPart)
}

// startsAsJSON reports whether the first byte that is no white space opens an object.
func startsAsJSON(content *bufio.Reader) bool {
	for i := 1; i <= content.Size(); i++ {
		head, err := content.Peek(i)
		if err != nil {
			return false
		}
		switch head[i-1] {
		case ' ', '\t', '\r', '\n', 0xEF, 0xBB, 0xBF: // the last three are a byte order mark
		default:
			return head[i-1] == '{'
		}
	}
	return false
}

func csvOptions(spec *classifierv1alpha1.CSVOptions) dataset.CSVOptions {
	options := dataset.CSVOptions{TextColumn: spec.TextColumn}
	for _, column := range spec.LabelColumns {
		options.LabelColumns = append(options.LabelColumns, dataset.CSVLabelColumn{
			Column:    column.Column,
			Target:    column.Target,
			Separator: column.Separator,
		})
	}
	return options
}

func preparationOf(spec classifierv1alpha1.DatasetPreparation) dataset.Preparation {
	preparation := dataset.Preparation{
		SkipInvalid:        spec.InvalidSamples == classifierv1alpha1.InvalidSamplesSkip,
		MaxInvalidPercent:  intOr0(spec.MaxInvalidPercent),
		DropDuplicates:     spec.Duplicates == classifierv1alpha1.DuplicatesDrop,
		MinSamplesPerLabel: intOr0(spec.MinSamplesPerLabel),
		MaxSamplesPerLabel: intOr0(spec.MaxSamplesPerLabel),
	}
	if spec.Split != nil {
		preparation.ValidationPercent = intOr0(spec.Split.ValidationPercent)
		preparation.TestPercent = intOr0(spec.Split.TestPercent)
		preparation.Stratified = spec.Split.Method == classifierv1alpha1.SplitStratified
	}
	if spec.Seed != nil {
		preparation.Seed = *spec.Seed
	}
	return preparation
}

func intOr0(value *int32) int {
	if value == nil {
		return 0
	}
	return int(*value)
}
