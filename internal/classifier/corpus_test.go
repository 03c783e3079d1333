package classifier

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestCorpusGivesWhatItWasGiven(t *testing.T) {
	want := []Example{
		{Text: "", Labels: [][]int{nil, {}, {0}}},
		{Text: strings.Repeat("long ", 100_000), Labels: [][]int{{3, 1, 2}, nil, {100_000}}, Weight: 0.5},
		{Text: "\xff\x00", Labels: [][]int{{-1}, {0}, nil}, Weight: 1e9},
		{Text: "no targets", Labels: [][]int{}},
	}
	corpus := corpusOf(t, want)
	if err := corpus.flush(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		reason   string
		examples Examples
		want     []Example
	}{
		{"all of them", Examples{corpus: corpus}, want},
		{"some in another order", Examples{corpus, []int32{2, 0}}, []Example{want[2], want[0]}},
		{"none of none", Examples{}, nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			i := 0
			for got, err := range test.examples.All() {
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(*got, test.want[i]) {
					t.Errorf("example %d is %.50v", i, got)
				}
				i++
			}
			if i != len(test.want) || test.examples.Len() != i {
				t.Errorf("%d of %d examples", i, test.examples.Len())
			}
		})
	}
}

func TestTrainingLeavesNothingOnDisk(t *testing.T) {
	folder := t.TempDir()
	corpus, err := NewCorpus(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer corpus.Close()
	for _, example := range colourExamples(60) {
		if err := corpus.Add(example); err != nil {
			t.Fatal(err)
		}
	}
	open := openFiles(t)
	_, err = Train(t.Context(), corpus, nil, Options{Targets: []Target{colours}, OnCheckpoint: func(Checkpoint) {
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("files %v, error %v: a kill would leave them", left, err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if now := openFiles(t); now != open {
		t.Errorf("%d files are open instead of %d", now, open)
	}
}

func openFiles(t *testing.T) int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("the system does not tell which files are open")
	}
	return len(files)
}
