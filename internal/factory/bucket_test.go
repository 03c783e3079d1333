package factory

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob/buckettest"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestBytesInABucket are nowhere else: with the database, a new directory has everything.
func TestBytesInABucket(t *testing.T) {
	postgrestest.SQLiteOnly(t, "the database is moved as a file")
	s := startServer(t, func(c *Config) { c.BlobURL = buckettest.S3(t) })
	file := s.upload("intents.jsonl", intents(40))
	model := s.train("others.jsonl", intents(60))
	backup := filepath.Join(t.TempDir(), "backup")
	if err := Backup(t.Context(), s.location(), backup); err != nil {
		t.Fatal(err)
	}
	s.close()
	if left, err := os.ReadDir(filepath.Join(s.config.Directory, "blobs")); err == nil {
		t.Errorf("in the directory: %v", left)
	}
	moved := t.TempDir()
	copyFile(t, filepath.Join(s.config.Directory, store.DatabaseName), filepath.Join(moved, store.DatabaseName))
	s.config.Directory = moved
	s.open()
	inBucket := s.config
	for _, where := range []string{"a bucket", "a backup"} {
		if where == "a backup" {
			s.close()
			s.config.Directory, s.config.BlobURL = backup, ""
			s.open()
		}
		if status, body := s.request("GET", "/v1/files/"+file.ID+"/content", ""); status != http.StatusOK || body != intents(40) {
			t.Errorf("%s: a file: %d", where, status)
		}
		if _, err := s.client("alice-key").Classify(t.Context(), mistral.ClassifyRequest{Model: model, Input: []string{"lamp"}}); err != nil {
			t.Errorf("%s: a model: %v", where, err)
		}
		if found := problems(t, s.location()); found != "" {
			t.Errorf("%s: %s", where, found)
		}
	}
	s.close()
	refused(t, "bytes in the directory would be left behind", Config{Directory: backup, BlobURL: inBucket.BlobURL, APIKeys: s.config.APIKeys}, "has bytes of its own", "leave --blob-url out")
	refused(t, "bytes in the bucket would be left behind", Config{Directory: moved, APIKeys: s.config.APIKeys}, "generation is missing", "--blob-url")
	lost := t.TempDir()
	copyFile(t, filepath.Join(moved, "lock"), filepath.Join(lost, "lock"))
	refused(t, "a database that was lost", Config{Directory: lost, BlobURL: inBucket.BlobURL, APIKeys: s.config.APIKeys}, "was used before", "restore a backup")
	s.config = inBucket
	s.open()
}

// TestDeletedBytesStayInABucketForADay: another server may be about to refer to them.
func TestDeletedBytesStayInABucketForADay(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := startServer(t, func(c *Config) {
		c.BlobURL = buckettest.S3(t)
		c.Clock = func() time.Time { return now }
	})
	kept, deleted := s.upload("kept.jsonl", intents(20)), s.upload("deleted.jsonl", intents(30))
	if err := s.client("alice-key").DeleteFile(t.Context(), deleted.ID); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.request("GET", "/v1/files/"+deleted.ID+"/content", ""); status != http.StatusNotFound {
		t.Errorf("a deleted file: %d", status)
	}
	for _, test := range []struct {
		after   time.Duration
		removed int
	}{{0, 0}, {23 * time.Hour, 0}, {25 * time.Hour, 1}} {
		removed, err := s.factory.store.RemoveUnreferenced(t.Context(), now.Add(test.after))
		if err != nil || removed != test.removed {
			t.Errorf("after %v: %d removed, %v", test.after, removed, err)
		}
		if _, err := os.Stat(s.blobPath(*deleted.SHA256)); (err != nil) != (test.removed == 1) {
			t.Errorf("after %v: %v", test.after, err)
		}
	}
	if _, err := os.Stat(s.blobPath(*kept.SHA256)); err != nil {
		t.Error(err)
	}
}

// TestABucketIsNoFactorysTwice: the second database is refused.
func TestABucketIsNoFactorysTwice(t *testing.T) {
	s := startServer(t, func(c *Config) { c.BlobURL = buckettest.S3(t) })
	s.upload("intents.jsonl", intents(20))
	other := startServer(t, func(c *Config) { c.BlobURL = buckettest.S3(t) })
	other.close()
	config := other.config
	config.BlobURL = s.config.BlobURL
	opened, err := Open(t.Context(), config)
	if err == nil {
		_ = opened.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "another directory or backup") {
		t.Errorf("Open() = %v", err)
	}
	other.open()
}
