package store

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
)

// used is where a factory was that has stopped.
func used(t *testing.T, databaseURL string) Location {
	t.Helper()
	at := Location{Directory: t.TempDir(), DatabaseURL: databaseURL}
	blobs, err := blob.Open(at.Directory)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), at, blobs)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.SigningKey(t.Context())
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return at
}

func executeOn(t *testing.T, databaseURL string, statement string) {
	t.Helper()
	database, err := sql.Open("pgx", databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	_, err = database.ExecContext(t.Context(), statement)
	if err := errors.Join(err, database.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestPostgresIsAdmitted only if it is the database that the bytes were last used with. What
// is refused is told in a sentence with the way out, and stays as it was.
func TestPostgresIsAdmitted(t *testing.T) {
	for _, test := range []struct {
		reason string
		make   func(t *testing.T) Location
		wants  []string // none: it is admitted
	}{
		{"nothing there", func(t *testing.T) Location { return Location{t.TempDir(), postgrestest.URL(t)} }, nil},
		{"the same as before", func(t *testing.T) Location { return used(t, postgrestest.URL(t)) }, nil},
		{"a first start that was cut off", func(t *testing.T) Location {
			at := Location{t.TempDir(), postgrestest.URL(t)}
			executeOn(t, at.DatabaseURL, `CREATE TABLE goose_db_version (id BIGINT, version_id BIGINT, is_applied BOOLEAN)`)
			return at
		}, nil},
		{"a database that was made anew", func(t *testing.T) Location {
			at := used(t, postgrestest.URL(t))
			at.DatabaseURL = postgrestest.URL(t)
			return at
		}, []string{"has no tables", "used before", "restore a backup"}},
		{"the database of another program", func(t *testing.T) Location {
			at := Location{t.TempDir(), postgrestest.URL(t)}
			executeOn(t, at.DatabaseURL, `CREATE TABLE songs (title TEXT)`)
			return at
		}, []string{"no tables of a factory", "name an empty"}},
		{"a second server with a directory of its own", func(t *testing.T) Location {
			at := used(t, postgrestest.URL(t))
			at.Directory = t.TempDir()
			return at
		}, []string{"generation is missing", "--accept"}},
		{"that of another directory", func(t *testing.T) Location {
			at := used(t, postgrestest.URL(t))
			at.DatabaseURL = used(t, postgrestest.URL(t)).DatabaseURL
			return at
		}, []string{"another directory", "--accept"}},
		{"yesterday's", func(t *testing.T) Location {
			at := used(t, postgrestest.URL(t))
			executeOn(t, at.DatabaseURL, `UPDATE generation SET number = number - 1`)
			return at
		}, []string{"is older than the bytes", "last 1 changes", "--accept"}},
		{"a newer program's", func(t *testing.T) Location {
			at := used(t, postgrestest.URL(t))
			executeOn(t, at.DatabaseURL, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
			return at
		}, []string{"newer program", "99999"}},
		{"facts in SQLite would be left behind", func(t *testing.T) Location {
			at := used(t, "")
			at.DatabaseURL = postgrestest.URL(t)
			return at
		}, []string{"in SQLite", "leave --database-url out"}},
		{"facts in PostgreSQL would be left behind", func(t *testing.T) Location {
			at := used(t, postgrestest.URL(t))
			at.DatabaseURL = ""
			return at
		}, []string{"is missing", "--database-url"}},
		{"no address", func(t *testing.T) Location { return Location{t.TempDir(), "postgres://user:geheim@[/x"} }, []string{"--database-url"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			err := test.make(t).Admit(t.Context())
			if (err == nil) != (test.wants == nil) {
				t.Errorf("Admit() = %v", err)
			}
			for _, want := range test.wants {
				if err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("Admit() = %v, want %q", err, want)
				}
			}
			if err != nil && strings.Contains(err.Error(), "geheim") {
				t.Errorf("Admit() tells the password: %v", err)
			}
		})
	}
}

// TestPostgresIsVerifiedAndAccepted as a directory with SQLite is.
func TestPostgresIsVerifiedAndAccepted(t *testing.T) {
	at := used(t, postgrestest.URL(t))
	if report, err := at.Verify(t.Context()); err != nil || len(report.Problems) > 0 || report.Changes != 1 {
		t.Errorf("Verify() = %+v, %v", report, err)
	}
	if err := os.Remove(filepath.Join(at.Directory, generationName)); err != nil {
		t.Fatal(err)
	}
	if report, err := at.Verify(t.Context()); err != nil || len(report.Problems) != 1 {
		t.Errorf("Verify() = %+v, %v; want one problem", report, err)
	}
	if err := errors.Join(at.Accept(t.Context()), at.Admit(t.Context())); err != nil {
		t.Error(err)
	}
}

// TestPostgresHasSeveralServers, which may begin at the same moment, on a database that is new. Who
// says that another database belongs to the bytes must be alone.
func TestPostgresHasSeveralServers(t *testing.T) {
	at := Location{Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t)}
	var starts sync.WaitGroup
	stores, errs := make([]*Store, 4), make([]error, 4)
	for i := range stores {
		starts.Go(func() { stores[i], errs[i] = Open(t.Context(), at, nil) })
	}
	starts.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	key, err := stores[0].SigningKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if other, err := beside(t, at).SigningKey(t.Context()); err != nil || string(other) != string(key) {
		t.Errorf("another key, %v", err)
	}
	if err := at.Accept(t.Context()); err == nil || !strings.Contains(err.Error(), "in use by another factory") {
		t.Errorf("Accept() = %v beside servers", err)
	}
	for _, s := range stores {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(at.Accept(t.Context()), at.Admit(t.Context())); err != nil {
		t.Errorf("when all are closed: %v", err)
	}
}

// TestPostgresRestarts under a store, which goes on with what was acknowledged.
func TestPostgresRestarts(t *testing.T) {
	at := Location{Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t)}
	s, err := Open(t.Context(), at, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	key, err := s.SigningKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	postgrestest.Restart(t)
	var again []byte
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		again, err = s.SigningKey(t.Context())
		if err == nil || time.Now().After(deadline) {
			break // the connections that the restart has cut may fail once
		}
	}
	if err != nil || string(again) != string(key) {
		t.Errorf("after a restart: another key, %v", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping() = %v", err)
	}
	if err := at.Accept(t.Context()); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("Accept() = %v, want the database still taken", err)
	}
}

// TestTextsThatPostgresCannotHold are nobody's names, and refused as values.
func TestTextsThatPostgresCannotHold(t *testing.T) {
	s := openAt(t, Location{Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t)})
	for _, text := range []string{"a\x00b", "\xff"} {
		if _, err := s.File(t.Context(), "alice", text); !errors.Is(err, ErrNotFound) {
			t.Errorf("File(%q) = %v", text, err)
		}
		if _, _, err := s.Files(t.Context(), FileFilter{Tenant: "alice", Search: text, Page: Page{Size: 1}}); !IsUnstorable(err) {
			t.Errorf("Files(%q) = %v", text, err)
		}
	}
}
