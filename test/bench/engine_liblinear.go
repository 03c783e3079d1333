package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const liblinear = "liblinear-train"

// measureLiblinear measures a solver with the C that is best on the validation texts, on
// TF-IDF features of words and characters. Making these is not measured.
func measureLiblinear(solver string) func(context.Context, *labelledTexts, string) (figures, error) {
	return func(ctx context.Context, set *labelledTexts, directory string) (figures, error) {
		l := &liblinearRun{set: set, directory: directory, figures: figures{calibrationError: -1}}
		if err := l.writeSplits(); err != nil {
			return figures{}, err
		}
		if err := l.train(ctx, solver); err != nil {
			return figures{}, err
		}
		predicted, err := l.predict(ctx, "test", len(set.test))
		if err != nil {
			return figures{}, err
		}
		l.figures.micro, l.figures.macro = set.f1(set.test, predicted)
		err = l.measureSpeed(ctx)
		return l.figures, err
	}
}

type liblinearRun struct {
	set       *labelledTexts
	directory string
	features  *tfIDF
	figures   figures
}

func (l *liblinearRun) path(name string) string { return filepath.Join(l.directory, name) }

func (l *liblinearRun) writeSplits() error {
	l.features = newTFIDF(l.set.train)
	for _, split := range []struct {
		name  string
		texts []labelledText
		times int
	}{
		{"train", l.set.train, 1},
		{"valid", l.set.valid, 1},
		{"test", l.set.test, 1},
		{"many", l.set.test, l.set.timesTest()},
		{"none", nil, 1},
	} {
		lines := bytes.Repeat(l.lines(split.texts), split.times)
		if err := os.WriteFile(l.path(split.name), lines, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (l *liblinearRun) lines(texts []labelledText) []byte {
	var lines bytes.Buffer
	for _, text := range texts {
		fmt.Fprint(&lines, text.labels[0])
		for _, feature := range l.features.vector(text.text) {
			fmt.Fprintf(&lines, " %d:%.5g", feature.index, feature.value)
		}
		lines.WriteByte('\n')
	}
	return lines.Bytes()
}

// train keeps the model of the best C.
func (l *liblinearRun) train(ctx context.Context, solver string) error {
	best := -1.0
	for _, c := range []string{"0.3", "1", "3"} {
		_, spent, err := runProgram(ctx, liblinear, "-q", "-s", solver, "-c", c, "-B", "1", l.path("train"), l.path("candidate"))
		if err != nil {
			return err
		}
		if err := os.Rename(l.path("candidate"), l.path("candidate-"+c)); err != nil {
			return err
		}
		predicted, err := l.predictWith(ctx, "candidate-"+c, "valid", len(l.set.valid))
		if err != nil {
			return err
		}
		accuracy, _ := l.set.f1(l.set.valid, predicted)
		if accuracy <= best {
			continue
		}
		best, l.figures.training = accuracy, spent
		if err := os.Rename(l.path("candidate-"+c), l.path("model")); err != nil {
			return err
		}
	}
	info, err := os.Stat(l.path("model"))
	if err != nil {
		return err
	}
	l.figures.modelBytes = info.Size()
	return nil
}

func (l *liblinearRun) predict(ctx context.Context, split string, texts int) ([][]int, error) {
	return l.predictWith(ctx, "model", split, texts)
}

func (l *liblinearRun) predictWith(ctx context.Context, model, split string, texts int) ([][]int, error) {
	if _, _, err := runProgram(ctx, "liblinear-predict", l.path(split), l.path(model), l.path("predicted")); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(l.path("predicted"))
	if err != nil {
		return nil, err
	}
	lines := strings.Fields(string(content))
	if len(lines) != texts {
		return nil, fmt.Errorf("predicted %d texts of %d", len(lines), texts)
	}
	predicted := make([][]int, len(lines))
	for i, line := range lines {
		label, err := strconv.Atoi(line)
		if err != nil {
			return nil, err
		}
		predicted[i] = []int{label}
	}
	return predicted, nil
}

func (l *liblinearRun) measureSpeed(ctx context.Context) (err error) {
	predict := func(path string) (time.Duration, error) {
		_, spent, err := runProgram(ctx, "liblinear-predict", path, l.path("model"), l.path("predicted"))
		return spent, err
	}
	l.figures.textsPerSecond, err = predictionSpeed(l.set.timesTest()*len(l.set.test), predict, l.path("many"), l.path("none"))
	return err
}
