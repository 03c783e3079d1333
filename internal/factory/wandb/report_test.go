package wandb

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// server answers requests without a network, so that time is the test's.
type server func(path string, body []byte) (status int, answer string)

func (s server) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	status, answer := s(r.URL.Path, body)
	if status == 0 {
		return nil, errors.New("no connection")
	}
	header := http.Header{}
	if status == http.StatusTooManyRequests {
		header.Set("Retry-After", answer)
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
}

const created = `{"data":{"upsertBucket":{"bucket":{"name":"run","project":{"name":"red","entity":{"name":"team"}}}}}}`

// newReport is one to a server that has every run.
func newReport(t *testing.T, serve server) *Report {
	t.Helper()
	base, err := mistral.ParseServerURL("https://api.wandb.ai")
	if err != nil {
		t.Fatal(err)
	}
	client := NewClient(base)
	client.http.Transport = serve
	return client.NewReport(mistral.NewKey("key"), RunRequest{ID: "run", Project: "red"}, time.Now())
}

// send sends a report in the background.
func send(t *testing.T, r *Report) <-chan error {
	sent := make(chan error, 1)
	go func() { sent <- r.Send(t.Context(), func(Run) {}) }()
	return sent
}

// TestServerIsAway for longer than a report waits: until a minute after the training.
func TestServerIsAway(t *testing.T) {
	for _, test := range []struct {
		reason string
		serve  server
	}{
		{"no connection", func(string, []byte) (int, string) { return 0, "" }},
		{"an error of its own", func(string, []byte) (int, string) { return 500, "" }},
		{"too many requests", func(string, []byte) (int, string) { return 429, "3600" }},
		{"away in the midst", func(path string, _ []byte) (int, string) {
			if path == "/graphql" {
				return 200, created
			}
			return 503, ""
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			requests := 0
			r := newReport(t, func(path string, body []byte) (int, string) { requests++; return test.serve(path, body) })
			sent := send(t, r)
			for step := range 100 {
				r.Log(int64(step), time.Now(), map[string]float64{"train/loss": 1})
				time.Sleep(time.Minute)
			}
			r.End(Finished)
			ended := time.Now()
			err := <-sent
			if took := time.Since(ended); !errors.Is(err, ErrGivenUp) || took != finishTimeout {
				t.Errorf("%s: %v after %v", test.reason, err, took)
			}
			if requests < 180 || requests > 250 {
				t.Errorf("%s: %d requests in 100 minutes", test.reason, requests)
			}
		})
	}
}

// TestTrainingThatIsSilent is said to go on.
func TestTrainingThatIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := 0
		r := newReport(t, func(path string, body []byte) (int, string) {
			if path == "/graphql" {
				return 200, created
			}
			if string(body) == "{}" {
				silent++
			}
			return 200, "{}"
		})
		sent := send(t, r)
		time.Sleep(5*time.Minute + time.Second)
		r.End(Finished)
		if err := <-sent; err != nil || silent != 10 {
			t.Errorf("%d heartbeats in five minutes, %v", silent, err)
		}
	})
}

// TestLinesAreGathered, are sent at their offsets in bounded requests, and the oldest are
// dropped when too many wait.
func TestLinesAreGathered(t *testing.T) {
	for _, test := range []struct {
		reason                string
		lines, sent, requests int
		away                  bool // the server, while they are logged
		err                   error
	}{
		{"none", 0, 0, 1, false, nil},
		{"some of a second", 50, 50, 2, false, nil},
		{"more than a request takes", 2500, 2500, 3, true, nil},
		{"more than wait", maxPending + 5, maxPending, 10, true, ErrGivenUp},
	} {
		synctest.Test(t, func(t *testing.T) {
			var requests, lines int
			away := test.away
			var last map[string]any
			r := newReport(t, func(path string, body []byte) (int, string) {
				if away {
					return 503, ""
				}
				if path == "/graphql" {
					return 200, created
				}
				var told chunk
				if err := json.Unmarshal(body, &told); err != nil {
					t.Error(err)
				}
				if history := told.Files[historyFile]; history.Offset != lines && len(history.Content) > 0 {
					t.Errorf("%s: lines at %d after %d", test.reason, history.Offset, lines)
				}
				lines += len(told.Files[historyFile].Content)
				for _, summary := range told.Files[summaryFile].Content {
					_ = json.Unmarshal([]byte(summary), &last)
				}
				requests++
				return 200, "{}"
			})
			sent := send(t, r)
			synctest.Wait()
			for step := range test.lines {
				r.Log(int64(step), time.Now(), map[string]float64{"train/loss": float64(step), "none": math.NaN()})
				if step == 0 {
					synctest.Wait() // the first goes at once
				}
			}
			away = false
			r.End(Finished)
			if err := <-sent; !errors.Is(err, test.err) || lines != test.sent || requests != test.requests {
				t.Errorf("%s: %d lines in %d requests, %v", test.reason, lines, requests, err)
			}
			if test.lines > 0 && last["train/loss"] != float64(test.lines-1) {
				t.Errorf("%s: the summary is %v", test.reason, last)
			}
		})
	}
}

// TestAddresses of servers and of the pages of their runs.
func TestAddresses(t *testing.T) {
	run := Run{Entity: "team", Project: "my project", ID: "r-0"}
	for _, test := range []struct{ base, page string }{
		{"https://api.wandb.ai", "https://wandb.ai/team/my%20project/runs/r-0"},
		{"https://api.wandb.example.com/", "https://wandb.example.com/team/my%20project/runs/r-0"},
		{"https://api.example.com", "https://app.example.com/team/my%20project/runs/r-0"},
		{"http://wandb.local:8080/base", "http://wandb.local:8080/base/team/my%20project/runs/r-0"},
		{"wandb.ai", ""},
		{"ftp://wandb.ai", ""},
		{"https://", ""},
		{"https://user:password@wandb.ai", ""},
		{"https://wandb.ai?key=secret", ""},
		{"https://wandb.ai#x", ""},
		{"https://%zz", ""},
	} {
		base, err := mistral.ParseServerURL(test.base)
		if (err == nil) != (test.page != "") {
			t.Errorf("%s: %v", test.base, err)
			continue
		}
		if err == nil && NewClient(base).page(run) != test.page {
			t.Errorf("%s: the page is %s", test.base, NewClient(base).page(run))
		}
		if err != nil && (strings.Contains(err.Error(), "user:password") || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: the error repeats it: %v", test.base, err)
		}
	}
}
