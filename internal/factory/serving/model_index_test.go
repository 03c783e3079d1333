package serving

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
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

// TestModelIndexWithoutDatabase goes on with what it knows, and not with what it knows to be gone.
func TestModelIndexWithoutDatabase(t *testing.T) {
	var answer error
	now := time.Unix(1000, 0)
	index := newModelIndex(func(context.Context, string, string) (store.ServedModel, error) {
		return store.ServedModel{Digest: "d"}, answer
	}, func() time.Time { return now })
	away := &blob.UnavailableError{Reason: "away"}
	for _, step := range []struct {
		reason       string
		answer, want error
	}{
		{"it is read", nil, nil},
		{"it is known", away, nil},
		{"it was deleted", store.ErrNotFound, store.ErrNotFound},
		{"it stays so", away, away},
	} {
		answer, now = step.answer, now.Add(2*indexLifetime)
		if _, err := index.find(t.Context(), "alice", "m"); !errors.Is(err, step.want) {
			t.Errorf("%s: %v, want %v", step.reason, err, step.want)
		}
	}
}
