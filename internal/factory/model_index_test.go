package factory

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestModelIndex(t *testing.T) {
	key := modelKey{"alice", "m"}
	index := modelIndex{entries: map[modelKey]indexedModel{}}
	stored, reads := indexedModel{digest: "old"}, 0
	change := func() {}
	find := func() indexedModel {
		t.Helper()
		found, err := index.find(t.Context(), key, func(context.Context, modelKey) (indexedModel, error) {
			reads++
			found := stored
			change() // after it was read
			return found, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	change = func() { stored.archived = true; index.forget(key) }
	find()
	change = func() {}
	if found := find(); !found.archived || reads != 2 {
		t.Errorf("%+v after %d reads; what was read before a change is out of date", found, reads)
	}
	if found := find(); !found.archived || reads != 2 {
		t.Errorf("%+v after %d reads; want what is known", found, reads)
	}
	stored.archived = false
	index.forget(key)
	if found := find(); found.archived || reads != 3 {
		t.Errorf("%+v after %d reads; want it read again", found, reads)
	}
	_, err := index.find(t.Context(), modelKey{"bob", "m"}, func(context.Context, modelKey) (indexedModel, error) { return indexedModel{}, errNotFound })
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
