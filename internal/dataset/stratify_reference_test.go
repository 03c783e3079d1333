package dataset

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestStratifiedSplitAsTheReference holds how far labels' shares of the splits are off to that
// of iterative stratification as it was published, on generated data and on that of the
// folder that CLASSIFIER_DATA names.
func TestStratifiedSplitAsTheReference(t *testing.T) {
	const seeds = 5
	sets := map[string]string{"one label of a long tail": longTail(), "lists of a long tail": tags(4000), "two targets": emotions(5000)}
	if folder := os.Getenv("CLASSIFIER_DATA"); folder != "" {
		for _, name := range []string{"banking77", "clinc150", "massive_en_mt", "goemotions"} {
			data, err := os.ReadFile(filepath.Join(folder, name, "train.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			sets[name] = string(data)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		t.Run(name, func(t *testing.T) {
			numbers := labelNumbers{}
			rows := numbers.of(t, sets[name])
			var own [len(splits)][][]int
			prepared := prepareRows(t, sets[name], tenths, DefaultLimits())
			for split, name := range splits {
				own[split] = numbers.of(t, strings.Join(prepared.rows[name], ""))
			}
			published, without := 0.0, 0.0
			for seed := range uint64(seeds) {
				parts := dealt(rows, stratifiedAsPublished(rows, rand.New(rand.NewPCG(seed, 1))))
				published += deviation(parts, rows) / seeds
				without += float64(leftOut(parts, rows, len(splits))) / seeds
			}
			got := deviation(own, rows)
			t.Logf("labels' shares are off by %.6f, the reference's by %.6f; labels of %d samples or more without one in a split: %d, the reference's %.1f",
				got, published, len(splits), leftOut(own, rows, len(splits)), without)
			if got > 1.2*published {
				t.Errorf("labels' shares are off by %.6f, more than 1.2 times %.6f", got, published)
			}
			if left := leftOut(own, rows, 10); left > 0 {
				t.Errorf("%d labels have a whole sample or more as their share of each split, and none in one", left)
			}
		})
	}
}

// TestStabilityOfTheReference is why inputs are not dealt out anew whenever others come or
// go: more change their split than TestStabilityOfSplits lets.
func TestStabilityOfTheReference(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	numbers := labelNumbers{}
	rows := numbers.of(t, emotions(5000))
	var kept []int
	var fewer [][]int
	for i := range rows {
		if random.IntN(100) > 0 {
			kept, fewer = append(kept, i), append(fewer, rows[i])
		}
	}
	before, after := stratifiedAsPublished(rows, rand.New(rand.NewPCG(1, 1))), stratifiedAsPublished(fewer, rand.New(rand.NewPCG(1, 1)))
	moved := 0
	for i, row := range kept {
		if before[row] != after[i] {
			moved++
		}
	}
	share := float64(moved) / float64(len(kept))
	t.Logf("%.2f %% of the samples are elsewhere", 100*share)
	if share < 0.08 {
		t.Errorf("%d of %d samples are elsewhere: it is as stable", moved, len(kept))
	}
}

// tags has texts with one to four labels of 150, of which most are rare.
func tags(texts int) string {
	random := rand.New(rand.NewPCG(7, 8))
	var data strings.Builder
	for i := range texts {
		labels := map[string]bool{}
		for range 1 + random.IntN(4) {
			labels[fmt.Sprintf(`"tag %d"`, int(math.Pow(150, random.Float64()))-1)] = true
		}
		data.WriteString(saying(fmt.Sprint("text ", i), fmt.Sprintf(`{"tags":[%s]}`, strings.Join(slices.Sorted(maps.Keys(labels)), ","))) + "\n")
	}
	return data.String()
}

// labelNumbers number the labels of all targets.
type labelNumbers map[[2]string]int

// of are the labels of each row.
func (n labelNumbers) of(t *testing.T, data string) (all [][]int) {
	t.Helper()
	rows, _, err := readRows(strings.NewReader(data), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		var labels []int
		for target, of := range row.Labels {
			for _, label := range of.Labels {
				key := [2]string{target, label}
				if _, ok := n[key]; !ok {
					n[key] = len(n)
				}
				labels = append(labels, n[key])
			}
		}
		all = append(all, labels)
	}
	return all
}

// dealt are the rows of each split.
func dealt(rows [][]int, splitOf []int) (parts [len(splits)][][]int) {
	for i, split := range splitOf {
		parts[split] = append(parts[split], rows[i])
	}
	return parts
}

// deviation is the mean difference, over labels and splits, between the shares of a split's
// samples and of all samples that have the label.
func deviation(parts [len(splits)][][]int, all [][]int) float64 {
	sum, count := 0.0, 0
	for _, part := range parts {
		own := countsOf(part)
		for label, samples := range countsOf(all) {
			sum += math.Abs(float64(own[label])/float64(len(part)) - float64(samples)/float64(len(all)))
			count++
		}
	}
	return sum / float64(count)
}

// leftOut counts the labels of so many rows or more that a split has none of.
func leftOut(parts [len(splits)][][]int, all [][]int, enough int) (left int) {
	for label, samples := range countsOf(all) {
		lacks := func(part [][]int) bool { return countsOf(part)[label] == 0 }
		if samples >= enough && slices.ContainsFunc(parts[:], lacks) {
			left++
		}
	}
	return left
}

func countsOf(rows [][]int) map[int]int {
	counts := map[int]int{}
	for _, labels := range rows {
		for _, label := range labels {
			counts[label]++
		}
	}
	return counts
}

// stratifiedAsPublished gives the split of each row by the algorithm of Sechidis, Tsoumakas
// and Vlahavas (2011), as its first figure describes it: the label with the fewest rows left
// is dealt out, each row to the split that wants most of the label, of those that want
// equally much to the one that wants most rows, of those to any.
func stratifiedAsPublished(rows [][]int, random *rand.Rand) (splitOf []int) {
	parts := tenths.percents()
	rowsOf := map[int][]int{} // by label
	for i, labels := range rows {
		for _, label := range labels {
			rowsOf[label] = append(rowsOf[label], i)
		}
	}
	wantedOf, wantedRows := map[int]*wanted{}, &wanted{}
	left := map[int]int{} // rows of a label that are not dealt out
	for label, of := range rowsOf {
		left[label], wantedOf[label] = len(of), &wanted{}
		for split, percent := range parts {
			wantedOf[label][split] = float64(percent*len(of)) / 100
		}
	}
	for split, percent := range parts {
		wantedRows[split] = float64(percent*len(rows)) / 100
	}
	splitOf = slices.Repeat([]int{-1}, len(rows))
	for len(left) > 0 {
		rarest := slices.MinFunc(slices.Sorted(maps.Keys(left)), func(a, b int) int { return left[a] - left[b] })
		for _, row := range rowsOf[rarest] {
			if splitOf[row] >= 0 {
				continue
			}
			split := wantedOf[rarest].most(wantedRows, random)
			splitOf[row] = split
			wantedRows[split]--
			for _, label := range rows[row] {
				wantedOf[label][split]--
				left[label]--
			}
		}
		maps.DeleteFunc(left, func(_, count int) bool { return count == 0 })
	}
	return splitOf
}

// wanted is how many rows each split is still to get.
type wanted [len(splits)]float64

// most is the split that wants most, of equal ones the one that wants most of the others.
func (w *wanted) most(others *wanted, random *rand.Rand) int {
	var best []int
	for split := range splits {
		if len(best) > 0 {
			switch first := best[0]; {
			case w[split] < w[first], w[split] == w[first] && others[split] < others[first]:
				continue
			case w[split] > w[first], others[split] > others[first]:
				best = best[:0]
			}
		}
		best = append(best, split)
	}
	return best[random.IntN(len(best))]
}
