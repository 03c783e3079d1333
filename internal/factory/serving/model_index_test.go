package serving

import (
	"context"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

func TestModelIndex(t *testing.T) {
	stored, reads := store.ServedModel{Digest: "old"}, 0
	change := func() {}
	now := time.Unix(1000, 0)
	index := newModelIndex(func(_ context.Context, tenant, _ string) (store.ServedModel, error) {
		if tenant != "alice" {
			return store.ServedModel{}, store.ErrNotFound
		}
		reads++
		found := stored
		change() // after it was read
		return found, nil
	}, func() time.Time { return now })
	find := func() store.ServedModel {
		t.Helper()
		found, err := index.find(t.Context(), "alice", "m")
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	forget := func() { index.forget(func(id string) bool { return id == "m" }) }
	change = func() { stored.Archived = true; forget() }
	find()
	change = func() {}
	if found := find(); !found.Archived || reads != 2 {
		t.Errorf("%+v after %d reads; what was read before a change is out of date", found, reads)
	}
	if found := find(); !found.Archived || reads != 2 {
		t.Errorf("%+v after %d reads; want what is known", found, reads)
	}
	stored.Archived = false
	forget()
	if found := find(); found.Archived || reads != 3 {
		t.Errorf("%+v after %d reads; want it read again", found, reads)
	}
	stored.Archived, now = true, now.Add(indexLifetime)
	if found := find(); !found.Archived || reads != 4 {
		t.Errorf("%+v after %d reads; want it read again after a while, as another process may have changed it", found, reads)
	}
	_, err := index.find(t.Context(), "bob", "m")
	if err == nil || len(index.entries) != 1 {
		t.Errorf("%v, %d entries; what does not exist is not remembered", err, len(index.entries))
	}
}
