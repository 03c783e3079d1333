//go:build unix

package classifier

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// The folder named by CLASSIFIER_DATA holds a folder for each data set, with
// train.jsonl, valid.jsonl and test.jsonl in it. CLASSIFIER_SPLIT is what accuracy is
// measured on: valid unless it says test, so that choices are not made on the test rows.
//
//	CLASSIFIER_DATA=… go test -run - -bench Train -benchtime 1x ./internal/classifier

// BenchmarkTrain trains on the train rows and reports, for each data set, the first
// target's accuracy, or micro- and macro-F1 of what its thresholds decide when it is
// multi_class, the expected calibration error,
// training CPU seconds and the size of the model file.
func BenchmarkTrain(b *testing.B) {
	for _, folder := range dataSets(b) {
		b.Run(filepath.Base(folder), func(b *testing.B) {
			set := load(b, folder)
			for b.Loop() {
				start := cpuTime()
				model := train(b, set.train, set.valid, Options{Targets: set.targets, Seed: 1})
				b.ReportMetric((cpuTime() - start).Seconds(), "cpu-s")
				report(b, model, set)
			}
		})
	}
}

// BenchmarkClassify classifies the measured rows one after the other.
func BenchmarkClassify(b *testing.B) {
	for _, folder := range dataSets(b) {
		b.Run(filepath.Base(folder), func(b *testing.B) {
			set := load(b, folder)
			model := train(b, set.train, set.valid, Options{Targets: set.targets, Seed: 1})
			var scores [][]float64
			b.ReportAllocs()
			start := cpuTime()
			for i := 0; b.Loop(); i++ {
				scores = model.Classify(set.measured[i%len(set.measured)].Text, scores)
			}
			b.ReportMetric(float64(b.N)/(cpuTime()-start).Seconds(), "texts/cpu-s")
		})
	}
}

func report(b *testing.B, model *Model, set dataSet) {
	var file bytes.Buffer
	if _, err := model.WriteTo(&file); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(file.Len()), "model-B")
	b.ReportMetric(100*calibrationError(model, set.measured), "ECE-%")
	micro, macro := f1(model, set.measured)
	if set.targets[0].Loss == SingleClass {
		b.ReportMetric(100*micro, "accuracy-%")
		return
	}
	b.ReportMetric(100*micro, "micro-F1-%")
	b.ReportMetric(100*macro, "macro-F1-%")
}

// f1 measures what is decided of the first target. Of single labels the micro-F1 is the
// accuracy.
func f1(model *Model, examples []Example) (micro, macro float64) {
	byLabel := make([]labelTally, len(model.Targets()[0].Labels))
	var probabilities [][]float64
	var decided []int
	for _, example := range examples {
		probabilities = model.Probabilities(example.Text, probabilities)
		decided = model.Decide(0, probabilities[0], decided)
		for _, label := range decided {
			byLabel[label].decided++
			if slices.Contains(example.Labels[0], label) {
				byLabel[label].right++
			}
		}
		for _, label := range example.Labels[0] {
			byLabel[label].applying++
		}
	}
	var all labelTally
	for _, tally := range byLabel {
		all.add(tally)
		macro += tally.f1() / float64(len(byLabel))
	}
	return all.f1(), macro
}

// calibrationError is the expected calibration error in 15 bins of equal width: of the
// most probable label, or of each label on its own for multi_class.
func calibrationError(model *Model, examples []Example) float64 {
	var confidence, right [15]float64
	count := 0
	var probabilities [][]float64
	for _, example := range examples {
		probabilities = model.Probabilities(example.Text, probabilities)
		for label, p := range probabilities[0] {
			if model.targets[0].Loss == SingleClass && label != highest(probabilities[0]) {
				continue
			}
			bin := min(int(p*15), 14)
			confidence[bin] += p
			count++
			if slices.Contains(example.Labels[0], label) {
				right[bin]++
			}
		}
	}
	sum := 0.0
	for bin := range right {
		sum += max(right[bin]-confidence[bin], confidence[bin]-right[bin])
	}
	return sum / float64(count)
}

type dataSet struct {
	targets                []Target
	train, valid, measured []Example
}

func dataSets(b *testing.B) []string {
	folders, _ := filepath.Glob(filepath.Join(os.Getenv("CLASSIFIER_DATA"), "*", "train.jsonl"))
	if os.Getenv("CLASSIFIER_DATA") == "" || len(folders) == 0 {
		b.Skip("CLASSIFIER_DATA does not name a folder of data sets")
	}
	for i := range folders {
		folders[i] = filepath.Dir(folders[i])
	}
	return folders
}

func load(b *testing.B, folder string) dataSet {
	measured := os.Getenv("CLASSIFIER_SPLIT")
	if measured == "" {
		measured = "valid"
	}
	var set dataSet
	for _, split := range []struct {
		name     string
		examples *[]Example
	}{{"train", &set.train}, {"valid", &set.valid}, {measured, &set.measured}} {
		if err := set.read(filepath.Join(folder, split.name+".jsonl"), split.examples); err != nil {
			b.Fatal(err)
		}
	}
	for i := range set.targets {
		set.targets[i].Weight = 1
	}
	return set
}

func (s *dataSet) read(name string, examples *[]Example) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	for decoder := json.NewDecoder(file); decoder.More(); {
		var row struct {
			Text   string
			Labels map[string]any
		}
		if err := decoder.Decode(&row); err != nil {
			return err
		}
		*examples = append(*examples, Example{Text: row.Text, Labels: s.indices(row.Labels)})
	}
	return nil
}

// indices finds the labels' indices, adding targets and labels that are new.
func (s *dataSet) indices(row map[string]any) [][]int {
	for _, name := range slices.Sorted(maps.Keys(row)) {
		if s.target(name) < 0 {
			loss := SingleClass
			if _, many := row[name].([]any); many {
				loss = MultiClass
			}
			s.targets = append(s.targets, Target{Name: name, Loss: loss})
		}
	}
	indices := make([][]int, len(s.targets))
	for name, value := range row {
		t := s.target(name)
		labels, many := value.([]any)
		if !many {
			labels = []any{value}
		}
		for _, label := range labels {
			indices[t] = append(indices[t], s.label(t, label.(string)))
		}
	}
	return indices
}

func (s *dataSet) target(name string) int {
	return slices.IndexFunc(s.targets, func(t Target) bool { return t.Name == name })
}

func (s *dataSet) label(target int, name string) int {
	labels := &s.targets[target].Labels
	if l := slices.Index(*labels, name); l >= 0 {
		return l
	}
	*labels = append(*labels, name)
	return len(*labels) - 1
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano())
}
