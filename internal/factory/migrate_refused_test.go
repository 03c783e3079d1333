package factory

import (
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob/buckettest"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
)

// TestMigrateRefuses with a sentence that says what to do, and changes nothing.
func TestMigrateRefuses(t *testing.T) {
	postgrestest.SQLiteOnly(t, "it is what is moved")
	s := startServer(t, func(c *Config) { c.DatabaseURL, c.BlobURL = "", "" })
	file := s.upload("intents.jsonl", intents(20))
	strange := s.upload("strange.jsonl", intents(22))
	s.close()
	stopped := copied(t, s.config.Directory)
	s.open()
	used := startServer(t, func(c *Config) { c.DatabaseURL, c.BlobURL = postgrestest.URL(t), buckettest.S3(t) })
	used.upload("other.jsonl", intents(24))
	left := copied(t, stopped)
	if _, err := Migrate(t.Context(), Location{Directory: left}, Location{Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t)}, func(string, int, int) {}); err != nil {
		t.Fatal(err)
	}
	half := t.TempDir()
	write(t, filepath.Join(half, "generation"), strings.Repeat("0", 32)+" comes /elsewhere\n")
	execute := func(directory, statement string) {
		t.Helper()
		rows := rowCopier{t, openSQLite(t, directory)}
		rows.execute(statement)
		if err := rows.database.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		reason string
		change func(from, to *Location)
		wants  []string
	}{
		{"the old factory runs", func(from, _ *Location) { from.Directory = s.config.Directory }, []string{s.config.Directory, "in use by another factory"}},
		{"nothing there", func(from, _ *Location) { from.Directory = t.TempDir() }, []string{"nothing to migrate", "name the directory of a factory"}},
		{"no place for the bytes", func(_, to *Location) { to.Directory = "" }, []string{"--data-dir", "--blob-url"}},
		{"the old place for the bytes", func(from, to *Location) { to.Directory = from.Directory }, []string{"--data-dir", "--blob-url"}},
		{"a factory uses the database", func(_, to *Location) { to.DatabaseURL = used.config.DatabaseURL }, []string{"has the facts of a factory already", "empty database"}},
		{"a factory uses the bucket", func(_, to *Location) { to.BlobURL = used.config.BlobURL }, []string{"has the bytes of a factory already", "empty"}},
		{"a factory uses the new directory", func(_, to *Location) { to.Directory = copied(t, stopped) }, []string{"in SQLite", "name an empty directory"}},
		{"half of another one", func(_, to *Location) { to.Directory = half }, []string{"/elsewhere", "run it again"}},
		{"it was moved elsewhere", func(from, _ *Location) { from.Directory = left }, []string{"was moved to the database", "--accept"}},
		{"no address of a database", func(_, to *Location) { to.DatabaseURL = "postgres://user:geheim@[/x" }, []string{"--database-url"}},
		{"texts that PostgreSQL cannot hold", func(from, _ *Location) {
			execute(from.Directory, `UPDATE files SET filename = 'a' || char(0) || 'b' WHERE id = '`+strange.ID+`'`)
		}, []string{`the filename of "` + strange.ID + `" in files`, "nothing is changed"}},
		{"an older program's database", func(from, _ *Location) {
			execute(from.Directory, `DELETE FROM goose_db_version WHERE version_id > 7`)
		}, []string{"older program", "start the factory on it once"}},
	} {
		from, to := Location{Directory: copied(t, stopped)}, Location{Directory: filepath.Join(t.TempDir(), "new"), DatabaseURL: postgrestest.URL(t)}
		test.change(&from, &to)
		before := withoutLogs(tree(t, from.Directory))
		moved, err := Migrate(t.Context(), from, to, func(string, int, int) {})
		if err == nil {
			t.Errorf("%s: %+v", test.reason, moved)
			continue
		}
		for _, want := range test.wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %q", test.reason, err, want)
			}
		}
		if strings.Contains(err.Error(), "geheim") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: no sentence: %v", test.reason, err)
		}
		if !maps.Equal(before, withoutLogs(tree(t, from.Directory))) {
			t.Errorf("%s: the old place is changed", test.reason)
		}
		if note, err := os.ReadFile(filepath.Join(to.Directory, "generation")); err == nil && to.Directory != half && !strings.Contains(test.reason, "directory") && !strings.Contains(test.reason, "old place") {
			t.Errorf("%s: the new place has the note %s", test.reason, note)
		}
	}

	damaged, to := copied(t, stopped), Location{Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t)}
	write(t, filepath.Join(damaged, "blobs", *file.SHA256), "other bytes")
	_, err := Migrate(t.Context(), Location{Directory: damaged}, to, func(string, int, int) {})
	if err == nil || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), "factory verify --data-dir "+damaged) {
		t.Errorf("damaged bytes: %v", err)
	}
	write(t, filepath.Join(damaged, "blobs", *file.SHA256), intents(20))
	if _, err := Migrate(t.Context(), Location{Directory: damaged}, to, func(string, int, int) {}); err != nil {
		t.Errorf("when they are right again: %v", err)
	}
}

func openSQLite(t *testing.T, directory string) *sql.DB {
	t.Helper()
	database, err := sql.Open("sqlite", filepath.Join(directory, store.DatabaseName))
	if err != nil {
		t.Fatal(err)
	}
	return database
}

// withoutLogs leaves out what readers of a database need.
func withoutLogs(files map[string]string) map[string]string {
	maps.DeleteFunc(files, func(path, _ string) bool {
		return strings.HasSuffix(path, "-wal") || strings.HasSuffix(path, "-shm")
	})
	return files
}

// TestMigrateLeavesBytesInTheirBucket: only the facts are moved, after which the old database is
// refused as an older one.
func TestMigrateLeavesBytesInTheirBucket(t *testing.T) {
	postgrestest.SQLiteOnly(t, "it is what is moved")
	s := startServer(t, func(c *Config) { c.DatabaseURL, c.BlobURL = "", buckettest.S3(t) })
	s.upload("intents.jsonl", intents(20))
	s.close()
	from, to := s.location(), Location{Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t), BlobURL: s.config.BlobURL}
	for _, before := range []bool{false, true} {
		moved, err := Migrate(t.Context(), Location{Directory: from.Directory}, to, func(string, int, int) {})
		if err != nil || moved.Before != before {
			t.Fatalf("%+v, %v", moved, err)
		}
	}
	if found := problems(t, to); found != "" {
		t.Error(found)
	}
	if err := from.Admit(t.Context()); err == nil || !strings.Contains(err.Error(), "is older than the bytes") {
		t.Errorf("the old database: %v", err)
	}
	s.config.Directory, s.config.DatabaseURL = to.Directory, to.DatabaseURL
	s.open()
}
