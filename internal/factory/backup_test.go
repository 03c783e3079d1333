package factory

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestBackupOfARunningFactory takes backups while files come and go, and opens each.
func TestBackupOfARunningFactory(t *testing.T) {
	postgrestest.SQLiteOnly(t, "PostgreSQL is backed up by its own tools")
	s := startServer(t, nil)
	kept := s.upload("kept.jsonl", intents(20))
	model := s.train("intents.jsonl", intents(40))
	waiting := s.create(nil, s.upload("deleted.jsonl", intents(60)))
	s.await(waiting.ID, mistral.JobValidated)
	if err := s.client("alice-key").DeleteFile(t.Context(), waiting.TrainingFiles[0]); err != nil {
		t.Fatal(err)
	}

	rest := s.keepBusy()
	backups := t.TempDir()
	for i := range 5 {
		if err := Backup(t.Context(), Location{Directory: s.config.Directory}, filepath.Join(backups, fmt.Sprint(i))); err != nil {
			t.Errorf("backup %d: %v", i, err)
		}
	}
	rest()

	for i := range 5 {
		restored := startServer(t, func(c *Config) { c.Directory = filepath.Join(backups, fmt.Sprint(i)) })
		client := restored.client("alice-key")
		files, err := client.ListFiles(t.Context(), mistral.FileFilter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files.Data {
			content, err := client.DownloadFile(t.Context(), file.ID)
			if err != nil {
				t.Fatalf("backup %d: %v", i, err)
			}
			content.Close()
		}
		if _, err := client.GetFile(t.Context(), kept.ID); err != nil {
			t.Errorf("backup %d: %v", i, err)
		}
		if _, err := client.Classify(t.Context(), mistral.ClassifyRequest{Model: model, Input: []string{"lamp"}}); err != nil {
			t.Errorf("backup %d: %v", i, err)
		}
		if _, err := client.StartJob(t.Context(), waiting.ID); err != nil {
			t.Errorf("backup %d: %v", i, err)
		}
		restored.await(waiting.ID, mistral.JobSuccess) // its file is only the job's
	}
}

func TestBackupRefuses(t *testing.T) {
	postgrestest.SQLiteOnly(t, "PostgreSQL is backed up by its own tools")
	s := startServer(t, nil)
	s.upload("intents.jsonl", intents(20))
	occupied, empty := t.TempDir(), t.TempDir()
	for _, test := range []struct{ reason, from, to, want string }{
		{"what is there is not overwritten", s.config.Directory, occupied, "is there already"},
		{"a directory that is none of a factory", empty, filepath.Join(occupied, "new"), "nothing to back up"},
	} {
		if err := Backup(t.Context(), Location{Directory: test.from}, test.to); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.reason, err, test.want)
		}
	}
	name := blobNames(t, s)[0]
	if err := os.WriteFile(filepath.Join(s.config.Directory, "blobs", name), []byte("rotten"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Backup(t.Context(), Location{Directory: s.config.Directory}, filepath.Join(occupied, "new")); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("damaged bytes: %v", err)
	}
	if err := os.Remove(filepath.Join(s.config.Directory, "blobs", name)); err != nil {
		t.Fatal(err)
	}
	if err := Backup(t.Context(), Location{Directory: s.config.Directory}, filepath.Join(occupied, "new")); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("missing bytes: %v", err)
	}
	if left, err := os.ReadDir(occupied); err != nil || len(left) != 0 {
		t.Errorf("half a backup is left: %v, %v", left, err)
	}
}

// keepBusy uploads and deletes files until it is told to rest.
func (s *server) keepBusy() (rest func()) {
	stop, busy := make(chan struct{}), sync.WaitGroup{}
	busy.Go(func() {
		client := s.client("alice-key")
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				file := uploadAs(s.t, client, "passing.jsonl", intents(i%50+1))
				if err := client.DeleteFile(s.t.Context(), file.ID); err != nil {
					s.t.Error(err)
				}
			}
		}
	})
	return func() { close(stop); busy.Wait() }
}
