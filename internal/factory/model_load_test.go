package factory

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// TestModelOfAnotherVersion is what a tenant meets whose model an older factory has
// trained.
func TestModelOfAnotherVersion(t *testing.T) {
	s := startServer(t, nil)
	model := s.train("intents.jsonl", intents(20))
	content, err := os.ReadFile(s.blobPath(s.digest(model)))
	if err != nil {
		t.Fatal(err)
	}
	content[len("CFMODEL")]--
	older := fmt.Sprintf("%x", sha256.Sum256(content))
	if err := os.WriteFile(s.blobPath(older), content, 0o600); err != nil {
		t.Fatal(err)
	}
	s.execute(`UPDATE models SET digest = '` + older + `'`)
	for range 2 {
		status, body := s.request("POST", "/v1/classifications", `{"model": "`+model+`", "input": "lamp"}`)
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, `"loc":["body","model"]`) || !strings.Contains(body, "Train the model again.") {
			t.Errorf("%d %s", status, body)
		}
	}
}

// TestModelIsDeletedWhileItIsLoaded: it was found, and then its file is gone.
func TestModelIsDeletedWhileItIsLoaded(t *testing.T) {
	s := startServer(t, func(c *Config) { c.BlobURL = "" }) // a bucket opens nothing twice
	model := s.train("intents.jsonl", intents(20))
	path := s.blobPath(s.digest(model))
	if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	deleted := make(chan error)
	go func() {
		file, err := os.OpenFile(path, os.O_WRONLY, 0) // once it is opened to be loaded
		if err == nil {
			err = errors.Join(s.client("alice-key").DeleteModel(t.Context(), model), file.Close())
		}
		deleted <- err
	}()
	if status, body := s.request("POST", "/v1/classifications", `{"model": "`+model+`", "input": "lamp"}`); status != http.StatusBadRequest || !strings.Contains(body, "Invalid model") {
		t.Errorf("%d %s", status, body)
	}
	if err := <-deleted; err != nil {
		t.Error(err)
	}
}

// TestModelFileIsMissing is the server's own fault.
func TestModelFileIsMissing(t *testing.T) {
	s := startServer(t, nil)
	model := s.train("intents.jsonl", intents(20))
	if err := os.Remove(s.blobPath(s.digest(model))); err != nil {
		t.Fatal(err)
	}
	if status, body := s.request("POST", "/v1/classifications", `{"model": "`+model+`", "input": "lamp"}`); status != http.StatusInternalServerError {
		t.Errorf("%d %s", status, body)
	}
}

// execute changes the database behind the server's back.
func (s *server) execute(statement string) {
	s.t.Helper()
	driver, source := "sqlite", filepath.Join(s.config.Directory, store.DatabaseName)
	if s.config.DatabaseURL != "" {
		driver, source = "pgx", s.config.DatabaseURL
	}
	database, err := sql.Open(driver, source)
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = database.ExecContext(s.t.Context(), statement)
	if err := errors.Join(err, database.Close()); err != nil {
		s.t.Fatal(err)
	}
}

// digest is that of a model's file.
func (s *server) digest(model string) string {
	s.t.Helper()
	found, err := s.factory.store.ServedModel(s.t.Context(), "alice", model)
	if err != nil {
		s.t.Fatal(err)
	}
	return found.Digest
}
