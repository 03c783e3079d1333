package dataset

import (
	"bytes"
	"encoding/json"
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

// manyWords is a text of so many words that no other index shares.
func manyWords(index, words int) string {
	text := make([]string, words)
	for i := range text {
		text[i] = fmt.Sprintf("w%dx%d", index, i)
	}
	return strings.Join(text, " ")
}

func TestNearDuplicates(t *testing.T) {
	tests := []struct {
		reason     string
		one, other string
		want       Repeats
	}{
		{"another text", "one two three four five six", "seven eight nine ten eleven twelve", Repeats{Examined: 2}},
		{"case, white space and punctuation", "One two three, four!", "one  TWO three four", Repeats{Examined: 2, Same: 1}},
		{"equal", "one", "one", Repeats{Examined: 2, Same: 1}},
		{"another word", "one two three four five six", "one two three four five seven", Repeats{Examined: 2, Near: 1}},
		{"a word more", "one two three four five", "one two three four five six", Repeats{Examined: 2, Near: 1}},
		{"words in another order", "one two three four five", "five four three two one", Repeats{Examined: 2, Near: 1}},
		{"two other words", "one two three four five six", "one two three four seven eight", Repeats{Examined: 2}},
		{"one word in ten", manyWords(0, 40), manyWords(0, 37) + " a b c", Repeats{Examined: 2, Near: 1}},
		{"too short to tell", "one two three four", "one two three five", Repeats{Examined: 2}},
		{"accents and case", "Où est la très grande ÉCOLE", "où est la très grande école là", Repeats{Examined: 2, Near: 1}},
		{"a script without spaces", "我的卡在哪里我要它", "我的卡在哪里我要他", Repeats{Examined: 2, Near: 1}},
		{"the same words, many more times", "a b c d e", strings.Repeat("a b c d e ", 9), Repeats{Examined: 2}},
		{"a long text with another middle word", manyWords(0, 1000), strings.Replace(manyWords(0, 1000), "w0x500 ", "", 1), Repeats{Examined: 2, Near: 1}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			data := saying(test.one, `{"t":"a"}`) + "\n" + saying(test.other, `{"t":"b"}`)
			near := prepareRows(t, data, Preparation{}, DefaultLimits()).Findings.NearDuplicates
			if near.Splits[Train] != test.want {
				t.Errorf("got %+v, want %+v", near.Splits[Train], test.want)
			}
			repeat := []SamplePair{{Sample: Position{Line: 2}, Other: Position{Line: 1}, Split: Train, Same: test.want.Same > 0}}
			if found := test.want.Same+test.want.Near > 0; found != slices.Equal(near.Pairs, repeat) {
				t.Errorf("the pairs are %+v", near.Pairs)
			}
		})
	}
}

// TestNearDuplicatesAcrossTheSplit has each text twice but for a word, which the split parts.
func TestNearDuplicatesAcrossTheSplit(t *testing.T) {
	var data strings.Builder
	for i := range 1000 {
		for _, last := range []string{"first", "second"} {
			data.WriteString(saying(manyWords(i, 8)+" "+last, fmt.Sprintf(`{"t":"%d"}`, i%2)) + "\n")
		}
	}
	prepared := prepareRows(t, data.String(), Preparation{ValidationPercent: 20, TestPercent: 10}, DefaultLimits())
	splits := prepared.Findings.NearDuplicates.Splits
	for _, split := range []Split{Validation, Test} {
		repeats := splits[split]
		// Seven of ten of the others are in Train.
		if share := float64(repeats.Near) / float64(repeats.Examined); share < 0.55 || share > 0.8 || repeats.Examined != len(prepared.rows[split]) {
			t.Errorf("of %s %+v", split, repeats)
		}
	}
	if pairs := prepared.Findings.NearDuplicates.Pairs; len(pairs) < 600 || pairs[0].Split != Validation || pairs[0].Sample.Line == 0 {
		t.Errorf("the pairs begin with %+v", pairs[:1])
	}
	if warned := fmt.Sprint(prepared.Warnings); !strings.Contains(warned, string(Leakage)) {
		t.Errorf("the warnings are %s", warned)
	}
}

