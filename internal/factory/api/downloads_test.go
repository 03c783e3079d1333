package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// openStore opens one in a directory of its own.
func openStore(t *testing.T) (*store.Store, blob.Store) {
	t.Helper()
	directory := t.TempDir()
	blobs, err := blob.Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := store.Open(t.Context(), directory, blobs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stored.Close(); err != nil {
			t.Error(err)
		}
	})
	return stored, blobs
}

// addFile stores a file of alice that can be trained on.
func addFile(t *testing.T, stored *store.Store, blobs blob.Store) store.File {
	t.Helper()
	staged, err := blobs.Stage()
	if err != nil {
		t.Fatal(err)
	}
	defer staged.Discard()
	for i := range 20 {
		if _, err := fmt.Fprintf(staged, `{"text": "%s %d", "labels": {"intent": "%[1]s"}}`+"\n", []string{"lamp", "song"}[i%2], i); err != nil {
			t.Fatal(err)
		}
	}
	digest, err := staged.Sync()
	if err != nil {
		t.Fatal(err)
	}
	lines, visibility := int64(20), mistral.VisibilityWorkspace
	added, err := stored.AddFile(t.Context(), store.File{Tenant: "alice", Digest: digest, File: mistral.File{ID: "file", Filename: "a.jsonl", Bytes: staged.Size(), NumLines: &lines, Visibility: &visibility}}, staged, store.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return added
}

// TestDownloadOfAFileThatIsBeingDeleted: it was found, and then its bytes are gone.
func TestDownloadOfAFileThatIsBeingDeleted(t *testing.T) {
	stored, blobs := openStore(t)
	s := New(Config{Store: stored, Blobs: blobs, Clock: time.Now, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	found := addFile(t, stored, blobs)
	download := func() int {
		answer := httptest.NewRecorder()
		s.serveFile(answer, httptest.NewRequest("GET", "/v1/files/"+found.ID+"/content", nil), found)
		return answer.Code
	}
	if status := download(); status != http.StatusOK {
		t.Errorf("before: %d", status)
	}
	if err := stored.DeleteFile(t.Context(), "alice", found.ID); err != nil {
		t.Fatal(err)
	}
	if status := download(); status != http.StatusNotFound {
		t.Errorf("after: %d", status)
	}
}
