package dataset

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestWarnings(t *testing.T) {
	// saidTimes has so many different texts that begin with the words of a label.
	saidTimes := func(words string, count int, label string) string {
		var rows strings.Builder
		for i := range count {
			rows.WriteString(saying(fmt.Sprintf("%s %d", words, i), `{"t":"`+label+`"}`) + "\n")
		}
		return rows.String()
	}
	times := func(count int, label string) string { return saidTimes(label, count, label) }
	enough := times(20, "greeting") + times(20, "farewell")
	long := strings.Repeat("label", 10)
	tests := []struct {
		reason      string
		preparation Preparation
		data        string
		want        []Warning
	}{
		{"nothing to warn of", Preparation{}, enough, nil},
		{"duplicates", Preparation{}, enough + times(3, "greeting"),
			[]Warning{{DuplicateSamples, "samples that repeat the input and the labels of another: 3"}}},
		{"duplicates that are dropped", Preparation{DropDuplicates: true}, enough + times(3, "greeting"), nil},
		{"the same input with other labels", Preparation{}, enough + saying("greeting 0", `{"t":"farewell"}`),
			[]Warning{{ContradictingLabels, "samples that repeat the input of another, but not its labels: 1"}}},
		{"the same written in another way", Preparation{}, enough + saying("Greeting: 0!", `{"t":"greeting"}`) + "\n" + saying("ＦＡＲＥＷＥＬＬ\u200B 0", `{"t":"greeting"}`),
			[]Warning{
				{DuplicateSamples, "samples that repeat the input and the labels of another: 1"},
				{ContradictingLabels, "samples that repeat the input of another, but not its labels: 1"},
			}},
		{"another target contradicts nothing", Preparation{}, enough + saying("greeting 0", `{"u":"x"}`) + "\n" + saying("farewell 0", `{"u":"y"}`),
			[]Warning{{FewSamples, `target "u": there are fewer than 10 samples to train on of "x", "y"`}}},
		{"rare labels", Preparation{}, enough + times(9, "thanks"),
			[]Warning{{FewSamples, `target "t": there are fewer than 10 samples to train on of "thanks"`}}},
		{"rare labels that are dropped", Preparation{MinSamplesPerLabel: 10}, enough + times(9, "thanks"),
			[]Warning{{DroppedLabels, `target "t": no sample is left of "thanks"`}}},
		{"many names, some of them long", Preparation{MinSamplesPerLabel: 10}, enough + times(1, "a") + times(1, "b") + times(1, "c") + times(1, "d") + times(1, long),
			[]Warning{{DroppedLabels, `target "t": no sample is left of "a", "b", "c" and 2 more`}}},
		{"a long name", Preparation{MinSamplesPerLabel: 10}, enough + times(1, long),
			[]Warning{{DroppedLabels, `target "t": no sample is left of "` + long[:40] + `…"`}}},
		{"imbalance", Preparation{}, times(501, "greeting") + times(10, "farewell"),
			[]Warning{{Imbalance, `target "t": "greeting" has 501 samples to train on, "farewell" has 10`}}},
		{"imbalance that sampling down mends", Preparation{MaxSamplesPerLabel: 500}, times(501, "greeting") + times(10, "farewell"), nil},
		{"labels that differ in their writing", Preparation{}, enough + saidTimes("wave", 20, "Fare well") + saidTimes("nod", 20, "GREETING"),
			[]Warning{{SimilarLabels, `target "t": "Fare well" and "farewell", "GREETING" and "greeting"`}}},
		{"labels that only Unicode tells apart", Preparation{}, saidTimes("a", 20, "caf\u00E9") + saidTimes("b", 20, "cafe\u0301") + saidTimes("c", 20, "ｔｅａ") + saidTimes("d", 20, "te\u200Ba"),
			[]Warning{{SimilarLabels, "target \"t\": \"cafe\u0301\" and \"caf\u00E9\", \"te\\u200ba\" and \"ｔｅａ\""}}},
		{"labels that differ by typing errors", Preparation{}, times(200, "greeting") + times(20, "greting") + times(20, "greeitng") + times(20, "meeting"),
			[]Warning{{SimilarLabels, `target "t": "greeitng" and "greeting", "greeting" and "greting"`}}},
		{"labels without letters", Preparation{}, times(20, "plus") + strings.ReplaceAll(times(20, "minus"), `"t":"minus"`, `"t":"-"`) + strings.ReplaceAll(times(20, "times"), `"t":"times"`, `"t":"+"`), nil},
		{"labels that only validation has", Preparation{ValidationPercent: 50, Seed: 7}, times(60, "greeting") + times(60, "farewell") +
			saying("a", `{"t":"v"}`) + "\n" + saying("c", `{"t":"w"}`),
			[]Warning{
				{DroppedLabels, `target "t": no sample is left of "w"`},
				{UnmeasuredLabels, `target "t": no validation sample has "v"`},
				{FewSamples, `target "t": there are fewer than 10 samples to train on of "v"`},
			}},
		{"labels that are too rare for a split", Preparation{ValidationPercent: 20, TestPercent: 20, Stratified: true}, times(60, "greeting") + times(60, "farewell") +
			saying("a", `{"t":"v"}`) + "\n" + saying("b", `{"t":"w"}`) + "\n" + saying("c", `{"t":"w"}`),
			[]Warning{
				{UnmeasuredLabels, `target "t": no validation sample has "v"`},
				{UnmeasuredLabels, `target "t": no test sample has "v", "w"`},
				{FewSamples, `target "t": there are fewer than 10 samples to train on of "v", "w"`},
			}},
		{"labels that only the test has", Preparation{TestPercent: 50, Seed: 7}, times(60, "greeting") + times(60, "farewell") +
			saying("a", `{"t":"v"}`) + "\n" + saying("c", `{"t":"w"}`),
			[]Warning{
				{UntrainedLabels, `target "t": no sample to train on has "v"`},
				{UnmeasuredLabels, `target "t": no test sample has "w"`},
				{FewSamples, `target "t": there are fewer than 10 samples to train on of "w"`},
			}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			prepared := prepareRows(t, test.data, test.preparation, DefaultLimits())
			if prepared.Report.Problem != nil || prepared.Report.Invalid > 0 {
				t.Fatal(prepared.Report.Problem, prepared.Report.InvalidSamples)
			}
			if !slices.Equal(prepared.Warnings, test.want) {
				t.Errorf("got  %v\nwant %v", prepared.Warnings, test.want)
			}
		})
	}
}

