package controller

import (
	"math"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestLossHistoryKeepsTheShapeOfTheCurve(t *testing.T) {
	var checkpoints []mistral.Checkpoint
	for step := range 1000 {
		train, validation := 2/float64(step+1), 0.0
		if step == 617 {
			validation = 0.25 // the best, between two that are kept anyway
		} else if step%100 == 99 {
			validation = 0.5
		}
		checkpoints = append(checkpoints, checkpoint(int64(step), train, validation))
	}
	history := lossHistory(checkpoints)
	if len(history) > maxLossPoints {
		t.Fatalf("%d points do not fit", len(history))
	}
	best := false
	for i, point := range history {
		best = best || point.Validation == "0.25"
		if i > 0 && point.Step <= history[i-1].Step {
			t.Errorf("step %d comes after %d", point.Step, history[i-1].Step)
		}
	}
	if history[0].Step != 0 || history[len(history)-1].Step != 999 || !best {
		t.Errorf("the first, the last or the best is missing: %+v", history)
	}
}

func TestLossesAreWrittenAsDecimals(t *testing.T) {
	for _, test := range []struct {
		loss *float64
		want string
		why  string
	}{
		{nil, "", "nothing was measured"},
		{new(0.0), "", "the protocol has 0 where nothing was measured"},
		{new(0.000625), "0.000625", "small losses keep their digits"},
		{new(1.23456789), "1.235", "four digits tell the course"},
		{new(1e-9), "1e-09", "the schema knows exponents"},
		{new(math.NaN()), "", "a loss that is no number is none"},
		{new(math.Inf(1)), "", "nor is an infinite one"},
		{new(-1.0), "", "nor a negative one"},
	} {
		if got := string(fitLoss(test.loss)); got != test.want {
			t.Errorf("got %q, want %q: %s", got, test.want, test.why)
		}
	}
}

func TestRepeatedStepsAreOnePoint(t *testing.T) {
	history := lossHistory([]mistral.Checkpoint{checkpoint(1, 3, 0), checkpoint(1, 2, 0), checkpoint(2, 1, 0)})
	if len(history) != 2 || history[0].Train != "2" {
		t.Errorf("the steps are the keys of a list and come once each: %+v", history)
	}
}

func checkpoint(step int64, train, validation float64) mistral.Checkpoint {
	return mistral.Checkpoint{StepNumber: step, Metrics: mistral.CheckpointMetrics{TrainLoss: &train, ValidLoss: &validation}}
}
