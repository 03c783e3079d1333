package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// measureNBSVM measures the support vector machine on features of naive Bayes as it was
// published (Wang and Manning 2012): of a text it sees which words and pairs of words it
// has, each by the logarithm of how much more frequent that is with a label. Each label is
// told from all others, with the C that is best on the validation texts.
func measureNBSVM(ctx context.Context, set *labelledTexts, directory string) (figures, error) {
	n := newNBSVM(set, directory)
	var chosen *nbsvmModel
	best, threshold := -1.0, 1.0
	for _, cost := range []string{"0.1", "1"} {
		model, err := n.train(ctx, cost)
		if err != nil {
			return figures{}, err
		}
		valid := n.probabilities(model, set.valid)
		least := 1.0 // of one label for each text: the most probable one
		if set.multi {
			least = set.bestThreshold(valid)
		}
		if micro, _ := set.f1(set.valid, above(least, valid)); micro > best {
			best, chosen, threshold = micro, model, least
		}
	}
	f := figures{training: chosen.spent, modelBytes: chosen.bytes, calibrationError: -1}
	begin := cpuTime(syscall.RUSAGE_SELF)
	test := n.probabilities(chosen, set.test)
	f.textsPerSecond = perSecond(len(set.test), cpuTime(syscall.RUSAGE_SELF)-begin)
	f.micro, f.macro = set.f1(set.test, above(threshold, test))
	return f, nil
}

type nbsvm struct {
	set       *labelledTexts
	directory string
	indices   map[string]int // of words and pairs of words, from zero
	texts     [][]int        // ascending indices of each text that is trained with
}

// nbsvmModel has a column for each label.
type nbsvmModel struct {
	weights [][]float64
	bias    []float64
	spent   time.Duration
	bytes   int64
}

func newNBSVM(set *labelledTexts, directory string) *nbsvm {
	n := &nbsvm{set: set, directory: directory, indices: map[string]int{}}
	for _, text := range set.train {
		for ngram := range ngramGroups(text.text)[0] {
			if _, known := n.indices[ngram]; !known {
				n.indices[ngram] = len(n.indices)
			}
		}
		n.texts = append(n.texts, n.features(text.text))
	}
	return n
}

func (n *nbsvm) features(text string) []int {
	var features []int
	for ngram := range ngramGroups(text)[0] {
		if index, known := n.indices[ngram]; known {
			features = append(features, index)
		}
	}
	slices.Sort(features)
	return features
}

func (n *nbsvm) train(ctx context.Context, cost string) (*nbsvmModel, error) {
	m := &nbsvmModel{}
	for label := range n.set.labels {
		ratios := n.logRatios(label)
		if err := os.WriteFile(n.path("train"), n.lines(label, ratios), 0o600); err != nil {
			return nil, err
		}
		_, spent, err := runProgram(ctx, liblinear, "-q", "-s", "1", "-c", cost, "-B", "1", n.path("train"), n.path("model"))
		if err != nil {
			return nil, err
		}
		model, err := os.ReadFile(n.path("model"))
		if err != nil {
			return nil, err
		}
		weights, bias, err := readWeights(model, ratios)
		if err != nil {
			return nil, err
		}
		m.weights, m.bias = append(m.weights, weights), append(m.bias, bias)
		m.spent, m.bytes = m.spent+spent, m.bytes+int64(len(model))
	}
	return m, nil
}

func (n *nbsvm) path(name string) string { return filepath.Join(n.directory, name) }

// logRatios are smoothed by one text of each feature with the label and one without.
func (n *nbsvm) logRatios(label int) []float64 {
	with, without := make([]float64, len(n.indices)), make([]float64, len(n.indices))
	for i := range with {
		with[i], without[i] = 1, 1
	}
	sums := [2]float64{float64(len(with)), float64(len(without))}
	for i, features := range n.texts {
		counts, sum := without, &sums[1]
		if slices.Contains(n.set.train[i].labels, label) {
			counts, sum = with, &sums[0]
		}
		for _, feature := range features {
			counts[feature]++
			*sum++
		}
	}
	for i := range with {
		with[i] = math.Log(with[i] / sums[0] / (without[i] / sums[1]))
	}
	return with
}

func (n *nbsvm) lines(label int, ratios []float64) []byte {
	fields := make([]string, len(ratios))
	for i, ratio := range ratios {
		fields[i] = fmt.Sprintf(" %d:%.5g", i+1, ratio)
	}
	var lines bytes.Buffer
	for i, features := range n.texts {
		if slices.Contains(n.set.train[i].labels, label) {
			lines.WriteString("1")
		} else {
			lines.WriteString("0")
		}
		for _, feature := range features {
			lines.WriteString(fields[feature])
		}
		lines.WriteByte('\n')
	}
	return lines.Bytes()
}

// readWeights reads a model of liblinear and returns what its weights are of features
// that are there or not.
func readWeights(model []byte, ratios []float64) (weights []float64, bias float64, err error) {
	head, numbers, _ := strings.Cut(string(model), "\nw\n")
	sign := 1.0
	if strings.Contains(head, "\nlabel 0 1") {
		sign = -1
	}
	fields := strings.Fields(numbers)
	weights = make([]float64, len(ratios))
	for i, field := range fields {
		weight, err := strconv.ParseFloat(field, 64)
		switch {
		case err != nil:
			return nil, 0, err
		case i == len(fields)-1:
			bias = sign * weight
		default:
			weights[i] = sign * weight * ratios[i]
		}
	}
	return weights, bias, nil
}

// probabilities are those of margins taken for log-odds: only their order matters.
func (n *nbsvm) probabilities(m *nbsvmModel, texts []labelledText) [][]float64 {
	all := make([][]float64, len(texts))
	for i, text := range texts {
		features := n.features(text.text)
		for label, weights := range m.weights {
			margin := m.bias[label]
			for _, feature := range features {
				margin += weights[feature]
			}
			all[i] = append(all[i], 1/(1+math.Exp(-margin)))
		}
	}
	return all
}
