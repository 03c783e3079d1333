package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
)

// labelledTexts is a data set of one target.
type labelledTexts struct {
	labels             []string // those of train
	multi              bool
	train, valid, test []labelledText
}

// labelledText has the indices of its labels; -1 is one that train does not have.
type labelledText struct {
	text   string
	labels []int
}

var errSeveralTargets = errors.New("the data set has several targets")

func readLabelledTexts(folder string) (*labelledTexts, error) {
	set := &labelledTexts{}
	var err error
	for _, split := range []struct {
		name  string
		texts *[]labelledText
	}{{"train", &set.train}, {"valid", &set.valid}, {"test", &set.test}} {
		if *split.texts, err = set.read(filepath.Join(folder, split.name+".jsonl"), split.name == "train"); err != nil {
			return nil, err
		}
	}
	return set, nil
}

func (s *labelledTexts) read(path string, learn bool) ([]labelledText, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader := dataset.NewReader(bufio.NewReader(file), dataset.DefaultLimits())
	var texts []labelledText
	var sample dataset.Sample
	for {
		switch err := reader.Read(&sample); {
		case errors.Is(err, io.EOF):
			return texts, nil
		case err != nil:
			return nil, err
		case len(sample.Labels) != 1:
			return nil, errSeveralTargets
		}
		s.multi = s.multi || sample.Labels[0].Multi
		texts = append(texts, labelledText{strings.Clone(sample.Text), s.indices(sample.Labels[0].Labels, learn)})
	}
}

func (s *labelledTexts) indices(labels []string, learn bool) []int {
	indices := make([]int, len(labels))
	for i, label := range labels {
		indices[i] = slices.Index(s.labels, label)
		if indices[i] < 0 && learn {
			indices[i] = len(s.labels)
			s.labels = append(s.labels, strings.Clone(label))
		}
	}
	return indices
}

// f1 returns the micro-F1, which is the accuracy where texts have one label, and the
// macro-F1 of the labels predicted for each text.
func (s *labelledTexts) f1(texts []labelledText, predicted [][]int) (micro, macro float64) {
	right, wrongOrMissed := make([]float64, len(s.labels)), make([]float64, len(s.labels))
	unknown := 0.0
	for i, text := range texts {
		for _, label := range predicted[i] {
			if slices.Contains(text.labels, label) {
				right[label]++
			} else {
				wrongOrMissed[label]++
			}
		}
		for _, label := range text.labels {
			if label < 0 {
				unknown++
			} else if !slices.Contains(predicted[i], label) {
				wrongOrMissed[label]++
			}
		}
	}
	allRight, allElse := 0.0, unknown
	for label := range right {
		allRight, allElse = allRight+right[label], allElse+wrongOrMissed[label]
		if right[label] > 0 {
			macro += 2 * right[label] / (2*right[label] + wrongOrMissed[label]) / float64(len(right))
		}
	}
	return 2 * allRight / max(2*allRight+allElse, 1), macro
}
