package api

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/storetest"
)

// TestDownloadOfAFileThatIsBeingDeleted: it was found, and then its bytes are gone.
func TestDownloadOfAFileThatIsBeingDeleted(t *testing.T) {
	stored, blobs := storetest.Open(t)
	s := New(Config{Store: stored, Blobs: blobs, Clock: time.Now, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	found := storetest.AddFile(t, stored, blobs)
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
