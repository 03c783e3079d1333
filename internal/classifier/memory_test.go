//go:build unix

package classifier

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
)

// memoryRows is the variable that has a process train on so many rows and nothing else.
const memoryRows = "CLASSIFIER_MEMORY_ROWS"

// BenchmarkMemory trains on short rows and on two and four times as many with the same
// words, each in a process of its own, and reports how much more memory these had at
// most.
func BenchmarkMemory(b *testing.B) {
	const rows = 300_000 // from which all that is bounded is full
	for b.Loop() {
		once := peakOfTraining(b, rows)
		for _, times := range []int{2, 4} {
			growth := peakOfTraining(b, times*rows)/once - 1
			b.ReportMetric(100*growth, fmt.Sprintf("%%-growth-at-%dx", times))
			if growth > 0.1 {
				b.Errorf("%d times the rows take %.0f %% more memory", times, 100*growth)
			}
		}
		b.ReportMetric(once, "peak-of-1x")
	}
}

// peakOfTraining is in the unit of the system.
func peakOfTraining(b *testing.B, rows int) float64 {
	command := exec.CommandContext(b.Context(), os.Args[0], "-test.run", "^TestTrainInMemoryOfItsOwn$")
	command.Env = append(os.Environ(), memoryRows+"="+strconv.Itoa(rows))
	if output, err := command.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, output)
	}
	return float64(command.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
}

func TestTrainInMemoryOfItsOwn(t *testing.T) {
	rows, err := strconv.Atoi(os.Getenv(memoryRows))
	if err != nil {
		t.Skip("is run by BenchmarkMemory")
	}
	corpus, err := NewCorpus(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer corpus.Close()
	target := manyLabels(100)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range rows {
		label := i % len(target.Labels)
		text := fmt.Sprintf("%s %d", target.Labels[label], random.IntN(100))
		if err := corpus.Add(Example{Text: text, Labels: [][]int{{label}}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Train(t.Context(), corpus, nil, Options{Targets: []Target{target}}); err != nil {
		t.Fatal(err)
	}
}

func TestMemoryNeeded(t *testing.T) {
	const mebibyte = 1 << 20
	target := func(labels int) []Target { return []Target{{Labels: make([]string, labels), Loss: SingleClass}} }
	for _, test := range []struct {
		reason      string
		size        Size
		least, most int64 // mebibytes
	}{
		{"a handful of rows takes what is fixed", Size{Examples: 10, TextBytes: 500, Targets: target(3)}, 56, 57},
		{"two labels are few weights", Size{Examples: 16_000_000, TextBytes: 500 * mebibyte, Targets: target(2), Validated: true}, 56, 60},
		{"many labels are the more weights", Size{Examples: 1_000_000, TextBytes: 500 * mebibyte, Targets: target(10_000), Validated: true}, 320, 400},
		{"held-out examples take weights of their own", Size{Examples: 1_000_000, TextBytes: 500 * mebibyte, Targets: target(10_000)}, 600, 704},
		{"the most fits, and NB-SVM, take the most of all", Size{Examples: 40_000, TextBytes: 500 * mebibyte, Targets: target(50), Quality: QualityBest}, 600, 696},
		{"several fits take several times the weights", Size{Examples: 9000, TextBytes: 500_000, Targets: target(77), Validated: true}, 200, 240},
	} {
		t.Run(test.reason, func(t *testing.T) {
			got := MemoryNeeded(test.size)
			if got < test.least*mebibyte || got > test.most*mebibyte {
				t.Errorf("%d MiB, want %d to %d", got/mebibyte, test.least, test.most)
			}
			test.size.Examples, test.size.TextBytes = 4*test.size.Examples, 4*test.size.TextBytes
			if more := MemoryNeeded(test.size); test.size.TextBytes > mebibyte*1000 && more != got {
				t.Errorf("four times the rows need %d MiB instead of %d", more/mebibyte, got/mebibyte)
			}
		})
	}
}
