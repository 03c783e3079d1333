package dataset

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// saying is a row whose input is a word, with the labels as JSON.
func saying(word, labels string) string { return `{"text":"` + word + `","labels":` + labels + `}` }

func TestSamplesPerLabel(t *testing.T) {
	x, y := `{"t":"x"}`, `{"t":"y"}`
	tests := []struct {
		reason      string
		preparation Preparation
		rows        []string
		want        []string // in any order
	}{
		{"a rare label goes with its samples", Preparation{MinSamplesPerLabel: 2},
			[]string{saying("a", x), saying("b", x), saying("c", y), saying("d", y), saying("e", `{"t":"z"}`)},
			[]string{saying("a", x), saying("b", x), saying("c", y), saying("d", y)}},
		{"a rare label goes from a list", Preparation{MinSamplesPerLabel: 2},
			[]string{saying("a", `{"t":["x","z","y"]}`), saying("b", `{"t":["y","x"]}`)},
			[]string{saying("a", `{"t":["x","y"]}`), saying("b", `{"t":["y","x"]}`)}},
		{"a list of rare labels only goes with its sample", Preparation{MinSamplesPerLabel: 2},
			[]string{saying("a", `{"t":["x","y"]}`), saying("b", `{"t":["y","x"]}`), saying("c", `{"t":["v","w"]}`)},
			[]string{saying("a", `{"t":["x","y"]}`), saying("b", `{"t":["y","x"]}`)}},
		{"a sample goes when one of its targets is left without label", Preparation{MinSamplesPerLabel: 2},
			[]string{saying("a", `{"t":"x","u":"v"}`), saying("b", `{"u":"v","t":"y"}`), saying("c", x), saying("d", y),
				saying("e", `{"t":"x","u":"w"}`), saying("f", `{"t":"y","u":"w"}`), saying("g", `{"t":"x","u":"rare"}`)},
			[]string{saying("a", `{"t":"x","u":"v"}`), saying("b", `{"u":"v","t":"y"}`), saying("c", x), saying("d", y),
				saying("e", `{"t":"x","u":"w"}`), saying("f", `{"t":"y","u":"w"}`)}},
		{"all else of a row stays as it was written", Preparation{MinSamplesPerLabel: 2},
			[]string{`{ "id" : 1e2, "labels" : {"t": ["x", "z", "y"], "u":"v"} , "text":"\u0061\ud83d\ude00" }`, saying("b", `{"t":["y","x"],"u":"v"}`),
				saying("c", `{"t":["y","x"],"u":"w"}`), saying("d", `{"u":"w"}`)},
			[]string{`{ "id" : 1e2, "labels" : {"t":["x","y"],"u":"v"} , "text":"\u0061\ud83d\ude00" }`, saying("b", `{"t":["y","x"],"u":"v"}`),
				saying("c", `{"t":["y","x"],"u":"w"}`), saying("d", `{"u":"w"}`)}},
		{"names are quoted as JSON wants it", Preparation{MinSamplesPerLabel: 2},
			[]string{saying("a", `{"\u0022t\\":["x\n","z","é\u0001"]}`), saying("b", `{"\"t\\":["é\u0001","x\n"]}`)},
			[]string{saying("a", `{"\"t\\":["x\n","é\u0001"]}`), saying("b", `{"\"t\\":["é\u0001","x\n"]}`)}},
		{"duplicates that go make no label common", Preparation{MinSamplesPerLabel: 2, DropDuplicates: true},
			[]string{saying("a", x), saying("b", x), saying("c", y), saying("d", y), saying("e", `{"t":"z"}`), saying("e", `{"t":"z"}`)},
			[]string{saying("a", x), saying("b", x), saying("c", y), saying("d", y)}},
		{"duplicates that stay do", Preparation{MinSamplesPerLabel: 2},
			[]string{saying("a", x), saying("a", x), saying("b", y), saying("b", y)},
			[]string{saying("a", x), saying("a", x), saying("b", y), saying("b", y)}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			data := strings.Join(test.rows, "\n") + "\n"
			prepared := prepareRows(t, data, test.preparation, DefaultLimits())
			got := strings.Split(strings.TrimSuffix(strings.Join(prepared.rows[Train], ""), "\n"), "\n")
			want := slices.Sorted(slices.Values(test.want))
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("kept %q, want %q; %v", got, want, prepared.Report.Problem)
			}
			if prepared.Dropped+prepared.Duplicates != len(test.rows)-len(want) {
				t.Errorf("%d dropped, %d duplicates", prepared.Dropped, prepared.Duplicates)
			}
		})
	}
}

