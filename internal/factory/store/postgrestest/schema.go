package postgrestest

import (
	"flag"
	"fmt"
	"sync/atomic"
	"testing"
)

var asked = flag.Bool("postgres", false, "keep the facts of the tests' factories in PostgreSQL instead of SQLite")

var schemas atomic.Int64

// URL is that of a schema without tables, which goes with the test.
func URL(t testing.TB) string {
	t.Helper()
	s := required(t)
	schema := fmt.Sprintf("test%d", schemas.Add(1))
	if err := s.execute("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.execute("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			t.Error(err)
		}
	})
	return s.address(schema)
}

// Chosen is the URL for a test that runs on either database: none with SQLite.
func Chosen(t testing.TB) string {
	t.Helper()
	if !*asked {
		return ""
	}
	return URL(t)
}

// SQLiteOnly leaves out a test of SQLite's own when the others run on PostgreSQL.
func SQLiteOnly(t testing.TB, reason string) {
	t.Helper()
	if *asked {
		t.Skipf("of SQLite alone: %s", reason)
	}
}
