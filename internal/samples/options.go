package samples

import (
	"io"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/dataset/parquet"
)

// Options say how the samples are written.
func Options(spec *classifierv1alpha1.ClassifierDatasetSpec) dataset.Options {
	return dataset.Options{Format: dataset.Format(spec.Format), CSV: csvOptions(spec.CSV), Mapping: mappingOf(spec.Mapping), Parquet: openParquet}
}

func openParquet(file io.ReaderAt, size int64, isWanted func(column string) bool, maxRowBytes, maxDepth int) (dataset.Table, error) {
	return parquet.Open(file, size, isWanted, maxRowBytes, maxDepth)
}

func mappingOf(spec *classifierv1alpha1.DatasetMapping) *dataset.Mapping {
	if spec == nil {
		return nil
	}
	mapping := &dataset.Mapping{Text: spec.Text, Messages: spec.Messages}
	for i := range spec.Labels {
		mapping.Labels = append(mapping.Labels, labelMappingOf(&spec.Labels[i]))
	}
	for _, filter := range spec.Filters {
		mapping.Filters = append(mapping.Filters, dataset.RecordFilter{Field: filter.Field, Values: filter.Values})
	}
	return mapping
}

func labelMappingOf(spec *classifierv1alpha1.LabelMapping) dataset.LabelMapping {
	mapping := dataset.LabelMapping{
		Target:      spec.Target,
		Field:       spec.Field,
		Fields:      spec.Fields,
		LastMessage: spec.LastMessage == classifierv1alpha1.LastMessageAssistant,
		Type:        dataset.TargetType(spec.Type),
		Separator:   spec.Separator,
		None:        spec.None,
	}
	if len(spec.Names) > 0 {
		mapping.Names = map[string]string{}
	}
	for value, name := range spec.Names {
		mapping.Names[value] = string(name)
	}
	return mapping
}

func csvOptions(spec *classifierv1alpha1.CSVOptions) *dataset.CSVOptions {
	if spec == nil {
		return nil
	}
	options := &dataset.CSVOptions{TextColumn: spec.TextColumn}
	if spec.Delimiter != "" {
		options.Delimiter = spec.Delimiter[0]
	}
	for _, column := range spec.LabelColumns {
		options.LabelColumns = append(options.LabelColumns, dataset.CSVLabelColumn{
			Column:    column.Column,
			Target:    column.Target,
			Separator: column.Separator,
		})
	}
	return options
}

// Preparation is what happens to the samples.
func Preparation(spec classifierv1alpha1.DatasetPreparation) dataset.Preparation {
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
