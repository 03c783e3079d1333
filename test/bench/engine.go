package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"
)

const enginesCommand = "engine"

// engine trains on a data set and predicts the labels of its test texts. Its choices are
// made on the validation texts.
type engine struct {
	name    string
	program string // that it needs; none when it is ours
	multi   bool   // it can give a text several labels
	measure func(ctx context.Context, set *labelledTexts, directory string) (figures, error)
}

// figures are what is measured of an engine.
type figures struct {
	micro, macro     float64
	calibrationError float64 // below zero: its scores are no probabilities
	calibrationNoise float64 // what the error would be by chance alone
	training         time.Duration
	modelBytes       int64
	textsPerSecond   float64 // of CPU time, from texts or, for liblinear, from features
}

func newEngines() []engine {
	return []engine{
		{name: "classifier", multi: true, measure: measureClassifier},
		{name: "fastText, bigrams", program: fastText, multi: true, measure: measureFastText()},
		{name: "fastText, bigrams and subwords", program: fastText, multi: true, measure: measureFastText("-minn", "2", "-maxn", "5")},
		{name: "liblinear, Crammer-Singer, without reading texts", program: liblinear, measure: measureLiblinear("4")},
		{name: "liblinear, squared hinge, without reading texts", program: liblinear, measure: measureLiblinear("1")},
		{name: "NB-SVM of words by liblinear, without reading texts", program: liblinear, multi: true, measure: measureNBSVM},
	}
}

// compareEngines prints a table for each data set, once it is measured.
func compareEngines(ctx context.Context, names []string) error {
	sets, err := chosenSets(names)
	if err != nil {
		return err
	}
	for _, set := range sets {
		if err := compareOn(ctx, set); err != nil {
			return err
		}
	}
	return nil
}

func compareOn(ctx context.Context, d dataSet) error {
	set, err := d.readSome(ctx)
	if errors.Is(err, errTooLittle) {
		_, err = fmt.Printf("%s: this system has too few texts for it\n\n", d.name)
		return err
	}
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	if err := writeComparison(ctx, table, d.name, set); err != nil {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	return table.Flush()
}

func writeComparison(ctx context.Context, w io.Writer, name string, set *labelledTexts) error {
	quality := "accuracy, %"
	if set.multi {
		quality = "micro-F1, %\tmacro-F1, %"
	}
	if _, err := fmt.Fprintf(w, "%s: %d labels, %d texts\t%s\tcalibration error, %%\ttraining, CPU s\tmodel, MB\ttexts/CPU s\n", name, len(set.labels), len(set.train), quality); err != nil {
		return err
	}
	for _, e := range newEngines() {
		cells, err := e.cells(ctx, set)
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		if _, err := fmt.Fprintf(w, "%s\t%s\n", e.name, cells); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}

// cells are the engine's figures in a directory of its own, or why there are none.
func (e engine) cells(ctx context.Context, set *labelledTexts) (cells string, err error) {
	switch {
	case !installed(e.program):
		return notInstalled, nil
	case set.multi && !e.multi:
		return "one label for each text only", nil
	}
	directory, err := os.MkdirTemp("", "classifier-factory-bench-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	f, err := e.measure(ctx, set, directory)
	if err != nil {
		return "", err
	}
	quality := fmt.Sprintf("%.1f\t", 100*f.micro)
	if set.multi {
		quality += fmt.Sprintf("%.1f\t", 100*f.macro)
	}
	calibration := ""
	if f.calibrationError >= 0 {
		calibration = fmt.Sprintf("%.1f (%.1f by chance)", 100*f.calibrationError, 100*f.calibrationNoise)
	}
	return fmt.Sprintf("%s%s\t%.1f\t%.1f\t%.0f", quality, calibration, f.training.Seconds(), float64(f.modelBytes)/1e6, f.textsPerSecond), nil
}