func TestOneLetterApart(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"greeting", "greting", true},
		{"greeting", "greetings", true},
		{"greeting", "agreeting", true},
		{"greeting", "greetinh", true},
		{"greeting", "greetign", true},
		{"greeting", "gretings", false},
		{"greeting", "greet", false},
		{"greeting", "meeting", false},
		{"like", "bike", false},
		{"intent1", "intent2", false},
		{"intent1", "intent10", false},
		{"intent1", "intent", false},
		{"prénom", "prenom", true},
		{"prénom", "prènom", true},
		{"日本語分類", "日本語文類", true},
		{"日本語分類", "日本語分", true},
		{"aaaaa", "aaaaaa", true},
		{"", "a", false},
	}
	for _, test := range tests {
		for _, words := range [][2]string{{test.a, test.b}, {test.b, test.a}} {
			if got := oneLetterApart(words[0], words[1]); got != test.want {
				t.Errorf("%q and %q: got %v", words[0], words[1], got)
			}
		}
	}
}

// Beyond what fits, repeats go unseen, but nothing else changes.
func TestRepeatsAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("it fills the memory of repeats")
	}
	census := NewCensus(DefaultLimits())
	sample := Sample{Text: "a", Labels: []TargetLabels{{Target: "t", Labels: []string{"x"}}}}
	if err := census.Add(&sample); err != nil {
		t.Fatal(err)
	}
	var seen repeats
	const inputs = 2 * maxRepeatSlots
	for range 2 {
		for i := range uint64(inputs) {
			seen.add(i*0x9E3779B97F4A7C15, census.row)
		}
	}
	if len(seen.slots) != maxRepeatSlots {
		t.Errorf("there are %d slots, want %d", len(seen.slots), maxRepeatSlots)
	}
	if seen.duplicates != seen.used || seen.used < maxRepeatSlots/2 || seen.contradictions > 0 {
		t.Errorf("of %d inputs that are known %d are duplicates, %d contradict", seen.used, seen.duplicates, seen.contradictions)
	}
}

// A few of the pairs are named: all would be as many as the square of the labels.
func TestSimilarLabelsAreCountedInLittleMemory(t *testing.T) {
	labels := make([]LabelCount, 1000)
	for i := range labels {
		labels[i] = LabelCount{Name: "a" + strings.Repeat("!", i), Samples: 1}
	}
	var found names
	if allocations := testing.AllocsPerRun(1, func() { found = similar(labels) }); allocations > 10_000 {
		t.Errorf("%.0f allocations", allocations)
	}
	if got, want := found.String(), `"a" and "a!", "a" and "a!!", "a!" and "a!!" and 499497 more`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
