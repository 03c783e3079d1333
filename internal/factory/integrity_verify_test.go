package factory

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// problems is what Verify finds.
func problems(t *testing.T, at Location) string {
	t.Helper()
	report, err := Verify(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(report.Problems, "\n")
}

// TestIntegrityIsVerified: every byte and every reference, whether the factory runs or not.
func TestIntegrityIsVerified(t *testing.T) {
	postgrestest.SQLiteOnly(t, "what is spoilt are backups of a directory")
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(40))
	model := s.train("others.jsonl", intents(60))
	waiting := s.create(nil, s.upload("deleted.jsonl", intents(80)))
	s.await(waiting.ID, mistral.JobValidated)
	deleted, err := s.client("alice-key").GetFile(t.Context(), waiting.TrainingFiles[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := s.client("alice-key").DeleteFile(t.Context(), deleted.ID); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(blobPath(s.config.Directory, strings.Repeat("ab", 32)), []byte("nobody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := Verify(t.Context(), s.location())
	if err != nil || len(report.Problems) > 0 || report.Needed.Blobs != 4 || report.Unneeded != (store.Bytes{Blobs: 1, Bytes: 8}) {
		t.Errorf("Verify() = %+v, %v", report, err)
	}

	sound := s.config.Directory
	for _, test := range []struct {
		reason string
		spoil  func(directory string)
		wants  []string
	}{
		{"a flipped bit of a file", func(d string) { flip(t, blobPath(d, *file.SHA256)) },
			[]string{*file.SHA256 + " are damaged", "file " + file.ID + " of alice", "upload the same file again"}},
		{"a flipped bit of a model", func(d string) { flip(t, blobPath(d, s.digest(model))) },
			[]string{"are damaged", "model " + model + " of alice", "train it again"}},
		{"a missing file", func(d string) { remove(t, blobPath(d, *file.SHA256)) },
			[]string{*file.SHA256 + " are missing", "file " + file.ID + " of alice"}},
		{"a job's file that was deleted otherwise", func(d string) { remove(t, blobPath(d, *deleted.SHA256)) },
			[]string{*deleted.SHA256 + " are missing", "unfinished job " + waiting.ID + " of alice"}},
		{"no database", func(d string) { remove(t, filepath.Join(d, store.DatabaseName)) }, []string{"is missing", "restore a backup"}},
	} {
		damaged := filepath.Join(t.TempDir(), "damaged")
		if err := Backup(t.Context(), Location{Directory: sound}, damaged); err != nil {
			t.Fatal(err)
		}
		if found := problems(t, Location{Directory: damaged}); found != "" {
			t.Errorf("%s: before: %s", test.reason, found)
		}
		test.spoil(damaged)
		found := problems(t, Location{Directory: damaged})
		for _, want := range test.wants {
			if !strings.Contains(found, want) {
				t.Errorf("%s: %q; want %q", test.reason, found, want)
			}
		}
		if err := Backup(t.Context(), Location{Directory: damaged}, damaged+"-backup"); err == nil {
			t.Errorf("%s: it is backed up", test.reason)
		}
	}
}

// TestIntegrityOfABusyFactory: what comes and goes while it is verified is no problem.
func TestIntegrityOfABusyFactory(t *testing.T) {
	postgrestest.SQLiteOnly(t, "what is verified is a backup, too")
	s := startServer(t, nil)
	s.upload("kept.jsonl", intents(20))
	rest := s.keepBusy()
	for range 50 {
		if found := problems(t, s.location()); found != "" {
			t.Error(found)
		}
	}
	rest()
}

// TestIntegrityOfAnAcceptedDatabase: who has only an older database goes on with it, and
// has a day for the bytes that it does not know.
func TestIntegrityOfAnAcceptedDatabase(t *testing.T) {
	postgrestest.SQLiteOnly(t, "the older database is a file")
	s := startServer(t, nil)
	first := s.upload("first.jsonl", intents(20))
	database, older := filepath.Join(s.config.Directory, store.DatabaseName), filepath.Join(t.TempDir(), "older")
	s.close()
	copyFile(t, database, older)
	s.open()
	second := s.upload("second.jsonl", intents(30))
	if err := Accept(t.Context(), s.location()); err == nil || !strings.Contains(err.Error(), "in use by another factory") {
		t.Errorf("beside a running factory: %v", err)
	}
	s.close()
	newer := filepath.Join(t.TempDir(), "newer")
	copyFile(t, database, newer)
	copyFile(t, older, database)
	if found := problems(t, s.location()); !strings.Contains(found, "older than the bytes") {
		t.Errorf("before: %q", found)
	}
	if err := Accept(t.Context(), s.location()); err != nil {
		t.Fatal(err)
	}
	if found := problems(t, s.location()); found != "" {
		t.Errorf("after: %s", found)
	}
	s.open()
	if status, _ := s.request("GET", "/v1/files/"+first.ID+"/content", ""); status != 200 {
		t.Errorf("a file that it knows: %d", status)
	}
	if _, err := os.Stat(blobPath(s.config.Directory, *second.SHA256)); err != nil {
		t.Errorf("a file that it does not know: %v", err)
	}
	s.close()

	accepted := filepath.Join(t.TempDir(), "accepted")
	copyFile(t, database, accepted)
	copyFile(t, newer, database)
	refused(t, "the one that was given up", s.config, "another directory")
	copyFile(t, accepted, database)
	s.open()

	if err := Accept(t.Context(), Location{Directory: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "name the directory of a factory") {
		t.Errorf("nothing to accept: %v", err)
	}
}
