package factory

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestChangesOfModelsCountAtOnce, also for those who classify all the time.
func TestChangesOfModelsCountAtOnce(t *testing.T) {
	s := startServer(t, nil)
	model := s.train("intents.jsonl", intents(40))
	client := s.client("alice-key")
	classify := func() int {
		status, _ := s.request("POST", "/v1/classifications", `{"model": "`+model+`", "input": "lamp"}`)
		return status
	}
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for range 2 { // who may see it archived (404) and deleted (400)
		clients.Go(func() {
			for ctx.Err() == nil {
				if status := classify(); status != http.StatusOK && status != http.StatusNotFound && status != http.StatusBadRequest {
					t.Errorf("while the model changes: %d", status)
				}
			}
		})
	}
	for range 20 {
		if _, err := client.ArchiveModel(t.Context(), model); err != nil {
			t.Fatal(err)
		}
		if status := classify(); status != http.StatusNotFound {
			t.Errorf("archived: %d", status)
		}
		if _, err := client.UnarchiveModel(t.Context(), model); err != nil {
			t.Fatal(err)
		}
		if status := classify(); status != http.StatusOK {
			t.Errorf("unarchived: %d", status)
		}
	}
	name := "renamed"
	if _, err := client.UpdateModel(t.Context(), model, mistral.UpdateModelRequest{Name: &name}); err != nil {
		t.Fatal(err)
	}
	if status := classify(); status != http.StatusOK {
		t.Errorf("renamed: %d", status)
	}
	if err := client.DeleteModel(t.Context(), model); err != nil {
		t.Fatal(err)
	}
	if status := classify(); status != http.StatusBadRequest {
		t.Errorf("deleted: %d", status)
	}
	stop()
	clients.Wait()
}