// TestNearDuplicatesAreAllFound compares every two inputs, of words of which few are common.
func TestNearDuplicatesAreAllFound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var texts [][]string
	for range 350 {
		words := map[string]bool{}
		for range 5 + random.IntN(45) {
			words[fmt.Sprintf("w%d", int(300*math.Pow(random.Float64(), 3)))] = true
		}
		texts = append(texts, slices.Sorted(maps.Keys(words)))
	}
	for _, words := range texts[:200] { // once more, but for some words
		near := slices.Clone(words)
		for range 1 + len(words)/15 {
			near[random.IntN(len(near))] = fmt.Sprintf("w%d", random.IntN(320))
		}
		texts = append(texts, near)
	}
	var data strings.Builder
	for i := range texts {
		slices.Sort(texts[i])
		texts[i] = slices.Compact(texts[i])
		data.WriteString(saying(strings.Join(texts[i], " "), fmt.Sprintf(`{"t":"%d"}`, i%2)) + "\n")
	}
	want := 0
	for i, words := range texts {
		if slices.ContainsFunc(texts[:i], func(other []string) bool { return areNear(words, other) }) {
			want++
		}
	}
	got := prepareRows(t, data.String(), Preparation{}, DefaultLimits()).Findings.NearDuplicates.Splits[Train]
	if got.Near+got.Same != want || want < 100 {
		t.Errorf("it is %+v, want %d", got, want)
	}
}

// areNear compares sorted words.
func areNear(a, b []string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	missing := 0
	for _, word := range a {
		if _, found := slices.BinarySearch(b, word); !found {
			missing++
		}
	}
	return len(b) >= minWords && 5*len(b) >= 4*len(a) && missing <= max(1, len(a)/10)
}

func TestOverlapBySketches(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	inputs := func(count int) []uint64 {
		hashes := make([]uint64, count)
		for i := range hashes {
			hashes[i] = random.Uint64()
		}
		return hashes
	}
	sketch := func(hashes ...[]uint64) Sketch {
		var s sketcher
		for _, hash := range slices.Concat(hashes...) {
			s.add(hash)
		}
		return s.result()
	}
	large, small, other := inputs(100_000), inputs(300), inputs(300)
	tests := []struct {
		reason     string
		own, train Sketch
		want       float64
		exact      bool
	}{
		{"small files are compared as a whole", sketch(small), sketch(small[:100], other[:200]), 1. / 3, true},
		{"small files without a common input", sketch(small), sketch(other), 0, true},
		{"a large file with itself", sketch(large), sketch(large), 1, false},
		{"a large file with a third of it", sketch(large), sketch(large[:33_333]), 1. / 3, false},
		{"a third of a large file with it", sketch(large[:33_333]), sketch(large), 1, false},
		{"inputs that are there often count once", sketch(small, small, small), sketch(small[:100], other[:200]), 1. / 3, true},
		{"no sketch says nothing", nil, sketch(large), 0, false},
		{"nor does a part of a hash", Sketch{1, 2}, Sketch{1, 2}, 0, true},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			overlap := test.own.OverlapWith(test.train)
			if math.Abs(overlap.Share()-test.want) > overlap.Margin()+1e-9 || overlap.All != test.exact || len(test.own) > 4*sketchHashes {
				t.Errorf("%+v is %.3f ± %.3f, want %.3f", overlap, overlap.Share(), overlap.Margin(), test.want)
			}
		})
	}
}

// TestSketchOfAFile goes through a preparation, whose seed does not matter.
func TestSketchOfAFile(t *testing.T) {
	rows := func(text string) string {
		var data strings.Builder
		for i := range 200 {
			data.WriteString(saying(fmt.Sprintf(text, i), fmt.Sprintf(`{"t":"%d"}`, i%2)) + "\n")
		}
		return data.String()
	}
	sketch := func(data string, preparation Preparation) Sketch {
		prepared, err := Prepare(t.Context(), NewReader(strings.NewReader(data), DefaultLimits()), preparation, &memoryScratch{}, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = prepared.Close() }()
		return prepared.Files[0].Sketch
	}
	one := sketch(rows("Text %d!"), Preparation{DropDuplicates: true, Seed: 1})
	other := sketch(rows("text  %d"), Preparation{})
	if overlap := one.OverlapWith(other); overlap != (Overlap{Compared: 200, Found: 200, All: true}) {
		t.Errorf("the overlap is %+v", overlap)
	}
}

func TestLengths(t *testing.T) {
	var counts lengthCounts
	for length := range 100_000 {
		counts.add(length + 1)
	}
	got := counts.result()
	near := func(got, want int) bool { return got <= want && got >= want-want/16-1 }
	if got.Min != 1 || got.Max != 100_000 || !near(got.Median, 50_000) || !near(got.P95, 95_000) {
		t.Errorf("got %+v", got)
	}
	for length := 0; length < 1<<40; length += length/16 + 1 {
		if bucket := lengthBucket(length); lengthOf(bucket) > length || lengthOf(bucket+1) <= length {
			t.Fatalf("%d is in the bucket from %d to %d", length, lengthOf(bucket), lengthOf(bucket+1))
		}
	}
}

