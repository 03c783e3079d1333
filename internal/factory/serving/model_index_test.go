package serving

import (
	"context"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
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
