package dataset

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// census adds the rows and returns what was said of each.
func census(t *testing.T, limits Limits, rows ...string) (*Census, []Reason) {
	t.Helper()
	reader := NewReader(strings.NewReader(strings.Join(rows, "\n")), DefaultLimits())
	census := NewCensus(limits)
	var reasons []Reason
	for range rows {
		var sample Sample
		if err := reader.Read(&sample); err != nil {
			t.Fatal(err)
		}
		err := census.Add(&sample)
		problem, _ := errors.AsType[*InvalidSampleError](err)
		switch {
		case err == nil:
			reasons = append(reasons, "")
		case problem.Line != sample.Line:
			t.Errorf("line is %d, want %d", problem.Line, sample.Line)
			fallthrough
		default:
			reasons = append(reasons, problem.Reason)
		}
	}
	return census, reasons
}

func TestCensus(t *testing.T) {
	counted, reasons := census(t, DefaultLimits(),
		labelsOf(`{"intent":"z"}`),
		labelsOf(`{"intent":"a","topics":["y","x"]}`),
		labelsOf(`{"intent":"z"}`),
		labelsOf(`{"topics":["x"]}`),
		labelsOf(`{"topics":["x","y"],"intent":"a"}`),
	)
	for i, reason := range reasons {
		if reason != "" {
			t.Errorf("row %d: %s", i+1, reason)
		}
	}
	if counted.Samples() != 5 || counted.InputType() != InputText {
		t.Errorf("%d samples of %s", counted.Samples(), counted.InputType())
	}
	want := []Target{
		{Name: "intent", Type: SingleLabel, Labels: []LabelCount{{"a", 2}, {"z", 2}}},
		{Name: "topics", Type: MultiLabel, Labels: []LabelCount{{"x", 3}, {"y", 2}}},
	}
	if got := counted.Targets(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if err := counted.Check(); err != nil {
		t.Error(err)
	}
}

func TestCensusOutlivesItsSamples(t *testing.T) {
	data := []byte(labelsOf(`{"target":"label"}`))
	var sample Sample
	if err := NewReader(strings.NewReader(string(data)), DefaultLimits()).Read(&sample); err != nil {
		t.Fatal(err)
	}
	counted := NewCensus(DefaultLimits())
	if err := counted.Add(&sample); err != nil {
		t.Fatal(err)
	}
	for i := range sample.Raw {
		sample.Raw[i] = '!' // as the next Read does
	}
	want := []Target{{Name: "target", Type: SingleLabel, Labels: []LabelCount{{"label", 1}}}}
	if got := counted.Targets(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestContradictions(t *testing.T) {
	limits := DefaultLimits()
	limits.Targets, limits.LabelsPerTarget, limits.Samples = 2, 3, 5
	tests := []struct {
		reason string
		rows   []string
		want   []Reason
	}{
		{"a conversation among texts", []string{textRow, chatRow, textRow}, []Reason{"", MixedInput, ""}},
		{"a text among conversations", []string{chatRow, textRow, chatRow}, []Reason{"", MixedInput, ""}},
		{"a list where a string was", []string{labelsOf(`{"t":"x"}`), labelsOf(`{"t":["x"]}`)}, []Reason{"", MixedTarget}},
		{"a string where a list was", []string{labelsOf(`{"t":["x"]}`), labelsOf(`{"t":"x"}`)}, []Reason{"", MixedTarget}},
		{"too many targets", []string{labelsOf(`{"a":"x"}`), labelsOf(`{"b":"x"}`), labelsOf(`{"c":"x"}`), labelsOf(`{"b":"y"}`)},
			[]Reason{"", "", TooManyTargets, ""}},
		{"too many labels", []string{labelsOf(`{"t":["a","b"]}`), labelsOf(`{"t":["b","c","d"]}`), labelsOf(`{"t":["a","b","c"]}`)},
			[]Reason{"", TooManyLabels, ""}},
		{"too many samples", []string{textRow, textRow, textRow, textRow, textRow, textRow},
			[]Reason{"", "", "", "", "", TooManySamples}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			if _, reasons := census(t, limits, test.rows...); !reflect.DeepEqual(reasons, test.want) {
				t.Errorf("got %q, want %q", reasons, test.want)
			}
		})
	}
}

func TestRejectedRowIsNotCounted(t *testing.T) {
	counted, _ := census(t, DefaultLimits(),
		labelsOf(`{"t":"x"}`),
		labelsOf(`{"new":"a","t":["x","y"]}`),
	)
	want := []Target{{Name: "t", Type: SingleLabel, Labels: []LabelCount{{"x", 1}}}}
	if got := counted.Targets(); counted.Samples() != 1 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d samples, %v; want 1 and %v", counted.Samples(), got, want)
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		reason string
		rows   []string
		want   Reason
	}{
		{"no samples", nil, NoSamples},
		{"a target with one label", []string{labelsOf(`{"t":"x","u":"x"}`), labelsOf(`{"t":"y"}`)}, TooFewLabels},
		{"a target of lists with one label", []string{labelsOf(`{"t":["x"]}`)}, TooFewLabels},
		{"two labels in one row", []string{labelsOf(`{"t":["x","y"]}`)}, ""},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			counted, _ := census(t, DefaultLimits(), test.rows...)
			err := counted.Check()
			problem, _ := errors.AsType[*InvalidDatasetError](err)
			if test.want == "" && err != nil || test.want != "" && (problem == nil || problem.Reason != test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestLabelsOfTwoTargetsHashApart(t *testing.T) {
	if hashLabel("a\x00b", "c") == hashLabel("a", "b\x00c") {
		t.Error("where the target's name ends does not count")
	}
}