// A list keeps its sample for the rarest of its labels, at the expense of the limit on the others.
func TestMaxSamplesPerLabelOfLists(t *testing.T) {
	var rows []string
	for i := range 1000 {
		switch {
		case i < 20:
			rows = append(rows, saying(fmt.Sprint(i), `{"t":["common","rare"]}`))
		case i < 500:
			rows = append(rows, saying(fmt.Sprint(i), `{"t":["common"]}`))
		default:
			rows = append(rows, saying(fmt.Sprint(i), `{"t":["other"]}`))
		}
	}
	prepared := prepareRows(t, strings.Join(rows, "\n"), Preparation{MaxSamplesPerLabel: 100}, DefaultLimits())
	target := prepared.Targets[0]
	if got := samplesOf(target, "rare"); got != 20 {
		t.Errorf("%d of 20 samples of the rare label are kept", got)
	}
	if got := samplesOf(target, "common"); got < 100 || got > 120 {
		t.Errorf("%d samples of the common label are kept, want 100 and those of the rare one", got)
	}
	if got := samplesOf(target, "other"); got != 100 {
		t.Errorf("%d samples of a label that stands alone are kept, want 100", got)
	}
}

// Nothing is validated on that a model is not taught; all else stays in its split.
func TestValidationHasNoUntrainedLabel(t *testing.T) {
	preparation := Preparation{MaxSamplesPerLabel: 40, ValidationPercent: 30, TestPercent: 10}
	var rows []string
	for i := range 100 {
		rows = append(rows, saying(fmt.Sprint(i), fmt.Sprintf(`{"t":["%d"]}`, i%2)))
	}
	before := prepareRows(t, strings.Join(rows, "\n"), preparation, DefaultLimits())
	for i := range 30 { // some of which are for each of the splits
		rows = append(rows, saying(fmt.Sprint("rare", i), fmt.Sprintf(`{"t":["rare %d"],"u":"%d"}`, i, i%2)))
	}
	after := prepareRows(t, strings.Join(rows, "\n"), preparation, DefaultLimits())
	if got, want := after.rows[Validation], before.rows[Validation]; !slices.Equal(got, want) {
		t.Errorf("validated on %q, want %q", got, want)
	}
	if got := len(after.rows[Train]) + len(after.rows[Test]) + after.Dropped; len(after.rows[Test]) == len(before.rows[Test]) || after.Dropped == before.Dropped || got+len(before.rows[Validation]) != 130 {
		t.Errorf("%d samples to train on, %d for the test, %d dropped", len(after.rows[Train]), len(after.rows[Test]), after.Dropped)
	}
}

