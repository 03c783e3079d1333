package factory

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestFilesExpire(t *testing.T) {
	var offset atomic.Int64
	s := startServer(t, func(c *Config) {
		c.FileLifetime = 24 * time.Hour
		c.Clock = func() time.Time { return time.Unix(1_800_000_000+offset.Load(), 0) }
	})
	client := s.client("alice-key")
	old := s.upload("old.jsonl", intents(40))
	if old.ExpiresAt == nil || *old.ExpiresAt != 1_800_000_000+24*3600 {
		t.Fatalf("expires at %v", old.ExpiresAt)
	}
	job := s.create(nil, old)
	s.await(job.ID, mistral.JobValidated)

	offset.Store(23 * 3600)
	renewed := s.upload("renewed.jsonl", intents(10))
	if again := s.upload("old.jsonl", intents(40)); again.ID != old.ID || *again.ExpiresAt != 1_800_000_000+47*3600 {
		t.Errorf("uploaded again: %s expires at %d; want the same file, kept as long as a new one", again.ID, *again.ExpiresAt)
	}
	expire := func() {
		t.Helper()
		if err := s.factory.store.removeExpiredFiles(t.Context(), s.factory.now()); err != nil {
			t.Fatal(err)
		}
	}
	offset.Store(25 * 3600)
	expire()
	if _, err := client.GetFile(t.Context(), old.ID); err != nil {
		t.Errorf("a renewed file expired: %v", err)
	}

	offset.Store(48 * 3600)
	expire()
	for _, id := range []string{old.ID, renewed.ID} {
		if _, err := client.GetFile(t.Context(), id); !mistral.IsNotFound(err) {
			t.Errorf("an expired file is there: %v", err)
		}
	}
	if left := blobNames(t, s); len(left) != 1 {
		t.Errorf("%d blobs, want that of the job that waits alone", len(left))
	}
	if _, err := client.StartJob(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	s.await(job.ID, mistral.JobSuccess)
	if left := blobNames(t, s); len(left) != 1 {
		t.Errorf("%d blobs, want the model alone", len(left))
	}
}

// TestExpiredWhileClosed: what expired meanwhile is gone soon after the start.
func TestExpiredWhileClosed(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := startServer(t, func(c *Config) {
		c.FileLifetime = time.Hour
		c.Clock = func() time.Time { return now }
	})
	file := s.upload("a.jsonl", intents(2))
	s.close()
	now = now.Add(2 * time.Hour)
	s.open()
	client := s.client("alice-key")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := client.GetFile(t.Context(), file.ID); mistral.IsNotFound(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the file is still there")
		}
	}
}
