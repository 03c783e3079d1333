package factory

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestIntegrityOfAFullDisk: a start without room is told in a sentence and loses nothing,
// be it the first or a later one.
func TestIntegrityOfAFullDisk(t *testing.T) {
	postgrestest.SQLiteOnly(t, "the disk has the database")
	if !mayMount(t) {
		return
	}
	disk := smallDisk(t)
	filler := filepath.Join(disk, "filler")
	s := &server{t: t, config: Config{Directory: filepath.Join(disk, "data"), InsecureNoAuth: true}}
	fill(t, filler)
	refuse := func(reason string) {
		t.Helper()
		opened, err := Open(t.Context(), s.config)
		if err == nil {
			_ = opened.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "a volume without room: make it larger") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", reason, err)
		}
	}
	refuse("the first start")
	remove(t, filler)

	s = startServer(t, func(c *Config) { c.Directory = s.config.Directory })
	model := s.train("intents.jsonl", intents(40))
	waiting := s.create(nil, s.upload("others.jsonl", intents(60)))
	s.await(waiting.ID, mistral.JobValidated)
	s.close()
	before := tree(t, s.config.Directory)
	fill(t, filler)
	refuse("a later start")
	refuse("one more")
	after := tree(t, s.config.Directory)
	for path, content := range before {
		if strings.Contains(path, "/blobs/") && after[path] != content {
			t.Errorf("%s is lost", path)
		}
	}
	remove(t, filler)
	s.open()
	if _, err := s.client("alice-key").Classify(t.Context(), mistral.ClassifyRequest{Model: model, Input: []string{"lamp"}}); err != nil {
		t.Error(err)
	}
	if _, err := s.client("alice-key").StartJob(t.Context(), waiting.ID); err != nil {
		t.Error(err)
	}
	s.await(waiting.ID, mistral.JobSuccess)
}

// TestIntegrityOfAReadOnlyDisk: it is told in a sentence, nothing is lost, and what is on
// it can still be verified.
func TestIntegrityOfAReadOnlyDisk(t *testing.T) {
	postgrestest.SQLiteOnly(t, "the disk has the database")
	if !mayMount(t) {
		return
	}
	disk := smallDisk(t)
	mount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT|flags, "size=8m"); err != nil {
			t.Fatal(err)
		}
	}
	mount(syscall.MS_RDONLY)
	refused(t, "the first start", Config{Directory: disk, InsecureNoAuth: true}, "mounted read-only: mount it so that it can be written to")
	refused(t, "a new folder", Config{Directory: filepath.Join(disk, "data"), InsecureNoAuth: true}, "mounted read-only: mount it so that it can be written to")
	mount(0)
	s := startServer(t, func(c *Config) { c.Directory = disk })
	file := s.upload("intents.jsonl", intents(40))
	s.close()
	mount(syscall.MS_RDONLY)
	refused(t, "a later start", s.config, "mounted read-only: mount it so that it can be written to")
	if found := problems(t, Location{Directory: disk}); found != "" {
		t.Errorf("verified: %s", found)
	}
	if err := Backup(t.Context(), Location{Directory: disk}, filepath.Join(t.TempDir(), "backup")); err != nil {
		t.Errorf("backed up: %v", err)
	}
	mount(0)
	s.open()
	if err := errors.Join(
		syscall.Mount(filepath.Join(disk, "incoming"), filepath.Join(disk, "incoming"), "", syscall.MS_BIND, ""),
		syscall.Mount("", filepath.Join(disk, "incoming"), "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""),
	); err != nil {
		t.Fatal(err)
	}
	contentType, body := form(t, "more.jsonl", intents(60))
	if status, answer := s.requestAs("alice-key", "POST", "/v1/files", contentType, body); status != http.StatusInsufficientStorage || !strings.Contains(answer, "cannot be written to. Nothing was changed") {
		t.Errorf("an upload: %d %s", status, answer)
	}
	if status, _ := s.request("GET", "/v1/files/"+file.ID+"/content", ""); status != http.StatusOK {
		t.Errorf("a download: %d", status)
	}
	if err := syscall.Unmount(filepath.Join(disk, "incoming"), syscall.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	s.close()
	flip(t, blobPath(disk, *file.SHA256))
	mount(syscall.MS_RDONLY)
	if found := problems(t, Location{Directory: disk}); !strings.Contains(found, "damaged") {
		t.Errorf("a flipped bit: %q", found)
	}
	mount(0)
	s.open()
	if _, err := s.client("alice-key").GetFile(t.Context(), file.ID); err != nil {
		t.Error(err)
	}
}
