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

// labelledTexts is a data set, or one target of it.
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

// targetsOf are those of the first row.
func targetsOf(path string) ([]string, error) {
	var names []string
	err := readSamples(path, func(sample *dataset.Sample) bool {
		for _, labels := range sample.Labels {
			names = append(names, strings.Clone(labels.Target))
		}
		return false
	})
	return names, err
}

func readLabelledTexts(folder string, target int) (*labelledTexts, error) {
	set := &labelledTexts{}
	for _, split := range []struct {
		name  string
		texts *[]labelledText
	}{{"train", &set.train}, {"valid", &set.valid}, {"test", &set.test}} {
		err := readSamples(filepath.Join(folder, split.name+".jsonl"), func(sample *dataset.Sample) bool {
			labels := sample.Labels[target]
			set.multi = set.multi || labels.Multi
			*split.texts = append(*split.texts, labelledText{strings.Clone(sample.Text), set.indices(labels.Labels, split.name == "train")})
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return set, nil
}

// readSamples reads until use has seen enough.
func readSamples(path string, use func(*dataset.Sample) bool) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	reader := dataset.NewReader(bufio.NewReader(file), dataset.DefaultLimits())
	var sample dataset.Sample
	for {
		err := reader.Read(&sample)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !use(&sample) {
			return nil
		}
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
