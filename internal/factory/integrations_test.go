package factory

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// lockedBuffer collects a log that several write.
type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}

// TestIntegrationKeysAreForgotten by a server that reports to nobody, and so has no use
// for the key. It says so in its answers.
func TestIntegrationKeysAreForgotten(t *testing.T) {
	var log lockedBuffer
	s := startServer(t, func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	const canary = "canary-key-of-weights-and-biases-0123456789"
	file := s.upload("intents.jsonl", intents(20))
	name := "display"
	created := s.create(func(r *mistral.CreateJobRequest) {
		r.AutoStart = true
		r.Integrations = []mistral.Integration{{Type: "wandb", Project: "red", Name: &name, APIKey: canary}}
	}, file)
	if got := created.Integrations; got[0].Error == nil || !strings.Contains(*got[0].Error, "reports nothing") {
		t.Errorf("integrations of the new job: %+v; want it said that nothing is reported", got)
	}
	done := s.await(created.ID, mistral.JobSuccess)
	if got := done.Integrations; len(got) != 1 || got[0].Type != "wandb" || got[0].Project != "red" || *got[0].Name != name || got[0].URL != nil || got[0].Error == nil {
		t.Errorf("integrations %+v; want them as they were sent, without a key or a URL", got)
	}
	// Refusals do not repeat it either.
	for _, body := range []string{
		`{"model": "gpt", "training_files": ["` + file.ID + `"], "integrations": [{"project": "p", "api_key": "` + canary + `"}]}`,
		`{"model": "ministral-3b-latest", "training_files": ["` + file.ID + `"], "integrations": [{"type": "` + canary + `", "project": "p", "api_key": "` + canary + `"}]}`,
		`{"model": "ministral-3b-latest", "training_files": ["` + file.ID + `"], "integrations": [{"project": 1, "api_key": "` + canary + `"}]}`,
	} {
		if status, answer := s.request("POST", "/v1/fine_tuning/jobs", body); status != 422 || strings.Contains(answer, canary) {
			t.Errorf("%d %s", status, answer)
		}
	}
	s.close()
	s.open()
	if strings.Contains(log.String(), canary) {
		t.Error("the key is logged")
	}
	searchFor(t, s.config.Directory, canary)
}

// searchFor fails if a file of a directory has a secret.
func searchFor(t *testing.T, directory, secret string) {
	t.Helper()
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(secret)) {
			t.Errorf("the key is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestIntegrationKeyLengths(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(20)).ID
	for _, test := range []struct {
		reason string
		length int
		status int
	}{
		{"a part of a key", 39, 422},
		{"an old key", 40, 200},
		{"a key of today", 86, 200},
		{"a longer one to come", 128, 200},
		{"no key at all", 129, 422},
	} {
		status, body := s.request("POST", "/v1/fine_tuning/jobs", `{"model": "ministral-3b-latest", "training_files": ["`+file+`"],
			"suffix": "`+strings.ReplaceAll(test.reason, " ", "")[:6]+`", "integrations": [{"project": "p", "api_key": "`+strings.Repeat("k", test.length)+`"}]}`)
		if status != test.status {
			t.Errorf("%s: %d %s", test.reason, status, body)
		}
	}
}
