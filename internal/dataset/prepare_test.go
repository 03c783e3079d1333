package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// recipe is the published one of the benchmark data.
var recipe = Preparation{MinSamplesPerLabel: 200, MaxSamplesPerLabel: 600, ValidationPercent: 10, TestPercent: 10, Seed: 42}

// intents is the data in the folder that CLASSIFIER_DATA names, else generated
// data of the same shape: 11 000 texts with one of 60 labels, of which few are common.
func intents(t testing.TB) string {
	if folder := os.Getenv("CLASSIFIER_DATA"); folder != "" {
		data, err := os.ReadFile(filepath.Join(folder, "massive_en", "train.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var data strings.Builder
	for i := range 11000 {
		label := int(60 * math.Pow(random.Float64(), 2.5))
		fmt.Fprintf(&data, `{"text": "%s %d", "labels": {"intent": "intent_%d"}}`+"\n", benchmarkText(random, 8), i%10000, label)
	}
	return data.String()
}

// outcome is what a preparation made, with the rows of its files.
type outcome struct {
	*Prepared
	rows map[Split][]string
}

// prepareRows prepares rows with so little memory that they have to be sorted on
// disk, and checks what holds for every preparation.
func prepareRows(t testing.TB, data string, preparation Preparation, limits Limits) outcome {
	t.Helper()
	scratch := &memoryScratch{}
	preparer := newPreparer(context.Background(), preparation, scratch, limits)
	preparer.sorter.maxBytes = 64 << 10
	prepared, err := preparer.prepare(NewReader(strings.NewReader(data), limits))
	if err != nil {
		t.Fatal(err)
	}
	if scratch.open != len(prepared.Files) {
		t.Errorf("%d temporary files are open, of which %d are prepared", scratch.open, len(prepared.Files))
	}
	result := outcome{prepared, map[Split][]string{}}
	kept := 0
	for _, file := range prepared.Files {
		content, err := io.ReadAll(file.Content())
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(content); file.Digest != hex.EncodeToString(sum[:]) || file.SizeBytes != int64(len(content)) {
			t.Errorf("%s: size or digest are not those of the content", file.Split)
		}
		rows := strings.SplitAfter(string(content), "\n")
		rows = rows[:len(rows)-1] // nothing follows the last line's end
		if file.Samples != len(rows) {
			t.Errorf("%s: %d samples, but %d lines", file.Split, file.Samples, len(rows))
		}
		result.rows[file.Split] = rows
		kept += len(rows)
	}
	report := &prepared.Report
	if refused := report.Problem != nil; refused != (len(prepared.Files) == 0) {
		t.Errorf("%d files with the problem %v", len(prepared.Files), report.Problem)
	}
	if report.Problem == nil && report.Samples != kept+prepared.Dropped+prepared.Duplicates {
		t.Errorf("of %d samples %d are kept, %d dropped and %d duplicates", report.Samples, kept, prepared.Dropped, prepared.Duplicates)
	}
	if err := prepared.Close(); err != nil || scratch.open > 0 {
		t.Errorf("closing left %d temporary files, %v", scratch.open, err)
	}
	return result
}

func shuffled(data string) string {
	lines := strings.SplitAfter(data, "\n")
	lines = lines[:len(lines)-1]
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return strings.Join(lines, "")
}

func TestPreparationIsDeterministic(t *testing.T) {
	data := intents(t)
	first := prepareRows(t, data, recipe, DefaultLimits())
	for reason, again := range map[string]string{"a second run": data, "the lines in another order": shuffled(data)} {
		if second := prepareRows(t, again, recipe, DefaultLimits()); !reflect.DeepEqual(second.rows, first.rows) {
			t.Errorf("%s makes other files", reason)
		}
	}
	other := recipe
	other.Seed = 43
	if second := prepareRows(t, data, other, DefaultLimits()); slices.Equal(second.rows[Train], first.rows[Train]) {
		t.Error("another seed makes the same file")
	}
	for _, label := range first.Targets[0].Labels {
		source := samplesOf(first.Report.Targets[0], label.Name)
		if source < 200 || label.Samples != min(source, 600) {
			t.Errorf("%s has %d of %d samples", label.Name, label.Samples, source)
		}
	}
}

func samplesOf(target Target, name string) int {
	for _, label := range target.Labels {
		if label.Name == name {
			return label.Samples
		}
	}
	return 0
}

// The order of memory and that of the disk are the same.
func TestSortingOnDiskChangesNothing(t *testing.T) {
	data := intents(t)
	prepared, err := Prepare(context.Background(), NewReader(strings.NewReader(data), DefaultLimits()), recipe, &memoryScratch{}, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	content, _ := io.ReadAll(prepared.Files[0].Content())
	if onDisk := prepareRows(t, data, recipe, DefaultLimits()); strings.Join(onDisk.rows[Train], "") != string(content) {
		t.Error("the files differ")
	}
}

func TestSplitIsOfTheSampleAlone(t *testing.T) {
	preparation := Preparation{ValidationPercent: 20, TestPercent: 20, Seed: 7}
	data := intents(t)
	half := data[:strings.LastIndex(data[:len(data)/2], "\n")+1]
	few, all := prepareRows(t, half, preparation, DefaultLimits()), prepareRows(t, data, preparation, DefaultLimits())
	for _, split := range splits {
		for _, row := range few.rows[split] {
			if !slices.Contains(all.rows[split], row) {
				t.Fatalf("a row of %s is elsewhere when there are more", split)
			}
		}
	}
	preparation.TestPercent = 0
	if untested := prepareRows(t, data, preparation, DefaultLimits()); !slices.Equal(untested.rows[Validation], all.rows[Validation]) {
		t.Error("without a Test split other samples are set aside for validation")
	}
}

// A share is right when it is within four standard deviations of chance.
func TestEveryLabelHasItsShareOfASplit(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var data strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&data, `{"text":"text %d","labels":{"single":"s%d","multi":["m%d","m%d"]}}`+"\n",
			i, random.IntN(10), random.IntN(5), 5+random.IntN(15))
	}
	prepared := prepareRows(t, data.String(), Preparation{ValidationPercent: 10, TestPercent: 10, Seed: 42}, DefaultLimits())
	for split, percent := range map[Split]float64{Train: 80, Validation: 10, Test: 10} {
		report, err := Validate(context.Background(), strings.NewReader(strings.Join(prepared.rows[split], "")), DefaultLimits())
		if err != nil || !report.Valid() {
			t.Fatal(split, err, report.Problem)
		}
		for _, target := range prepared.Targets {
			for _, label := range target.Labels {
				i := slices.IndexFunc(report.Targets, func(other Target) bool { return other.Name == target.Name })
				got, all := float64(samplesOf(report.Targets[i], label.Name)), float64(label.Samples)
				if deviation := math.Sqrt(all * percent / 100 * (1 - percent/100)); math.Abs(got-all*percent/100) > 4*deviation {
					t.Errorf("%s has %v of the %v samples of %s", split, got, all, label.Name)
				}
			}
		}
	}
}

// The samples that a limit keeps are no others for one split than for another,
// also where nothing distinguishes a text from its letters.
func TestLimitAndSplitAreIndependent(t *testing.T) {
	for _, pattern := range []string{"word%d", "Two words, %d"} {
		var data strings.Builder
		for i := range 10000 {
			data.WriteString(saying(fmt.Sprintf(pattern, i), fmt.Sprintf(`{"t":"%d"}`, i%2)) + "\n")
		}
		preparation := Preparation{MaxSamplesPerLabel: 500, ValidationPercent: 20, TestPercent: 20, Seed: 42}
		rows := prepareRows(t, data.String(), preparation, DefaultLimits()).rows
		for _, split := range []Split{Validation, Test} {
			if got := len(rows[split]); got < 150 || got > 250 {
				t.Errorf("%s: %s has %d of 1000 samples, want about 200", pattern, split, got)
			}
		}
	}
}

func TestNearlyEqualInputsAreNotParted(t *testing.T) {
	tests := []struct {
		reason  string
		pattern string // of rows that are nearly equal for a number
		alike   []any
	}{
		{"case", `{"text":"%s %d","labels":{"t":"%s"}}`, []any{"turn on the light", "Turn on the LIGHT"}},
		{"punctuation and white space", `{"text":"%s %d","labels":{"t":"%s"}}`, []any{"top up fails", " top-up fails!"}},
		{"beyond ASCII", `{"text":"%s %d","labels":{"t":"%s"}}`, []any{"¿c’est là?", "C'EST LÀ"}},
		{"conversations", `{"messages":[{"role":"user","content":"%s %d"}],"labels":{"t":"%s"}}`, []any{"Hello!", "hello"}},
		{"parts of a content", `{"messages":[{"role":"user","content":%s "%d"}]}],"labels":{"t":"%s"}}`,
			[]any{`[{"type":"text","text":"a"},{"type":"text","text":`, `[{"type":"text","text":"A."},{"type":"text","text":`}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			trained := 0
			for i := range 100 {
				var data strings.Builder
				for _, text := range test.alike {
					for _, label := range []string{"x", "y"} {
						fmt.Fprintf(&data, test.pattern+"\n", text, i, label)
					}
				}
				prepared := prepareRows(t, data.String(), Preparation{ValidationPercent: 50, Seed: 7}, DefaultLimits())
				if len(prepared.rows) > 1 {
					t.Fatalf("number %d is in %d splits", i, len(prepared.rows))
				}
				trained += len(prepared.rows)
			}
			if trained < 30 || trained > 70 {
				t.Errorf("%d of 100 are in the half to train on", trained)
			}
		})
	}
}

func TestTextsWithoutLettersAreParted(t *testing.T) {
	var data strings.Builder
	for i := range 200 {
		fmt.Fprintf(&data, `{"text":"%s","labels":{"t":"%d"}}`+"\n", strings.Repeat("?", i+1), i%2)
	}
	if rows := prepareRows(t, data.String(), Preparation{ValidationPercent: 50}, DefaultLimits()).rows; len(rows) != 2 {
		t.Errorf("they are in %d files", len(rows))
	}
}

func TestUnpreparedSamplesAreWhatTheyWere(t *testing.T) {
	rows := []string{labelsOf(`{"t":"y"}`), ` {"labels" : {"t":"x"}, "text":"\u0061", "id":7} `, labelsOf(`{"t":"y"}`)}
	data := "\xEF\xBB\xBF" + strings.Join(rows, "\r\n") // no line end at the end
	for reason, preparation := range map[string]Preparation{
		"no preparation":            {},
		"one that changes nothing":  {MinSamplesPerLabel: 1, Seed: 42},
		"one that skips, if it can": {SkipInvalid: true, MaxInvalidPercent: 10},
	} {
		prepared := prepareRows(t, data, preparation, DefaultLimits())
		if got, want := strings.Join(prepared.rows[Train], ""), strings.Join(rows, "\n")+"\n"; got != want {
			t.Errorf("%s makes %q of %q", reason, got, want)
		}
	}
}

func TestContentCanBeReadAgain(t *testing.T) {
	data := labelsOf(`{"t":"x"}`) + "\n" + labelsOf(`{"t":"y"}`) + "\n"
	prepared, err := Prepare(context.Background(), NewReader(strings.NewReader(data), DefaultLimits()), Preparation{}, &memoryScratch{}, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if content, err := io.ReadAll(prepared.Files[0].Content()); err != nil || string(content) != data {
			t.Errorf("got %q and %v", content, err)
		}
	}
}

func TestPreparationEndsWithItsContext(t *testing.T) {
	for _, row := range []string{textRow, "{"} {
		ctx, cancel := context.WithCancel(context.Background())
		endless := &generatedRows{row: func(int) string { return row }}
		samples := &observedSamples{NewReader(endless, DefaultLimits()), 0, func(read int) {
			if read == 1000 {
				cancel()
			}
		}}
		scratch := &memoryScratch{}
		if _, err := Prepare(ctx, samples, recipe, scratch, DefaultLimits()); !errors.Is(err, context.Canceled) || scratch.open > 0 {
			t.Errorf("%s: got %v with %d temporary files open", row, err, scratch.open)
		}
	}
}

// TestScratchBytes holds that rows of usual length take no more scratch than is
// expected of them.
func TestScratchBytes(t *testing.T) {
	var rows strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&rows, `{"text": "where is parcel %d?", "labels": {"intent": "label-%d"}}`+"\n", i, i%50)
	}
	for _, test := range []struct {
		reason      string
		preparation Preparation
	}{
		{"as it is", Preparation{}},
		{"sorted", Preparation{TestPercent: 10}},
		{"sorted and stratified", Preparation{TestPercent: 10, Stratified: true}},
	} {
		scratch := &memoryScratch{}
		samples := NewReader(strings.NewReader(rows.String()), DefaultLimits())
		prepared, err := Prepare(t.Context(), samples, test.preparation, scratch, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		expected := test.preparation.ScratchBytes(int64(rows.Len()))
		if written := int64(scratch.written); written > expected || written < expected/2 {
			t.Errorf("%s: %d bytes of samples took %d bytes of scratch; %d are expected", test.reason, rows.Len(), written, expected)
		}
		if err := prepared.Close(); err != nil {
			t.Error(err)
		}
	}
}
