package store

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
)

// TestEveryTableIsMoved, those of migrations to come, too: a row in each, and no number of a
// sequence comes twice.
func TestEveryTableIsMoved(t *testing.T) {
	from := used(t, "")
	source, err := sql.Open("sqlite", string(sqliteFile(from.Directory+"/"+DatabaseName)))
	if err != nil {
		t.Fatal(err)
	}
	all, err := collect(t.Context(), source, scanString, sqliteDialect.tables)
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(name string) bool {
		return strings.HasPrefix(name, "sqlite_") || name == "goose_db_version" || name == "generation"
	})
	for _, table := range all {
		values, err := one(t.Context(), source, scanString, `
			SELECT group_concat(CASE type WHEN 'TEXT' THEN quote('x') WHEN 'REAL' THEN '0.1' WHEN 'BLOB' THEN 'x''00ff''' ELSE iif(pk, '7', '1') END)
			FROM (SELECT type, pk FROM pragma_table_info($1) ORDER BY cid)`, table)
		if err == nil {
			_, err = source.ExecContext(t.Context(), `INSERT OR REPLACE INTO `+quoted(table)+` VALUES (`+values+`)`)
		}
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
	}
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	m := &mover{from: from, to: Location{Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t)}, tell: func(string, int, int) {}}
	defer m.close()
	err = m.openOrigin(t.Context())
	if err == nil {
		_, err = m.openTarget(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time in place of the first
		moved, err := m.moveFacts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range all {
			counted := slices.ContainsFunc(moved, func(m MovedTable) bool { return m.Name == table && m.Rows > 0 })
			if counted == slices.Contains(notMoved, table) {
				t.Errorf("%s: moved %v", table, counted)
			}
		}
	}
	reached, err := storedGeneration(t.Context(), m.target)
	if err != nil || reached != m.moved() {
		t.Errorf("generation %+v, %v; want %+v", reached, err, m.moved())
	}
	next, err := one(t.Context(), m.target, scanSequence, `
		INSERT INTO leases (job_id, holder, expires_at) VALUES ('x', 'h', 0) RETURNING sequence`)
	if err != nil || next != 8 {
		t.Errorf("the next lease has the number %d, %v", next, err)
	}
}

// TestHalfAMoveIsNotAccepted as a whole factory, nor begun upon.
func TestHalfAMoveIsNotAccepted(t *testing.T) {
	at := Location{Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t)}
	s, err := Open(t.Context(), at, blob.In(at.Directory))
	if err != nil {
		t.Fatal(err)
	}
	half := move{id: strings.Repeat("0", 32), state: comes, other: "/old\nplace"}
	if err := errors.Join(s.Close(), blob.In(at.Directory).WriteNote(generationName, half.line())); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{at.Admit(t.Context()), at.Accept(t.Context())} {
		if err == nil || !strings.Contains(err.Error(), "factory migrate brings from /old place") {
			t.Errorf("%v", err)
		}
	}
}
