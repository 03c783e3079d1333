package controller

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestStatesAreKeptAsFarAsTheyFit(t *testing.T) {
	for _, test := range []struct {
		state mistral.JobStatus
		want  string
		why   string
	}{
		{mistral.JobRunning, "RUNNING", "a state of the protocol is shown as it is"},
		{"PAUSED", "PAUSED", "so is one that a later version brings"},
		{mistral.JobStatus(strings.Repeat("X", 500)), strings.Repeat("X", maxStateLength), "the schema bounds it"},
		{"", "", "an absent state is left out"},
	} {
		if got := fitState(test.state); got != test.want {
			t.Errorf("got %q, want %q: %s", got, test.want, test.why)
		}
	}
}

func TestCostsAreAmountsOfMoney(t *testing.T) {
	for _, test := range []struct {
		amount   *float64
		currency *string
		want     string
		why      string
	}{
		{new(5.25), new("EUR"), "5.25", "what the service sends"},
		{new(0.0), new("USD"), "0", "a self-hosted factory costs nothing, and says so"},
		{new(0.1), new("EUR"), "0.1", "no digits are made up"},
		{nil, new("EUR"), "", "there is no estimate yet"},
		{new(5.25), nil, "", "an amount of nothing says nothing"},
		{new(5.25), new("eur"), "", "not as in ISO 4217"},
		{new(5.25), new("EURO"), "", "not as in ISO 4217"},
		{new(5.25), new(""), "", "not as in ISO 4217"},
		{new(-0.01), new("EUR"), "", "nobody pays for training"},
		{new(math.NaN()), new("EUR"), "", "no number"},
		{new(math.Inf(1)), new("EUR"), "", "no amount"},
		{new(1e300), new("EUR"), "", "more digits than fit"},
		{new(1e-30), new("EUR"), "", "more digits than fit"},
	} {
		got := ""
		if cost := fitCost(&mistral.JobMetadata{Cost: test.amount, CostCurrency: test.currency}); cost != nil {
			got = string(cost.Amount)
		}
		if got != test.want {
			t.Errorf("got %q, want %q: %s", got, test.want, test.why)
		}
	}
	if cost := fitCost(nil); cost != nil {
		t.Errorf("a job without metadata costs %+v", cost)
	}
}

func TestModelsAreThoseThatOneCanClassifyWith(t *testing.T) {
	for _, test := range []struct {
		status mistral.JobStatus
		model  *string
		want   string
		why    string
	}{
		{mistral.JobSuccess, new("ft:classifier:a"), "ft:classifier:a", "the training's result"},
		{mistral.JobSuccess, nil, "", "a server may name it later"},
		{mistral.JobSuccess, new(""), "", "an empty ID names nothing"},
		{mistral.JobSuccess, new(strings.Repeat("m", maxModelIDLength)), strings.Repeat("m", maxModelIDLength), "the longest that the schema has"},
		{mistral.JobSuccess, new(strings.Repeat("m", maxModelIDLength+1)), "", "half an ID is none"},
		{mistral.JobRunning, new("ft:classifier:a"), "", "the training is not over"},
		{mistral.JobFailed, new("ft:classifier:a"), "", "what broke off is no result"},
	} {
		got := ""
		if model := fitModel(&mistral.DetailedJob{Job: mistral.Job{Status: test.status, FineTunedModel: test.model}}); model != nil {
			got = model.ID
		}
		if got != test.want {
			t.Errorf("got %q, want %q: %s", got, test.want, test.why)
		}
	}
}

func TestCountsAreNotNegative(t *testing.T) {
	for _, test := range []struct{ count, want *int64 }{
		{nil, nil},
		{new(int64(-1)), nil},
		{new(int64(0)), new(int64(0))},
		{new(int64(math.MaxInt64)), new(int64(math.MaxInt64))},
	} {
		if got := fitCount(test.count); (got == nil) != (test.want == nil) || got != nil && *got != *test.want {
			t.Errorf("got %v, want %v", got, test.want)
		}
	}
}

func TestLossesOfAnySizeFitTheSchema(t *testing.T) {
	for _, test := range []struct {
		loss float64
		want string
		why  string
	}{
		{1e-120, "", "the schema has two digits of an exponent"},
		{1e-98, "1e-98", "the smallest that is written"},
		{1e98, "1e+98", "the largest that is written"},
		{1e120, "", "the schema has two digits of an exponent"},
		{123456, "1.235e+05", "four digits tell the course"},
	} {
		if got := string(fitLoss(&test.loss)); got != test.want {
			t.Errorf("got %q, want %q: %s", got, test.want, test.why)
		}
	}
}

// TestCutStatesStayText: a state cut within a character would come back from the
// API server as another text than was sent, and be written again with each pass.
func TestCutStatesStayText(t *testing.T) {
	if got := fitState(mistral.JobStatus(strings.Repeat("€", 100))); !utf8.ValidString(got) || utf8.RuneCountInString(got) > maxStateLength {
		t.Errorf("got %q", got)
	}
}
