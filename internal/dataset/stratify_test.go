package dataset

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var tenths = Preparation{ValidationPercent: 10, TestPercent: 10, Seed: 42, Stratified: true}

// longTail has 2000 texts, each with one of 60 labels, of which few are common.
func longTail() string {
	random := rand.New(rand.NewPCG(1, 2))
	var data strings.Builder
	for i := range 2000 {
		label := int(math.Pow(60, random.Float64())) - 1
		data.WriteString(saying(fmt.Sprint("text ", i), fmt.Sprintf(`{"t":"label %d"}`, label)) + "\n")
	}
	return data.String()
}

// emotions has texts with one label or several of a target, and one of another.
func emotions(texts int) string {
	random := rand.New(rand.NewPCG(3, 4))
	var data strings.Builder
	for i := range texts {
		labels := map[string]bool{}
		for range 1 + random.IntN(3)*random.IntN(2) {
			labels[fmt.Sprintf(`"emotion %d"`, int(math.Pow(28, random.Float64()))-1)] = true
		}
		list := strings.Join(slices.Sorted(maps.Keys(labels)), ",")
		data.WriteString(saying(fmt.Sprint("text ", i), fmt.Sprintf(`{"emotions":[%s],"tone":"tone %d"}`, list, random.IntN(4))) + "\n")
	}
	return data.String()
}

func TestStratifiedSplitLeavesNoLabelOut(t *testing.T) {
	byChance := tenths
	byChance.Stratified = false
	for _, test := range []struct {
		reason      string
		preparation Preparation
		leavesOut   bool
	}{
		{"by chance rare labels are left out", byChance, true},
		{"stratified none is", tenths, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			prepared := prepareRows(t, longTail(), test.preparation, DefaultLimits())
			all := labelsIn(t, prepared.rows[Train])
			left := map[Split]int{}
			for _, split := range []Split{Validation, Test} {
				left[split] = len(all) - len(labelsIn(t, prepared.rows[split]))
			}
			t.Logf("of %d labels %d have no validation sample and %d no test sample", len(all), left[Validation], left[Test])
			if leavesOut := left[Validation]+left[Test] > 0; leavesOut != test.leavesOut {
				t.Errorf("left out are %v", left)
			}
			warned := slices.ContainsFunc(prepared.Warnings, func(warning Warning) bool { return warning.Reason == UnmeasuredLabels })
			if warned != test.leavesOut {
				t.Errorf("the warnings are %v", prepared.Warnings)
			}
		})
	}
}

