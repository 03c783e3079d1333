package store

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// openedStore is one in a directory of its own.
func openedStore(t *testing.T) *Store {
	t.Helper()
	directory := t.TempDir()
	blobs, err := blob.Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), directory, blobs)
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
			_, err := tx.ExecContext(ctx, `INSERT INTO settings VALUES ('test', zeroblob(10000000))`)
			interrupt()
			runtime.Gosched() // to who would end the transaction for that
			return errors.Join(err, ctx.Err())
		})
		if busy := s.writer.Stats().InUse; !errors.Is(err, context.Canceled) || busy != 0 {
			t.Fatalf("write() = %v, and %d connections are still writing", err, busy)
		}
	}
}
