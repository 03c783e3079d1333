package factory

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// fill writes a file until there is not a byte left.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for block := bytes.Repeat([]byte{1}, 4096); err == nil; {
		_, err = file.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// TestDiskFull: every change is refused with a plain word, nothing is half done,
// reading goes on, and all works again when there is room.
func TestDiskFull(t *testing.T) {
	postgrestest.SQLiteOnly(t, "the disk has the database")
	if !mayMount(t) {
		return
	}
	disk := smallDisk(t)
	s := startServer(t, func(c *Config) { c.Directory = disk })
	client := s.client("alice-key")
	kept := s.upload("kept.jsonl", intents(20))
	model := s.train("intents.jsonl", intents(40))
	waiting := s.create(nil, s.upload("others.jsonl", intents(60)))
	s.await(waiting.ID, mistral.JobValidated)
	before := blobNames(t, s)

	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	for _, test := range []struct{ reason, method, path, body string }{
		{"upload", "POST", "/v1/files", ""},
		{"job", "POST", "/v1/fine_tuning/jobs", `{"model": "ministral-3b-latest", "training_files": ["` + kept.ID + `"]}`},
		{"start", "POST", "/v1/fine_tuning/jobs/" + waiting.ID + "/start", ""},
		{"cancel", "POST", "/v1/fine_tuning/jobs/" + waiting.ID + "/cancel", ""},
		{"rename", "PATCH", "/v1/fine_tuning/models/" + model, `{"name": "x"}`},
	} {
		// SQLite may have room in its log for the first changes.
		status, body := 0, ""
		for range 100 {
			if test.reason == "upload" {
				contentType, form := form(t, "large.jsonl", intents(20000))
				status, body = s.requestAs("alice-key", "POST", test.path, contentType, form)
			} else {
				status, body = s.request(test.method, test.path, test.body)
			}
			if status != http.StatusOK || test.reason != "rename" {
				break
			}
		}
		if status != http.StatusInsufficientStorage || !strings.Contains(body, "disk is full") {
			t.Errorf("%s: %d %s", test.reason, status, body)
		}
	}
	if _, err := client.Classify(t.Context(), mistral.ClassifyRequest{Model: model, Input: []string{"lamp"}}); err != nil {
		t.Errorf("classifying: %v", err)
	}
	if _, err := client.GetFile(t.Context(), kept.ID); err != nil {
		t.Errorf("reading: %v", err)
	}
	if left := blobNames(t, s); len(left) != len(before) {
		t.Errorf("%d blobs instead of %d", len(left), len(before))
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	s.upload("after.jsonl", intents(20))
	if _, err := client.StartJob(t.Context(), waiting.ID); err != nil {
		t.Fatal(err)
	}
	s.await(waiting.ID, mistral.JobSuccess)
	s.close()
	s.open()
	if _, err := s.client("alice-key").GetFile(t.Context(), kept.ID); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

// TestDiskFullWhileTraining: the job ends when it can be said that it did, which is at once
// where the room that the training itself took is enough for that.
func TestDiskFullWhileTraining(t *testing.T) {
	postgrestest.SQLiteOnly(t, "the disk has the database")
	if !mayMount(t) {
		return
	}
	disk := smallDisk(t)
	var log lockedBuffer
	s := startServer(t, func(c *Config) {
		c.Directory = disk
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	job := s.create(autoStart, s.upload("rows.jsonl", intents(4000)))
	s.await(job.ID, mistral.JobRunning)
	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	recorded := func() bool {
		found, err := s.client("alice-key").GetJob(t.Context(), job.ID)
		return err == nil && found.Status == mistral.JobFailed
	}
	for deadline := time.Now().Add(time.Minute); strings.Count(log.String(), "job's end not recorded") < 2 && !recorded(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the job does not end")
		}
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	failed := s.await(job.ID, mistral.JobFailed)
	if got := lastEvent(t, failed)["error"]; !strings.HasPrefix(got.(string), "The server's disk is full.") {
		t.Errorf("reason %q", got)
	}
	if staged, err := os.ReadDir(filepath.Join(disk, "incoming")); err != nil || len(staged) != 0 {
		t.Errorf("left behind: %v, %v", staged, err)
	}
	s.train("intents.jsonl", intents(40))
}