func TestDropDuplicates(t *testing.T) {
	chat := func(fields, labels string) string { return `{"messages":[{` + fields + `}],"labels":` + labels + `}` }
	tests := []struct {
		reason     string
		row, other string
		duplicate  bool
	}{
		{"the same row", saying("a", `{"t":"x"}`), saying("a", `{"t":"x"}`), true},
		{"the same, written in another way", saying("a", `{"t":"x"}`), `{"labels":{"t":"\u0078"}, "text":"\u0061"}`, true},
		{"the same with extra data", saying("a", `{"t":"x"}`), `{"id":1,"text":"a","labels":{"t":"x"}}`, true},
		{"the order of a list", saying("a", `{"t":["x","y"]}`), saying("a", `{"t":["y","x"]}`), true},
		{"the order of targets", saying("a", `{"t":"x","u":"y"}`), saying("a", `{"u":"y","t":"x"}`), true},
		{"other labels", saying("a", `{"t":"x"}`), saying("a", `{"t":"y"}`), false},
		{"more labels", saying("a", `{"t":["x"]}`), saying("a", `{"t":["x","y"]}`), false},
		{"more targets", saying("a", `{"t":"x"}`), saying("a", `{"t":"x","u":"x"}`), false},
		{"a label of another target", saying("a", `{"t":"x"}`), saying("a", `{"u":"x"}`), false},
		{"another text", saying("a", `{"t":"x"}`), saying("ab", `{"t":"x"}`), false},
		{"case and punctuation", saying("ab", `{"t":"x"}`), saying("A b!", `{"t":"x"}`), true},
		{"another form of Unicode", saying("a\u00E9", `{"t":"x"}`), saying("ae\u0301\u200B", `{"t":"x"}`), true},
		{"case of a label", saying("a", `{"t":"x"}`), saying("a", `{"t":"X"}`), false},
		{"the same conversation in another case", chat(`"role":"user","content":"a"`, `{"t":"x"}`), chat(`"role":"user","content":"A."`, `{"t":"x"}`), true},
		{"the same conversation", chat(`"role":"user","content":"a"`, `{"t":"x"}`), chat(`"content":[{"type":"text","text":"a"}],"role":"user"`, `{"t":"x"}`), true},
		{"another role", chat(`"role":"user","content":"a"`, `{"t":"x"}`), chat(`"role":"tool","content":"a"`, `{"t":"x"}`), false},
		{"another content", chat(`"role":"user","content":"a"`, `{"t":"x"}`), chat(`"role":"user","content":"b"`, `{"t":"x"}`), false},
		{"the same content in two messages", chat(`"role":"user","content":"ab"`, `{"t":"x"}`),
			chat(`"role":"user","content":"a"},{"role":"user","content":"b"`, `{"t":"x"}`), false},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			others := strings.NewReplacer(`"a`, `"other`, `"A`, `"Other`, `\u0061`, "other", `"x"`, `"v"`, `"X"`, `"V"`, `"y"`, `"w"`, `\u0078`, "v") // lest a target has one label
			for _, rows := range [][]string{{test.row, test.other}, {test.other, test.row}} {
				rows = append(rows, others.Replace(test.row), others.Replace(test.other))
				scratch := &memoryScratch{}
				preparer := newPreparer(context.Background(), Preparation{DropDuplicates: true}, scratch, DefaultLimits())
				if _, err := preparer.prepare(NewReader(strings.NewReader(strings.Join(rows, "\n")), DefaultLimits())); err != nil {
					t.Fatal(err)
				}
				if got := preparer.prepared.Duplicates > 0; got != test.duplicate {
					t.Errorf("%q: duplicate is %v, %v", rows, got, preparer.prepared.Report.Problem)
				}
			}
		})
	}
}

func TestWhichDuplicateStaysIsNoChance(t *testing.T) {
	var rows []string
	for i := range 500 {
		rows = append(rows, fmt.Sprintf(`{"id":%d,"text":"a","labels":{"t":"%d"}}`, i, i%3))
	}
	data := strings.Join(rows, "\n") + "\n"
	first := prepareRows(t, data, Preparation{DropDuplicates: true}, DefaultLimits())
	second := prepareRows(t, shuffled(data), Preparation{DropDuplicates: true}, DefaultLimits())
	if len(first.rows[Train]) != 3 || first.Duplicates != 497 || !slices.Equal(first.rows[Train], second.rows[Train]) {
		t.Errorf("got %q and %q", first.rows[Train], second.rows[Train])
	}
}

func TestInvalidSamplesAndProblems(t *testing.T) {
	good := []string{saying("a", `{"t":"x"}`), saying("b", `{"t":"y"}`), saying("c", `{"t":"x"}`), saying("d", `{"t":"y"}`)}
	bad := func(count int) []string { return slices.Concat(good, slices.Repeat([]string{"{"}, count)) }
	skip := func(percent int) Preparation { return Preparation{SkipInvalid: true, MaxInvalidPercent: percent} }
	tests := []struct {
		reason      string
		preparation Preparation
		rows        []string
		want        Reason
		invalid     int
	}{
		{"all are valid", Preparation{}, good, "", 0},
		{"one is too many", Preparation{}, bad(1), TooManyInvalid, 1},
		{"one is too many when there is a split", Preparation{TestPercent: 50}, bad(1), TooManyInvalid, 1},
		{"none may be skipped", skip(0), bad(1), TooManyInvalid, 1},
		{"as many as may be skipped", skip(20), bad(1), "", 1},
		{"more than may be skipped", skip(19), bad(1), TooManyInvalid, 1},
		{"half", skip(50), bad(4), "", 4},
		{"more than half", skip(50), bad(5), TooManyInvalid, 5},
		{"any number, but one has to be valid", skip(100), []string{"{", "["}, NoSamples, 2},
		{"nothing", Preparation{}, nil, NoSamples, 0},
		{"one label", Preparation{}, good[:1], TooFewLabels, 0},
		{"all labels are rare", Preparation{MinSamplesPerLabel: 3}, good, NoSamples, 0},
		{"all but one label are rare", Preparation{MinSamplesPerLabel: 3}, slices.Concat(good, []string{saying("e", `{"t":"x"}`)}), TooFewLabels, 0},
		{"nothing is left to train on", Preparation{ValidationPercent: 100}, good, NoSamples, 0},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			prepared := prepareRows(t, strings.Join(test.rows, "\n"), test.preparation, DefaultLimits())
			var got Reason
			if prepared.Report.Problem != nil {
				got = prepared.Report.Problem.Reason
			}
			if got != test.want || prepared.Report.Invalid != test.invalid {
				t.Errorf("got %v with %d invalid, want %q and %d", prepared.Report.Problem, prepared.Report.Invalid, test.want, test.invalid)
			}
		})
	}
}

