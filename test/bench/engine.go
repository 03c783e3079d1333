package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"
)

const (
	enginesCommand = "engine"
	dataVariable   = "CLASSIFIER_DATA" // names a folder with a folder for each data set
)

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
	}
}

// compareEngines prints a table for each data set, once it is measured.
func compareEngines(ctx context.Context) error {
	data := os.Getenv(dataVariable)
	if data == "" {
		_, err := fmt.Println("engines are not compared: " + dataVariable + " names no folder of data sets")
		return err
	}
	folders, err := filepath.Glob(filepath.Join(data, "*", "train.jsonl"))
	if err != nil {
		return err
	}
	if len(folders) == 0 {
		return fmt.Errorf("no */train.jsonl in %s", data)
	}
	for _, folder := range folders {
		if err := compareOn(ctx, filepath.Dir(folder)); err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
	}
	return nil
}

func compareOn(ctx context.Context, folder string) error {
	set, err := readLabelledTexts(folder)
	if errors.Is(err, errSeveralTargets) {
		_, err = fmt.Printf("%s: has several targets, for each of which the peers would need a model\n\n", filepath.Base(folder))
		return err
	}
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	if err := writeComparison(ctx, table, filepath.Base(folder), set); err != nil {
		return err
	}
	return table.Flush()
}

func writeComparison(ctx context.Context, w io.Writer, name string, set *labelledTexts) error {
	quality := "accuracy, %"
	if set.multi {
		quality = "micro-F1, %\tmacro-F1, %"
	}
	if _, err := fmt.Fprintf(w, "%s\t%s\tcalibration error, %%\ttraining, CPU s\tmodel, MB\ttexts/CPU s\n", name, quality); err != nil {
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
		calibration = fmt.Sprintf("%.1f", 100*f.calibrationError)
	}
	return fmt.Sprintf("%s%s\t%.1f\t%.1f\t%.0f", quality, calibration, f.training.Seconds(), float64(f.modelBytes)/1e6, f.textsPerSecond), nil
}