// A label with a tenth of its samples in a split is as near to its share as can be when
// it is no further than rounding.
func TestStratifiedSplitGivesEachLabelItsShare(t *testing.T) {
	prepared := prepareRows(t, emotions(10_000), tenths, DefaultLimits())
	for split, percent := range map[Split]int{Train: 80, Validation: 10, Test: 10} {
		report, err := Validate(t.Context(), strings.NewReader(strings.Join(prepared.rows[split], "")), DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := report.Samples, 100*percent; got < want-want/20 || got > want+want/20 {
			t.Errorf("%s has %d samples, want %d give or take a twentieth", split, got, want)
		}
		for _, target := range prepared.Targets {
			for _, label := range target.Labels {
				i := slices.IndexFunc(report.Targets, func(other Target) bool { return other.Name == target.Name })
				got, want := samplesOf(report.Targets[i], label.Name), float64(label.Samples*percent)/100
				if math.Abs(float64(got)-want) > 2 {
					t.Errorf("%s has %d samples of %s, want %v", split, got, label.Name, want)
				}
			}
		}
	}
}

// What is written of a text in other ways goes with it, and its weight is seen to.
func TestStratifiedSplitWeighsTexts(t *testing.T) {
	var data strings.Builder
	for i := range 100 {
		for range 1 + 9*(i%2) {
			data.WriteString(saying(fmt.Sprint("text ", i), fmt.Sprintf(`{"t":"%d"}`, i/50)) + "\n")
		}
	}
	prepared := prepareRows(t, data.String(), tenths, DefaultLimits())
	for _, split := range []Split{Validation, Test} {
		if got := len(prepared.rows[split]); got < 50 || got > 60 {
			t.Errorf("%s has %d of 550 samples", split, got)
		}
	}
}

// How many of the samples that stay change their split when one of a hundred comes or goes.
func TestStabilityOfSplits(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	all := strings.SplitAfter(emotions(5000), "\n")
	fewer := slices.DeleteFunc(slices.Clone(all), func(string) bool { return random.IntN(100) == 0 })
	for _, test := range []struct {
		reason     string
		stratified bool
		most       float64
	}{
		{"by chance none does", false, 0},
		{"stratified few do", true, 0.08},
	} {
		t.Run(test.reason, func(t *testing.T) {
			preparation := tenths
			preparation.Stratified = test.stratified
			before := splitsOf(prepareRows(t, strings.Join(all, ""), preparation, DefaultLimits()))
			after := splitsOf(prepareRows(t, strings.Join(fewer, ""), preparation, DefaultLimits()))
			moved := 0
			for row, split := range after {
				if before[row] != split {
					moved++
				}
			}
			share := float64(moved) / float64(len(after))
			t.Logf("%.2f %% of the samples are elsewhere", 100*share)
			if share > test.most {
				t.Errorf("%d of %d samples are elsewhere", moved, len(after))
			}
		})
	}
}

func splitsOf(prepared outcome) map[string]Split {
	found := map[string]Split{}
	for split, rows := range prepared.rows {
		for _, row := range rows {
			found[row] = split
		}
	}
	return found
}

// Whatever the labels are: no text is in two splits, the order of the source says
// nothing, and a label with enough texts for a share of each split is in all of them.
func TestStratifiedSplits(t *testing.T) {
	names := rapid.SampledFrom(strings.Split("abcdefghij", ""))
	labels := rapid.Custom(func(r *rapid.T) string {
		list := rapid.SliceOfNDistinct(names, 1, 4, rapid.ID).Draw(r, "list")
		return fmt.Sprintf(`{"list":["%s"],"single":"%d"}`, strings.Join(list, `","`), rapid.IntRange(0, 5).Draw(r, "single"))
	})
	rapid.Check(t, func(r *rapid.T) {
		var rows []string
		for i := range rapid.IntRange(20, 200).Draw(r, "texts") {
			rows = append(rows, saying(fmt.Sprint("Text ", i), labels.Draw(r, "labels"))+"\n")
			if rapid.IntRange(0, 9).Draw(r, "again") == 0 {
				rows = append(rows, saying(fmt.Sprintf("text: %d!", i), labels.Draw(r, "labels"))+"\n")
			}
		}
		preparation := Preparation{
			ValidationPercent: rapid.IntRange(5, 40).Draw(r, "validation"),
			TestPercent:       rapid.IntRange(5, 40).Draw(r, "test"),
			Seed:              rapid.Int64().Draw(r, "seed"),
			Stratified:        true,
		}
		prepared := prepareRows(t, strings.Join(rows, ""), preparation, DefaultLimits())
		if prepared.Report.Problem != nil {
			return // it has a target with one label
		}
		checkTexts(r, prepared, 100/float64(slices.Min([]int{preparation.ValidationPercent, preparation.TestPercent, 100 - preparation.ValidationPercent - preparation.TestPercent})))
		slices.Reverse(rows)
		for split, again := range prepareRows(t, strings.Join(rows, ""), preparation, DefaultLimits()).rows {
			if !slices.Equal(again, prepared.rows[split]) {
				r.Errorf("in reverse %s is %q, want %q", split, again, prepared.rows[split])
			}
		}
	})
}

// checkTexts checks that no text is in two splits, and that each label of enough texts
// is in all of them.
func checkTexts(t *rapid.T, prepared outcome, enough float64) {
	splitsOf := map[string]Split{}
	texts := map[string]map[string]bool{}
	given := map[string]map[Split]bool{}
	for split := range prepared.rows {
		rows, _, err := readRows(strings.NewReader(strings.Join(prepared.rows[split], "")), DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			text := fold(row.Text)
			if other, ok := splitsOf[text]; ok && other != split {
				t.Errorf("%q is in %s and %s", row.Text, other, split)
			}
			splitsOf[text] = split
			for target, labels := range row.Labels {
				for _, label := range labels.Labels {
					label = target + ": " + label
					if texts[label] == nil {
						texts[label], given[label] = map[string]bool{}, map[Split]bool{}
					}
					texts[label][text], given[label][split] = true, true
				}
			}
		}
	}
	for label := range texts {
		if float64(len(texts[label])) >= enough && len(given[label]) < len(splits) {
			t.Errorf("%s, which %d texts have, is in %v alone", label, len(texts[label]), given[label])
		}
	}
}

// With more combinations of labels than there is memory for, each text still goes with
// the rarest of its labels.
func TestStratifyingInLittleMemory(t *testing.T) {
	data := emotions(5000)
	preparer := newPreparer(t.Context(), tenths, &memoryScratch{}, DefaultLimits())
	preparer.maxCombinationsBytes = 20 * combinationBytes
	prepared, err := preparer.prepare(NewReader(strings.NewReader(data), DefaultLimits()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = prepared.Close() }()
	if got := len(preparer.combinations.all); got > 20+32 {
		t.Errorf("there are %d combinations", got)
	}
	for _, file := range prepared.Files {
		for i, target := range file.Targets {
			if got, want := len(target.Labels), len(prepared.Targets[i].Labels); got != want {
				t.Errorf("%s has %d labels of %d", file.Split, got, want)
			}
		}
		if percent := map[Split]int{Train: 80, Validation: 10, Test: 10}[file.Split]; file.Samples < 45*percent || file.Samples > 55*percent {
			t.Errorf("%s has %d of 5000 samples", file.Split, file.Samples)
		}
	}
}

// A disk that changes what inputs have is noticed.
func TestAlteredCombinations(t *testing.T) {
	for reason, alter := range map[string]func(data []byte) []byte{
		"a byte less":                     func(data []byte) []byte { return data[:len(data)-1] },
		"nothing":                         func([]byte) []byte { return nil },
		"a combination that is not there": func(data []byte) []byte { data[0] = 7; return data },
		"another combination":             func(data []byte) []byte { data[0] = 1; return data },
	} {
		t.Run(reason, func(t *testing.T) {
			labels := []*labelCensus{{number: 0, hash: 1, samples: 2}, {number: 1, hash: 2, samples: 2}}
			combinations, err := newCombinations(&memoryScratch{}, labels, &tenths, combinationsBytes)
			if err != nil {
				t.Fatal(err)
			}
			entries := make([]entry, 4)
			for i := range entries {
				entries[i] = entry{key: makeEntryKey(uint64(i), uint64(i), 0, 0), labels: []uint32{uint32(i / 2)}}
				if err := combinations.add(&entries[i]); err != nil {
					t.Fatal(err)
				}
			}
			if err := combinations.finish(); err != nil {
				t.Fatal(err)
			}
			stratify(combinations, &tenths)
			file := combinations.file.(*memoryFile)
			file.data = alter(file.data)
			reader := combinations.reader()
			for i := range entries {
				if _, err = reader.next(&entries[i]); err != nil {
					break
				}
			}
			if err == nil {
				t.Error("nothing was noticed")
			}
		})
	}
}

// A hostile dataset has as many labels as it may, and no combination of them twice.
func TestStratifyingBoundsMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it fills the memory of combinations")
	}
	const inputs, most = 1_000_000, 24 << 20
	labels := make([]*labelCensus, 80_000)
	for i := range labels {
		labels[i] = &labelCensus{number: uint32(i), hash: uint64(i) * 0x9E3779B97F4A7C15, samples: 1 + i%1000}
	}
	inUse := func() int {
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		return int(memory.HeapAlloc)
	}
	before := inUse()
	combinations, err := newCombinations(diskScratch(t.TempDir()), labels, &tenths, combinationsBytes)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 8))
	for i := range uint64(inputs) {
		e := entry{key: makeEntryKey(i, i, 0, 0)}
		for range 1 + random.IntN(8) {
			e.labels = append(e.labels, random.Uint32N(uint32(len(labels))))
		}
		if err := combinations.add(&e); err != nil {
			t.Fatal(err)
		}
	}
	if err := combinations.finish(); err != nil {
		t.Fatal(err)
	}
	peak := inUse()
	start := time.Now()
	stratify(combinations, &tenths)
	t.Logf("%d combinations of %d inputs are dealt out in %v", len(combinations.all), inputs, time.Since(start))
	if peak = max(peak, inUse()) - before; peak > most {
		t.Errorf("%d MB of memory were in use", peak>>20)
	}
	t.Logf("%d MB of memory were in use", peak>>20)
	if err := combinations.close(); err != nil {
		t.Error(err)
	}
}
