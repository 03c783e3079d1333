package main

import (
	"context"
	"io"
	"math"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
)

// So many texts, or of long ones so many bytes, are classified at least when the speed is
// measured: what starts and ends a program must not count.
const (
	timedTexts = 60_000
	timedBytes = 16 << 20
)

// timesTest is how often all test texts are so many.
func (s *labelledTexts) timesTest() int {
	bytes := 0
	for _, text := range s.test {
		bytes += len(text.text)
	}
	return 1 + min(timedTexts/len(s.test), timedBytes/max(bytes, 1))
}

// measureClassifier measures the factory's engine as jobs use it, without hyperparameters.
func measureClassifier(ctx context.Context, set *labelledTexts, _ string) (figures, error) {
	target := classifier.Target{Name: "target", Labels: set.labels, Loss: classifier.SingleClass, Weight: 1}
	if set.multi {
		target.Loss = classifier.MultiClass
	}
	train, err := corpus(set.train)
	if err != nil {
		return figures{}, err
	}
	defer train.Close()
	valid, err := corpus(set.valid)
	if err != nil {
		return figures{}, err
	}
	defer valid.Close()
	runtime.GC() // so that it does not collect what others left
	begin := cpuTime(syscall.RUSAGE_SELF)
	trained, err := classifier.Train(ctx, train, valid, classifier.Options{Targets: []classifier.Target{target}, Seed: 1})
	if err != nil {
		return figures{}, err
	}
	model, f := trained.Model, figures{training: cpuTime(syscall.RUSAGE_SELF) - begin}
	if f.modelBytes, err = model.WriteTo(io.Discard); err != nil {
		return figures{}, err
	}
	predicted := make([][]int, len(set.test))
	calibration := calibrationBins{independent: set.multi}
	var probabilities [][]float64
	for i, text := range set.test {
		probabilities = model.Probabilities(text.text, probabilities)
		predicted[i] = model.Decide(0, probabilities[0], nil)
		calibration.add(probabilities[0], text.labels)
	}
	f.micro, f.macro = set.f1(set.test, predicted)
	f.calibrationError, f.calibrationNoise = calibration.error(), calibration.noise()
	f.textsPerSecond = classifierSpeed(model, set)
	return f, nil
}

// corpus leaves out what train does not know.
func corpus(texts []labelledText) (*classifier.Corpus, error) {
	c, err := classifier.NewCorpus("")
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		if slices.Contains(text.labels, -1) {
			continue
		}
		if err := c.Add(classifier.Example{Text: text.text, Labels: [][]int{text.labels}}); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

func classifierSpeed(model *classifier.Model, set *labelledTexts) float64 {
	var scores [][]float64
	times := set.timesTest()
	begin := cpuTime(syscall.RUSAGE_SELF)
	for range times {
		for _, text := range set.test {
			scores = model.Classify(text.text, scores)
		}
	}
	return perSecond(times*len(set.test), cpuTime(syscall.RUSAGE_SELF)-begin)
}

func perSecond(texts int, spent time.Duration) float64 {
	return float64(texts) / max(spent, time.Microsecond).Seconds()
}

const bins = 15

// calibrationBins are bins of equal width of probabilities: of the most probable label of a
// text, or of each label on its own.
type calibrationBins struct {
	independent        bool
	expected, observed [bins]float64
	variances          [bins]float64 // of observed, if the probabilities are right
	count              float64
}

func (c *calibrationBins) add(probabilities []float64, labels []int) {
	highest := slices.Max(probabilities)
	for label, p := range probabilities {
		if !c.independent && p < highest {
			continue
		}
		bin := min(int(p*bins), bins-1)
		c.expected[bin] += p
		c.variances[bin] += p * (1 - p)
		if slices.Contains(labels, label) {
			c.observed[bin]++
		}
		c.count++
	}
}

// error is the expected calibration error.
func (c *calibrationBins) error() float64 {
	sum := 0.0
	for bin := range bins {
		sum += max(c.expected[bin]-c.observed[bin], c.observed[bin]-c.expected[bin])
	}
	return sum / c.count
}

// noise is the error to expect where the probabilities are right: that of chance, which is the
// larger the fewer texts there are. What is observed in a bin is close to normally distributed.
func (c *calibrationBins) noise() float64 {
	sum := 0.0
	for _, variance := range c.variances {
		sum += math.Sqrt(2 * variance / math.Pi)
	}
	return sum / c.count
}
