package factory

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/api"
)

// beside is a second server on what a first one has, which leaves all work to it.
func beside(t *testing.T, first *server) *server {
	t.Helper()
	return startServer(t, func(c *Config) {
		c.Directory, c.DatabaseURL, c.ServeAlone = first.config.Directory, first.config.DatabaseURL, true
	})
}

// soon is when what was done at one server must be known at another: a second, and what a busy
// machine adds.
const soon = 5 * time.Second

// becomes waits until a request is answered with a status.
func (s *server) becomes(want int, ask func() int) {
	s.t.Helper()
	began := time.Now()
	for got := ask(); got != want; got = ask() {
		if time.Since(began) > soon {
			s.t.Fatalf("%d, want %d", got, want)
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Logf("known after %v", time.Since(began))
}

// TestServersKnowWhatOthersChange: models and keys that are remembered, and jobs that are worked on.
func TestServersKnowWhatOthersChange(t *testing.T) {
	first := onPostgres(t)
	second := beside(t, first)
	model := first.train("intents.jsonl", intents(40))
	classify := func() int {
		status, _ := second.request("POST", "/v1/classifications", `{"model": "`+model+`", "input": ["lamp"]}`)
		return status
	}
	if status := classify(); status != http.StatusOK {
		t.Fatalf("the model of the first server: %d", status)
	}
	if status, body := first.request("POST", "/v1/fine_tuning/models/"+model+"/archive", ""); status != http.StatusOK {
		t.Fatal(body)
	}
	second.becomes(http.StatusNotFound, classify)

	_, answer := first.request("POST", "/v1/keys", `{"scopes": ["train"]}`)
	key := decoded[struct{ ID, Key string }](t, answer)
	list := func() int {
		status, _ := second.requestAs(key.Key, "GET", "/v1/files", "", strings.NewReader(""))
		return status
	}
	if status := list(); status != http.StatusOK {
		t.Fatalf("the key of the first server: %d", status)
	}
	if status, body := first.request("DELETE", "/v1/keys/"+key.ID, ""); status != http.StatusOK {
		t.Fatal(body)
	}
	second.becomes(http.StatusUnauthorized, list)

	job := second.create(autoStart, second.upload("slow.jsonl", slowIntents()))
	second.await(job.ID, "RUNNING") // at the first
	asked := time.Now()
	if _, err := second.client("alice-key").CancelJob(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	second.await(job.ID, "CANCELLED")
	if took := time.Since(asked); took > soon {
		t.Errorf("cancelled after %v", took)
	}
}

// TestNobodyIsLeftToWork: what would leave jobs waiting for ever is refused with a sentence.
func TestNobodyIsLeftToWork(t *testing.T) {
	for _, test := range []struct {
		reason string
		open   func(Config) error
	}{
		{"a server alone", func(c Config) error {
			c.ServeAlone = true
			opened, err := Open(t.Context(), c)
			if err == nil {
				_ = opened.Close()
			}
			return err
		}},
		{"a worker alone", func(c Config) error {
			opened, err := OpenWorker(t.Context(), c)
			if err == nil {
				_ = opened.Close()
			}
			return err
		}},
	} {
		err := test.open(Config{Directory: t.TempDir(), APIKeys: []api.Key{api.NewKey("alice", "k")}})
		if err == nil || !strings.Contains(err.Error(), "--database-url") {
			t.Errorf("%s on SQLite: %v", test.reason, err)
		}
	}
}
