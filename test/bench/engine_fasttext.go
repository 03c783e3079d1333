package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const fastText = "fasttext"

// measureFastText measures bigrams and 25 epochs, and what the options add.
func measureFastText(options ...string) func(context.Context, *labelledTexts, string) (figures, error) {
	return func(ctx context.Context, set *labelledTexts, directory string) (figures, error) {
		f := &fastTextRun{set: set, directory: directory}
		if err := f.train(ctx, options); err != nil {
			return figures{}, err
		}
		if err := f.evaluate(ctx); err != nil {
			return figures{}, err
		}
		err := f.measureSpeed(ctx)
		return f.figures, err
	}
}

type fastTextRun struct {
	set       *labelledTexts
	directory string
	figures   figures
}

func (f *fastTextRun) path(name string) string { return filepath.Join(f.directory, name) }

func (f *fastTextRun) train(ctx context.Context, options []string) error {
	texts := append([]labelledText(nil), f.set.train...)
	random := rand.New(rand.NewPCG(1, 2)) // it learns nothing from rows sorted by label
	random.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	if err := f.write("train", texts, 1); err != nil {
		return err
	}
	arguments := []string{
		"supervised", "-input", f.path("train"), "-output", f.path("model"),
		"-wordNgrams", "2", "-lr", "0.5", "-epoch", "25", "-thread", "1", "-verbose", "0",
	}
	if f.set.multi {
		arguments = append(arguments, "-loss", "ova")
	}
	_, spent, err := runProgram(ctx, fastText, append(arguments, options...)...)
	if err != nil {
		return err
	}
	f.figures.training = spent
	info, err := os.Stat(f.path("model.bin"))
	if err != nil {
		return err
	}
	f.figures.modelBytes = info.Size()
	return nil
}

var punctuation = strings.NewReplacer(
	".", " . ", ",", " , ", "!", " ! ", "?", " ? ", "'", " ' ", "\"", " \" ", "(", " ( ", ")", " ) ", "/", " / ", ":", " : ", ";", " ; ",
	"\n", " ", "\r", " ",
)

// write writes texts as often as asked for, lower-cased and with punctuation apart, as
// its documentation advises.
func (f *fastTextRun) write(name string, texts []labelledText, times int) error {
	var lines bytes.Buffer
	for range times {
		for _, text := range texts {
			for _, label := range text.labels {
				fmt.Fprintf(&lines, "__label__%d ", label)
			}
			fmt.Fprintln(&lines, punctuation.Replace(strings.ToLower(text.text)))
		}
	}
	return os.WriteFile(f.path(name), lines.Bytes(), 0o600)
}

func (f *fastTextRun) evaluate(ctx context.Context) error {
	test, err := f.predict(ctx, "test", f.set.test)
	if err != nil {
		return err
	}
	threshold := 1.0 // of one label for each text: the most probable one
	if f.set.multi {
		valid, err := f.predict(ctx, "valid", f.set.valid)
		if err != nil {
			return err
		}
		threshold = f.set.bestThreshold(valid)
	}
	calibration := calibrationBins{independent: f.set.multi}
	for i, probabilities := range test {
		calibration.add(probabilities, f.set.test[i].labels)
	}
	f.figures.calibrationError, f.figures.calibrationNoise = calibration.error(), calibration.noise()
	f.figures.micro, f.figures.macro = f.set.f1(f.set.test, above(threshold, test))
	return nil
}

// predict returns the probability of each label for each text.
func (f *fastTextRun) predict(ctx context.Context, name string, texts []labelledText) ([][]float64, error) {
	if err := f.write(name, texts, 1); err != nil {
		return nil, err
	}
	printed, _, err := runProgram(ctx, fastText, "predict-prob", f.path("model.bin"), f.path(name), "-1")
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(printed), "\n"), "\n")
	if len(lines) != len(texts) {
		return nil, fmt.Errorf("predicted %d texts of %d", len(lines), len(texts))
	}
	all := make([][]float64, len(texts))
	for i, line := range lines {
		all[i] = make([]float64, len(f.set.labels))
		fields := strings.Fields(line)
		for j := 0; j+1 < len(fields); j += 2 {
			label, err := strconv.Atoi(strings.TrimPrefix(fields[j], "__label__"))
			if err != nil {
				return nil, err
			}
			if all[i][label], err = strconv.ParseFloat(fields[j+1], 64); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// bestThreshold is that of the highest micro-F1 on the validation texts.
func (s *labelledTexts) bestThreshold(valid [][]float64) float64 {
	best, bestF1 := 0.0, 0.0
	for threshold := 0.02; threshold < 1; threshold += 0.02 {
		if micro, _ := s.f1(s.valid, above(threshold, valid)); micro > bestF1 {
			best, bestF1 = threshold, micro
		}
	}
	return best
}

// above are the labels above a threshold, and the most probable one when none is.
func above(threshold float64, all [][]float64) [][]int {
	predicted := make([][]int, len(all))
	for i, probabilities := range all {
		highest := 0
		for label, p := range probabilities {
			if p > threshold {
				predicted[i] = append(predicted[i], label)
			}
			if p > probabilities[highest] {
				highest = label
			}
		}
		if len(predicted[i]) == 0 {
			predicted[i] = []int{highest}
		}
	}
	return predicted
}

// measureSpeed has it print the most probable label only, which is the fastest.
func (f *fastTextRun) measureSpeed(ctx context.Context) (err error) {
	times := f.set.timesTest()
	if err := f.write("many", f.set.test, times); err != nil {
		return err
	}
	if err := f.write("none", nil, 1); err != nil {
		return err
	}
	predict := func(path string) (time.Duration, error) {
		_, spent, err := runProgram(ctx, fastText, "predict", f.path("model.bin"), path)
		return spent, err
	}
	f.figures.textsPerSecond, err = predictionSpeed(times*len(f.set.test), predict, f.path("many"), f.path("none"))
	return err
}
