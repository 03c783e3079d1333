package classifier

import (
	"context"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
)

func TestEnsembleFitsMemory(t *testing.T) {
	for _, test := range []struct {
		reason          string
		slots, examples int
		loss            LossFunction
		descents        int
		hinge           bool
	}{
		{"small models are the mean of several fits", 10_000, 100, SingleClass, 2, true},
		{"a support vector machine is for single labels", 10_000, 100, MultiClass, 2, false},
		{"large weights are fitted once", maxRepeatedWeights/100 + 1, 100, SingleClass, 1, false},
		{"so are many examples", 100, maxRepeatedWeights/100 + 1, SingleClass, 1, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			targets := []Target{{Labels: make([]string, 100), Loss: test.loss}}
			data := &trainingData{targets: targets, heads: newHeads(targets), examples: trainingExamples{names: make([]Example, test.examples)}, vocabulary: &vocabulary{slots: make([]uint32, test.slots)}}
			e, err := newEnsemble(data, scratchFilesOf(t), nil, newSchedule(100, 10, 0, Hyperparameters{}), 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(e.descents) != test.descents || (e.hinge != nil) != test.hinge {
				t.Errorf("%d descents, a support vector machine: %v", len(e.descents), e.hinge != nil)
			}
		})
	}
}

// The parts of the mean are what they are said to be, however large the fits are.
func TestEnsembleMean(t *testing.T) {
	heads := newHeads([]Target{{Labels: []string{"a", "b"}, Loss: SingleClass}, {Labels: []string{"c", "d"}, Loss: MultiClass}})
	weights := func(values ...float32) *linear {
		l := newLinear(1, 4)
		copy(l.weights, values)
		copy(l.bias, values)
		return l
	}
	e := &ensemble{
		data: &trainingData{
			heads:      heads,
			vocabulary: &vocabulary{slots: make([]uint32, 1)},
			examples:   trainingExamples{names: make([]Example, 2)},
			vectors:    tableOf(t, vector{features: []uint32{0}, values: []float32{1}}, vector{}),
			bayes:      weights(-0.1, 0.1, 0, 0),
		},
		descents: []*descent{{weights: weights(4, -4, 6, 1)}, {weights: weights(8, -8, 0, 3)}},
		hinge:    &hinge{weights: weights(-0.1, 0.1, 0, 0)},
	}
	mean, err := e.weights()
	if err != nil {
		t.Fatal(err)
	}
	away := float32(6 * (1 - 2*mixedShare) * (1 - 2*mixedShare))
	for column, want := range []float32{away, -away, 3, 2} {
		if got := mean.weights[column]; math.Abs(float64(got-want)) > 1e-5 {
			t.Errorf("weights %v in column %d, want %v", got, column, want)
		}
		if got := mean.bias[column]; math.Abs(float64(got-want)) > 1e-5 {
			t.Errorf("bias %v in column %d, want %v", got, column, want)
		}
	}
}

func scratchFilesOf(t *testing.T) *scratchFiles {
	files := &scratchFiles{folder: t.TempDir()}
	t.Cleanup(files.close)
	return files
}

func tableOf(t *testing.T, vectors ...vector) *table {
	table, err := newTable(scratchFilesOf(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range vectors {
		if err := table.append(appendVector(appendHead(nil, Example{}), x)); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.flush(); err != nil {
		t.Fatal(err)
	}
	return table
}

type countedFit struct {
	fit
	running, most *atomic.Int32
}

func (f countedFit) advance(context.Context, int) error {
	running := f.running.Add(1)
	defer f.running.Add(-1)
	for most := f.most.Load(); running > most && !f.most.CompareAndSwap(most, running); most = f.most.Load() {
	}
	for range 100 {
		runtime.Gosched() // lets the others come in
	}
	return nil
}

func TestFitsLeaveAProcessorToOthers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, test := range []struct {
		reason           string
		processors, most int32
	}{
		{"the only processor has to be shared", 1, 1},
		{"one of two", 2, 1},
		{"one of four", 4, 3},
	} {
		t.Run(test.reason, func(t *testing.T) {
			runtime.GOMAXPROCS(int(test.processors))
			var running, most atomic.Int32
			fits := make([]fit, 20)
			for i := range fits {
				fits[i] = countedFit{running: &running, most: &most}
			}
			if err := advanceAll(t.Context(), fits, 1); err != nil || most.Load() > test.most {
				t.Errorf("%d fits at a time, error %v", most.Load(), err)
			}
		})
	}
}
