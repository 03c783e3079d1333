package factory

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestModelIndex(t *testing.T) {
	stored, reads := store.ServedModel{Digest: "old"}, 0
	change := func() {}
	index := newModelIndex(func(_ context.Context, tenant, _ string) (store.ServedModel, error) {
		if tenant != "alice" {
			return store.ServedModel{}, store.ErrNotFound
		}
		reads++
		found := stored
		change() // after it was read
		return found, nil
	})
	find := func() store.ServedModel {
		t.Helper()
		found, err := index.find(t.Context(), "alice", "m")
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	change = func() { stored.Archived = true; index.forget("alice", "m") }
	find()
	change = func() {}
	if found := find(); !found.Archived || reads != 2 {
		t.Errorf("%+v after %d reads; what was read before a change is out of date", found, reads)
	}
	if found := find(); !found.Archived || reads != 2 {
		t.Errorf("%+v after %d reads; want what is known", found, reads)
	}
	stored.Archived = false
	index.forget("alice", "m")
	if found := find(); found.Archived || reads != 3 {
		t.Errorf("%+v after %d reads; want it read again", found, reads)
	}
	_, err := index.find(t.Context(), "bob", "m")
	if err == nil || len(index.entries) != 1 {
		t.Errorf("%v, %d entries; what does not exist is not remembered", err, len(index.entries))
	}
}

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
	for range 2 {
		clients.Go(func() {
			for ctx.Err() == nil {
				if status := classify(); status != http.StatusOK && status != http.StatusNotFound {
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
	if status := classify(); status != http.StatusNotFound {
		t.Errorf("deleted: %d", status)
	}
	stop()
	clients.Wait()
}