// More samples than the limit are no invalid ones that could be skipped: which
// were left would hang on their order.
func TestTooManySamplesAreNotSkipped(t *testing.T) {
	limits := DefaultLimits()
	limits.Samples = 100
	endless := &generatedRows{row: func(i int) string { return saying(fmt.Sprint(i), fmt.Sprintf(`{"t":"%d"}`, i%2)) }}
	scratch := &memoryScratch{}
	preparation := Preparation{SkipInvalid: true, MaxInvalidPercent: 100}
	prepared, err := Prepare(context.Background(), NewReader(endless, limits), preparation, scratch, limits)
	if err != nil {
		t.Fatal(err)
	}
	if problem := prepared.Report.Problem; problem == nil || problem.Reason != TooManySamples || problem.Line != 101 || scratch.open > 0 {
		t.Errorf("got %v with %d temporary files open", problem, scratch.open)
	}
}

// A file that a factory would refuse is known to be too large before it is sent.
func TestFilesAreBounded(t *testing.T) {
	var rows []string
	for i := range 200 {
		rows = append(rows, saying(fmt.Sprint(i), fmt.Sprintf(`{"t":"%d"}`, i%2)))
	}
	data := strings.Join(rows, "\n") + "\n"
	for _, test := range []struct {
		reason      string
		preparation Preparation
		bytes       int
		want        Reason
	}{
		{"as large as may be", Preparation{}, len(data), ""},
		{"a byte larger", Preparation{}, len(data) - 1, FileTooLarge},
		{"each file counts for itself", Preparation{ValidationPercent: 40, TestPercent: 20}, len(data) - 1, ""},
		{"a file that is not trained on", Preparation{ValidationPercent: 80}, len(data) / 2, FileTooLarge},
	} {
		t.Run(test.reason, func(t *testing.T) {
			limits := DefaultLimits()
			limits.FileBytes = int64(test.bytes)
			var got Reason
			prepared := prepareRows(t, data, test.preparation, limits)
			if prepared.Report.Problem != nil {
				got = prepared.Report.Problem.Reason
			}
			if got != test.want || (len(prepared.rows) == 0) != (got != "") {
				t.Errorf("got %v and %d files, want %q", prepared.Report.Problem, len(prepared.rows), test.want)
			}
		})
	}
}

// Whatever fails, and whenever, the error is passed on and no file is left.
func TestScratchFailures(t *testing.T) {
	data := intents(t)[:100_000]
	data = data[:strings.LastIndex(data, "\n")]
	recipe := Preparation{DropDuplicates: true, MinSamplesPerLabel: 2, ValidationPercent: 10, TestPercent: 10, Stratified: true}
	full := errors.New("no space left on device")
	for _, operation := range []string{"create", "write", "read", "close"} {
		failed := true
		for nth := 0; failed; nth++ {
			failed = false
			scratch := &memoryScratch{}
			left := nth
			scratch.fail = func(attempted string) error {
				if attempted != operation || failed {
					return nil
				}
				if left--; left >= 0 {
					return nil
				}
				failed = true
				return full
			}
			preparer := newPreparer(context.Background(), recipe, scratch, DefaultLimits())
			preparer.sorter.maxBytes = 32 << 10
			prepared, err := preparer.prepare(NewReader(strings.NewReader(data), DefaultLimits()))
			if err == nil {
				err = prepared.Close()
			}
			if failed != errors.Is(err, full) || scratch.open > 0 {
				t.Errorf("%s number %d: got %v with %d temporary files open", operation, nth, err, scratch.open)
			}
			if !failed && nth == 0 {
				t.Errorf("there was no %s to fail", operation)
			}
		}
	}
}