func TestOddNames(t *testing.T) {
	tests := []struct {
		name, want string
	}{
		{"nan", "a missing value"}, {"NA", "a missing value"}, {"null", "a missing value"}, {"None", "a missing value"}, {"#N/A", "a missing value"},
		{"['a', 'b']", "a list or an object"}, {`{"a": 1}`, "a list or an object"}, {"('a',)", "a list or an object"},
		{"['a'", "a piece of a list or an object"}, {`"b"]`, "a piece of a list or an object"}, {"(0, 10]", "an interval of numbers"}, {"[0.5, 1.0)", "an interval of numbers"},
		{"#REF!", "an error of a spreadsheet"}, {"#DIV/0!", "an error of a spreadsheet"}, {"#NAME?", "an error of a spreadsheet"}, {"#news!", ""}, {"#1", ""},
		{"1.0", "a number with a fraction or an exponent"}, {"-2,5", "a number with a fraction or an exponent"}, {"1.5e-7", "a number with a fraction or an exponent"},
		{"1E+15", "a number with a fraction or an exponent"}, {"-1", "what labelling functions abstain by, as Snorkel's"}, {"1", ""}, {"x\x00", "names with control characters"},
		{"2024-02-29", "a date"}, {"2024-02-29T10:00:00Z", "a date"}, {"1/2/24", "a date"}, {"29.02.2024", "a date"},
		{"20240229", "a number too long for a name"}, {"1700000000000000000", "a number too long for a name"},
		{`\N`, "a missing value"}, {`"refund"`, "text in quotes"}, {"'refund'", "text in quotes"}, {"\u200b", "nothing at all"}, {" ", "nothing at all"},
		{" refund\n", "names with white space around"}, {"rock 'n' roll", ""}, {"none", ""}, {"nanny", ""}, {"0", ""}, {"404", ""}, {"v1.0", ""}, {"[draft", ""}, {"a (b)", ""}, {"24/7", ""}, {"", ""},
	}
	for _, test := range tests {
		found := ""
		for kind, names := range odd([]LabelCount{{Name: test.name, Samples: 1}}) {
			if names.count > 0 {
				found = oddNames[kind].what
			}
		}
		if found != test.want {
			t.Errorf("%q looks like %q, want %q", test.name, found, test.want)
		}
	}
}

// TestSuspectLabels swaps labels of texts that others leave no doubt about.
func TestSuspectLabels(t *testing.T) {
	topics := []string{"card lost stolen bank street", "parcel late courier address door", "refund money invoice amount paid"}
	random := rand.New(rand.NewPCG(1, 2))
	var data strings.Builder
	changed := map[int]bool{}
	for line := 1; line <= 600; line++ {
		topic := line % len(topics)
		words := strings.Fields(topics[topic])
		text := fmt.Sprintf("the %s of my %s and %s is %s", words[random.IntN(5)], words[random.IntN(5)], words[random.IntN(5)], words[random.IntN(5)])
		if line%60 == 0 {
			topic, changed[line] = (topic+1)%len(topics), true
		}
		data.WriteString(saying(text, fmt.Sprintf(`{"topic":"topic %d","list":["a","b"],"other":"%d"}`, topic, line%2)) + "\n")
	}
	findings := prepareRows(t, data.String(), Preparation{ValidationPercent: 10}, DefaultLimits()).Findings
	right := 0
	for _, suspect := range findings.Suspects {
		if changed[suspect.Sample.Line] {
			right++
		}
		if suspect.Target != "topic" || suspect.Given == suspect.Suggested || suspect.Confidence >= maxConfidence {
			t.Errorf("it is %+v", suspect)
		}
	}
	if right < 8 || right < findings.SuspectCount-1 || findings.SuspectCount != len(findings.Suspects) {
		t.Errorf("%d of %d suspects are right, of 10", right, findings.SuspectCount)
	}
	if !slices.IsSortedFunc(findings.Suspects, func(a, b LabelSuspect) int { return int(math.Copysign(1, a.Confidence-b.Confidence)) }) {
		t.Error("they are not sorted")
	}
}

