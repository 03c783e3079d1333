package store

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
)

// openedShared is a store whose bytes other servers use, too.
func openedShared(t *testing.T) (*Store, blob.Store) {
	t.Helper()
	at := Location{Directory: t.TempDir(), DatabaseURL: postgrestest.Chosen(t), BlobURL: "file://" + t.TempDir()}
	blobs, err := at.Blobs().Open(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), at, blobs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, blobs
}

// TestSharedBytesAreNotRemovedUnderWhoNamesThem: another server may have sent them, and not yet
// referred to them, or be about to send what is there already and long nobody's.
func TestSharedBytesAreNotRemovedUnderWhoNamesThem(t *testing.T) {
	s, blobs := openedShared(t)
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	errCutOff := errors.New("the server is killed")
	name := func(at time.Time) {
		t.Helper()
		staged, err := blobs.Stage()
		if err != nil {
			t.Fatal(err)
		}
		defer staged.Discard()
		digest, err := staged.Sync()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.nameBlob(t.Context(), staged, digest, at, func(*sql.Tx) error { return errCutOff }); !errors.Is(err, errCutOff) {
			t.Fatal(err)
		}
	}
	look := func(after time.Duration, want bool) {
		t.Helper()
		if _, err := s.RemoveUnreferenced(t.Context(), now.Add(after)); err != nil {
			t.Fatal(err)
		}
		if present, err := blobs.Digests(); err != nil || (len(present) > 0) != want {
			t.Errorf("after %v: %v, %v", after, present, err)
		}
	}
	name(now)
	look(0, true)
	look(23*time.Hour, true)
	name(now.Add(24 * time.Hour)) // a second server sends the same
	look(25*time.Hour, true)
	look(47*time.Hour, true)
	look(49*time.Hour, false)
	look(50*time.Hour, false)
}

// TestAnnouncedBytesAreNotRemoved, even if they have been listed as due.
func TestAnnouncedBytesAreNotRemoved(t *testing.T) {
	s, blobs := openedShared(t)
	const digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if err := blobs.WriteNote("blobs/"+digest, nil); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		announced, removed time.Duration
		missing            bool
	}{{0, 23 * time.Hour, false}, {24 * time.Hour, 25 * time.Hour, false}, {24 * time.Hour, 49 * time.Hour, true}} {
		if err := s.announce(t.Context(), digest, now.Add(step.announced)); err != nil {
			t.Fatal(err)
		}
		if err := s.removeShared(t.Context(), digest, now.Add(step.removed)); err != nil {
			t.Fatal(err)
		}
		content, err := blobs.Open(digest)
		if err == nil {
			_ = content.Close()
		}
		if missing := errors.As(err, new(*blob.DamagedError)); missing != step.missing {
			t.Errorf("announced after %v, removed after %v: %v", step.announced, step.removed, err)
		}
	}
}
