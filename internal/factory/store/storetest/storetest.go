// Package storetest opens stores for the tests of the rooms above the store. It is not
// for the tests of the whole server, which go through HTTP.
package storetest

import (
	"fmt"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// Open opens a store in a directory, and on PostgreSQL in a schema, of its own. The package's
// TestMain runs postgrestest.Tests.
func Open(t *testing.T) (*store.Store, blob.Store) {
	t.Helper()
	directory := t.TempDir()
	blobs, err := blob.Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := store.Open(t.Context(), store.Location{Directory: directory, DatabaseURL: postgrestest.Chosen(t)}, blobs)
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

// AddFile stores a file of alice that can be trained on.
func AddFile(t *testing.T, stored *store.Store, blobs blob.Store) store.File {
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
