package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestValidate(t *testing.T) {
	data := "\xEF\xBB\xBF" + labelsOf(`{"t":"x"}`) + "\r\n" + labelsOf(`{"t":"y"}`) + "\n\n"
	digest := sha256.Sum256([]byte(data))

	report, err := Validate(context.Background(), strings.NewReader(data), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	want := Report{
		InputType: InputText,
		Samples:   2,
		Bytes:     int64(len(data)) - 1, // without the blank line
		Targets:   []Target{{Name: "t", Type: SingleLabel, Labels: []LabelCount{{"x", 1}, {"y", 1}}}},
		SizeBytes: int64(len(data)),
		Digest:    hex.EncodeToString(digest[:]),
	}
	if !reflect.DeepEqual(report, want) {
		t.Errorf("got  %+v\nwant %+v", report, want)
	}
	if !report.Valid() {
		t.Error("the report is not valid")
	}
}

func TestValidateReportsEveryKindOfProblem(t *testing.T) {
	data := strings.Join([]string{textRow, `{`, chatRow, textOf(`""`)}, "\n")
	report, err := Validate(context.Background(), strings.NewReader(data), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	var reasons []Reason
	for _, problem := range report.InvalidSamples {
		lines, reasons = append(lines, problem.Line), append(reasons, problem.Reason)
	}
	if !reflect.DeepEqual(lines, []int{2, 3, 4}) || !reflect.DeepEqual(reasons, []Reason{InvalidJSON, MixedInput, EmptyText}) {
		t.Errorf("lines %v are invalid for %v", lines, reasons)
	}
	if report.Samples != 1 || report.Invalid != 3 {
		t.Errorf("%d samples and %d invalid, want 1 and 3", report.Samples, report.Invalid)
	}
	if report.Problem == nil || report.Problem.Reason != TooFewLabels {
		t.Errorf("problem is %v, want %s", report.Problem, TooFewLabels)
	}
	if report.Valid() {
		t.Error("the report is valid")
	}
}

func TestValidateCountsMoreThanItLists(t *testing.T) {
	report, err := Validate(context.Background(), strings.NewReader(strings.Repeat("{\n", 1000)), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if report.Invalid != 1000 || len(report.InvalidSamples) != maxInvalidSamples {
		t.Errorf("%d invalid, %d listed", report.Invalid, len(report.InvalidSamples))
	}
}

func TestValidateOfNothing(t *testing.T) {
	report, err := Validate(context.Background(), strings.NewReader(""), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if report.Problem == nil || report.Problem.Reason != NoSamples || report.Valid() {
		t.Errorf("got %+v", report)
	}
}

func TestValidatePassesReadingFailuresOn(t *testing.T) {
	broken := errors.New("connection reset")
	_, err := Validate(context.Background(), iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(textRow))), DefaultLimits())
	if err != iotest.ErrTimeout {
		t.Errorf("got %v, want %v", err, iotest.ErrTimeout)
	}
	if _, err := Validate(context.Background(), iotest.ErrReader(broken), DefaultLimits()); err != broken {
		t.Errorf("got %v, want %v", err, broken)
	}
}

func TestValidateEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	endless := cancelAfter{reads: 10, cancel: cancel}
	if _, err := Validate(ctx, &endless, DefaultLimits()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// cancelAfter is an endless blank line that cancels after some reads.
type cancelAfter struct {
	reads  int
	cancel context.CancelFunc
}

func (c *cancelAfter) Read(p []byte) (int, error) {
	if c.reads--; c.reads == 0 {
		c.cancel()
	}
	p[0] = '\n'
	return 1, nil
}
