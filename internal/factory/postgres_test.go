package factory

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// onPostgres is a server whose facts are in PostgreSQL, whatever those of other tests are in.
func onPostgres(t *testing.T) *server {
	t.Helper()
	return startServer(t, func(c *Config) { c.DatabaseURL = postgrestest.URL(t) })
}

// TestPostgresRestartsUnderTraining: what was acknowledged before is there, and the training
// ends well, be it that its end cannot be recorded at first.
func TestPostgresRestartsUnderTraining(t *testing.T) {
	s := onPostgres(t)
	file := s.upload("intents.jsonl", intents(40))
	job := s.create(autoStart, s.upload("slow.jsonl", slowIntents()))
	s.await(job.ID, mistral.JobRunning)
	postgrestest.Restart(t)
	s.awaitReady()
	for ended := false; !ended; time.Sleep(50 * time.Millisecond) {
		found, err := s.client("alice-key").GetJob(t.Context(), job.ID)
		if err != nil {
			t.Fatal(err)
		}
		if ended = found.Status.Finished(); ended && found.Status != mistral.JobSuccess {
			t.Errorf("the training ended as %s: %s", found.Status, events(found))
		}
	}
	if status, body := s.request("GET", "/v1/files/"+file.ID+"/content", ""); status != http.StatusOK || body != intents(40) {
		t.Errorf("a file from before: %d", status)
	}
}

// awaitReady waits for the database.
func (s *server) awaitReady() {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		status, body := s.request("GET", "/readyz", "")
		if status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("not ready: %d %s", status, body)
		}
	}
}

// TestFactsInPostgresAreNotInTheDirectory, where bytes and nothing else of use remain.
func TestFactsInPostgresAreNotInTheDirectory(t *testing.T) {
	s := startServer(t, func(c *Config) { c.DatabaseURL, c.BlobURL = postgrestest.URL(t), "" })
	s.train("intents.jsonl", intents(40))
	err := filepath.WalkDir(s.config.Directory, func(path string, _ fs.DirEntry, err error) error {
		if filepath.Base(path) == store.DatabaseName {
			t.Errorf("there is %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if content, err := os.ReadFile(filepath.Join(s.config.Directory, "generation")); err != nil || len(content) == 0 {
		t.Errorf("generation %q, %v", content, err)
	}
}

// TestTextsThatPostgresCannotHold are refused with a sentence, and no more than that.
func TestTextsThatPostgresCannotHold(t *testing.T) {
	s := onPostgres(t)
	file := s.upload("intents.jsonl", intents(20))
	for _, test := range []struct {
		reason, method, path, body string
		status                     int
	}{
		{"a name of nothing", "GET", "/v1/files/a%00b", "", http.StatusNotFound},
		{"no UTF-8", "GET", "/v1/fine_tuning/jobs/%ff", "", http.StatusNotFound},
		{"a filter", "GET", "/v1/files?search=%00", "", http.StatusUnprocessableEntity},
		{"a value", "POST", "/v1/fine_tuning/jobs", `{"model": "ministral-3b-latest", "suffix": "a\u0000b", "hyperparameters": {}, "training_files": ["` + file.ID + `"]}`, http.StatusUnprocessableEntity},
	} {
		if status, body := s.request(test.method, test.path, test.body); status != test.status {
			t.Errorf("%s: %d %s, want %d", test.reason, status, body, test.status)
		}
	}
}