// A disk that loses or changes what was written is noticed where it would do harm.
func TestAlteredScratchFile(t *testing.T) {
	alterations := map[string]func(data []byte) []byte{
		"a byte less":    func(data []byte) []byte { return data[:len(data)-1] },
		"half":           func(data []byte) []byte { return data[:len(data)/2] },
		"nothing":        func([]byte) []byte { return nil },
		"other lengths":  func(data []byte) []byte { data[headerBytes-6] = 0xFF; return data },
		"more labels":    func(data []byte) []byte { data[headerBytes-4]++; return data },
		"another label":  func(data []byte) []byte { data[headerBytes] = 0xFF; return data },
		"no label":       func(data []byte) []byte { data[headerBytes-4] = 0; return data },
		"all bytes zero": func(data []byte) []byte { return make([]byte, len(data)) },
	}
	for reason, alter := range alterations {
		t.Run(reason, func(t *testing.T) {
			scratch := &memoryScratch{}
			preparer := newPreparer(context.Background(), Preparation{DropDuplicates: true, MinSamplesPerLabel: 2}, scratch, DefaultLimits())
			preparer.sorter.maxBytes = 32 << 10
			altered := false
			scratch.fail = func(operation string) error {
				if operation == "read" && !altered {
					altered = true
					file := preparer.sorter.file.(*memoryFile)
					file.data = alter(file.data)
				}
				return nil
			}
			rows := &generatedRows{rows: 2000, row: func(i int) string { return saying(fmt.Sprint(i), fmt.Sprintf(`{"t":["%d","z"]}`, i%2)) }}
			if _, err := preparer.prepare(NewReader(rows, DefaultLimits())); err == nil || scratch.open > 0 {
				t.Errorf("got %v with %d temporary files open", err, scratch.open)
			}
		})
	}
}

// Memory is bounded whatever the data is, while it is read and while it is written.
func TestPreparationBoundsMemory(t *testing.T) {
	const rowBytes, most = 200, 32 << 20
	padding := strings.Repeat("lorem ipsum ", 10)
	rows := &generatedRows{rows: 100 << 20 / rowBytes, row: func(i int) string {
		return fmt.Sprintf(`{"text":"%s %d","labels":{"intent":"intent_number_%d"}}`, padding, i, i%77)
	}}
	inUse := func() int {
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		return int(memory.HeapAlloc)
	}
	before, peak := inUse(), 0
	samples := &observedSamples{NewReader(rows, DefaultLimits()), 0, func(read int) {
		if read%100_000 == 0 {
			peak = max(peak, inUse()-before)
		}
	}}
	scratch := observedScratch{diskScratch(t.TempDir()), func() { peak = max(peak, inUse()-before) }}
	prepared, err := Prepare(context.Background(), samples, recipe, scratch, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = prepared.Close() }()
	if len(prepared.Files) != 3 || peak > most {
		t.Errorf("%d MB of memory were in use for %d files", peak>>20, len(prepared.Files))
	}
	t.Logf("%d MB of memory were in use for %d samples", peak>>20, prepared.Report.Samples)
}

// observedScratch tells when a file is made, which is when memory is fullest.
type observedScratch struct {
	Scratch
	observe func()
}

func (s observedScratch) Create() (ScratchFile, error) {
	s.observe()
	return s.Scratch.Create()
}

func TestPreparingDoesNotAllocate(t *testing.T) {
	for reason, preparation := range map[string]Preparation{"passing through": {}, "sorting": {DropDuplicates: true}} {
		preparer := newPreparer(context.Background(), preparation, diskScratch(t.TempDir()), DefaultLimits())
		reader := NewReader(strings.NewReader(labelsOf(`{"t":"x","u":["y","z"]}`)), DefaultLimits())
		var sample Sample
		if err := reader.Read(&sample); err != nil {
			t.Fatal(err)
		}
		prepare := func() {
			for range 1500 {
				if err := errors.Join(preparer.census.Add(&sample), preparer.take(&sample)); err != nil {
					t.Fatal(err)
				}
			}
			preparer.sorter.data, preparer.sorter.order = preparer.sorter.data[:0], preparer.sorter.order[:0] // as after a spill
		}
		if allocations := testing.AllocsPerRun(1, prepare); allocations > 0 { // after one to warm up
			t.Errorf("%s: %v allocations for 1500 samples", reason, allocations)
		}
		if err := closeAll(preparer.files[:]); err != nil {
			t.Error(err)
		}
	}
}
