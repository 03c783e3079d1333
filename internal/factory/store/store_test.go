package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"runtime"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Tests{M: m}.Run()) }

// openedStore is one in a directory, and on PostgreSQL in a schema, of its own.
func openedStore(t testing.TB) *Store {
	t.Helper()
	s, _ := openedAt(t)
	return s
}

func openedAt(t testing.TB) (*Store, Location) {
	t.Helper()
	at := Location{Directory: t.TempDir(), DatabaseURL: postgrestest.Chosen(t)}
	return openAt(t, at), at
}

func openAt(t testing.TB, at Location) *Store {
	t.Helper()
	blobs, err := blob.Open(at.Directory)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), at, blobs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestInterruptedWriteIsOver when it returns: the store may be closed then, and its
// directory removed.
func TestInterruptedWriteIsOver(t *testing.T) {
	s := openedStore(t)
	for range 20 {
		ctx, interrupt := context.WithCancel(t.Context())
		err := s.write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO settings VALUES ('test', $1)`, make([]byte, 10_000_000))
			interrupt()
			runtime.Gosched() // to who would end the transaction for that
			return errors.Join(err, ctx.Err())
		})
		if busy := s.writer.Stats().InUse; !errors.Is(err, context.Canceled) || busy != 0 {
			t.Fatalf("write() = %v, and %d connections are still writing", err, busy)
		}
	}
}
