package classifier

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// memoryRows is the variable that has a process train on so many rows and nothing else.
const memoryRows = "CLASSIFIER_MEMORY_ROWS"

// BenchmarkMemory trains on short rows and on two and four times as many with the same
// words, each in a process of its own, and reports how much more memory these had at
// most that the kernel cannot take back.
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
		b.ReportMetric(once/(1<<20), "MiB-peak-of-1x")
	}
}

// peakOfTraining is in bytes. It looks as often as whoever holds a training to its budget.
func peakOfTraining(b *testing.B, rows int) (peak float64) {
	command := exec.CommandContext(b.Context(), os.Args[0], "-test.run", "^TestTrainInMemoryOfItsOwn$")
	command.Env = append(os.Environ(), memoryRows+"="+strconv.Itoa(rows))
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- command.Wait() }()
	for ticks := time.Tick(50 * time.Millisecond); ; {
		select {
		case <-ticks:
			peak = max(peak, anonymousMemory(command.Process.Pid))
		case err := <-ended:
			if err != nil {
				b.Fatalf("%v: %s", err, &output)
			}
			return peak
		}
	}
}

// anonymousMemory is zero of a process that has ended.
func anonymousMemory(pid int) (kilobytes float64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if _, figure, ok := bytes.Cut(status, []byte("RssAnon:")); ok {
		_, _ = fmt.Sscan(string(figure), &kilobytes)
	}
	return kilobytes * 1024
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