// TestFindingsOfHostileData holds the bounds, in memory and in what is found.
func TestFindingsOfHostileData(t *testing.T) {
	tests := []struct {
		reason string
		rows   int
		row    func(i int) string
	}{
		{"all rows are equal", 3 * maxExamined, func(i int) string { return saying("one two three four five six", fmt.Sprintf(`{"t":"%d"}`, i%2)) }},
		{"all rows are near each other", 2 * maxExamined, func(i int) string {
			return saying(fmt.Sprintf("one two three four five %d", i), fmt.Sprintf(`{"t":"%d"}`, i%2))
		}},
		{"texts of a MiB", 8, func(i int) string {
			return saying(strings.Repeat(fmt.Sprint("a", i, " "), 100_000), fmt.Sprintf(`{"t":"%d"}`, i%2))
		}},
		{"nothing but punctuation", 1000, func(i int) string { return saying(strings.Repeat("?", i+1), fmt.Sprintf(`{"t":"%d"}`, i%2)) }},
		{"many labels of many targets", 2000, func(i int) string {
			labels := make([]string, 20)
			for target := range labels {
				labels[target] = fmt.Sprintf(`"t%d":"%d"`, target, i%1000)
			}
			return saying(fmt.Sprint(i), "{"+strings.Join(labels, ",")+"}")
		}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			preparer := newPreparer(t.Context(), Preparation{}, &memoryScratch{}, DefaultLimits())
			prepared, err := preparer.prepare(NewReader(&generatedRows{rows: test.rows, row: test.row}, DefaultLimits()))
			if err != nil || prepared.Report.Problem != nil {
				t.Fatal(err, prepared)
			}
			defer func() { _ = prepared.Close() }()
			x, found := &preparer.inspector.examined, &prepared.Findings
			if len(x.rows) > maxExamined || len(x.values) > maxExamined*(maxWords+20) || found.Examined == 0 {
				t.Errorf("%d rows and %d values are held, %d examined", len(x.rows), len(x.values), found.Examined)
			}
			if len(found.NearDuplicates.Pairs) > maxPairs || len(found.Suspects) > 20*maxSuspects {
				t.Errorf("%d pairs, %d suspects", len(found.NearDuplicates.Pairs), len(found.Suspects))
			}
		})
	}
}

// TestWhatIsExaminedDoesNotHangOnTheOrder thins samples out, again and again.
func TestWhatIsExaminedDoesNotHangOnTheOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	inputs := make([]uint64, 10_000)
	for i := range inputs {
		inputs[i] = random.Uint64N(5000) << 51
	}
	var held []uint64
	for range 2 {
		x := newExamined(500)
		for i, input := range inputs {
			if x.takes(input) {
				x.add(input, origin{line: uint32(i)}, nil, 0, nil)
			}
		}
		now := make([]uint64, 0, len(x.rows))
		for i := range x.rows {
			now = append(now, x.rows[i].input)
			x.place(x.rows[i].input, x.rows[i].from, test)
			if x.rows[i].split != test {
				t.Fatalf("row %d is not found again", i)
			}
		}
		slices.Sort(now)
		if held != nil && !slices.Equal(now, held) || len(now) > 500 || len(now) < 200 {
			t.Errorf("%d samples are held, and %d in another order", len(held), len(now))
		}
		held = now
		random.Shuffle(len(inputs), func(i, j int) { inputs[i], inputs[j] = inputs[j], inputs[i] })
	}
}

// TestFindingsOfPublicData changes a tenth of the labels of the data in the folder that
// CLASSIFIER_DATA names, and says how many of the changes are found.
func TestFindingsOfPublicData(t *testing.T) {
	folder := os.Getenv("CLASSIFIER_DATA")
	if folder == "" {
		t.Skip("CLASSIFIER_DATA names no folder")
	}
	for _, name := range []string{"banking77", "clinc150", "massive_en"} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(folder, name, "train.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			noisy, changed := withChangedLabels(t, data)
			findings := prepareRows(t, noisy, Preparation{}, DefaultLimits()).Findings
			right, rightOfFirst := 0, 0
			for i, suspect := range findings.Suspects {
				if changed[suspect.Sample.Line] {
					right++
					if i < len(changed) {
						rightOfFirst++
					}
				}
			}
			listed, first := len(findings.Suspects), min(len(findings.Suspects), len(changed))
			t.Logf("%d labels changed, %d suspects, %d listed: precision %.3f, recall %.3f; of the first %d %.3f", len(changed), findings.SuspectCount, listed,
				float64(right)/float64(listed), float64(right)/float64(len(changed)), first, float64(rightOfFirst)/float64(first))
			if right < 3*listed/4 || right < len(changed)/2 {
				t.Errorf("%d of %d suspects are right", right, listed)
			}
		})
	}
}

func withChangedLabels(t *testing.T, data []byte) (noisy string, changed map[int]bool) {
	type row struct {
		Text   string            `json:"text"`
		Labels map[string]string `json:"labels"`
	}
	var rows []row
	var labels []string
	for line := range bytes.Lines(data) {
		var r row
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
		if label := r.Labels["intent"]; !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	changed = map[int]bool{}
	var encoded strings.Builder
	for i := range rows {
		if given := rows[i].Labels["intent"]; random.IntN(10) == 0 {
			other := labels[random.IntN(len(labels))]
			rows[i].Labels["intent"], changed[i+1] = other, other != given
		}
		if err := json.NewEncoder(&encoded).Encode(rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	for line, is := range changed {
		if !is {
			delete(changed, line)
		}
	}
	return encoded.String(), changed
}
