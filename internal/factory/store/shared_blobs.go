package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// nameShared names bytes that other servers may name or remove meanwhile. Before they are there,
// the database says that nothing refers to them since now: for a day nobody removes them.
func (s *Store) nameShared(ctx context.Context, staged blob.Staged, digest string, now time.Time, refer func(*sql.Tx) error) error {
	if err := s.announce(ctx, digest, now); err != nil {
		return err
	}
	if err := staged.Name(digest); err != nil {
		return err
	}
	return s.write(ctx, refer)
}

func (s *Store) announce(ctx context.Context, digest string, now time.Time) error {
	s.naming.Lock() // not while this server removes them
	defer s.naming.Unlock()
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO unreferenced VALUES ($1, $2) ON CONFLICT (digest) DO UPDATE SET found_at = excluded.found_at`, digest, now.Unix())
		return err
	})
}

// removeShared removes bytes if nothing has referred to them for a day. No change is under way
// meanwhile, nor in PostgreSQL of another server: who is about to refer to them has said so
// before, or will bring them anew.
func (s *Store) removeShared(ctx context.Context, digest string, now time.Time) error {
	s.naming.Lock()
	defer s.naming.Unlock()
	return s.settled(ctx, func(q querier) error {
		var needed bool
		err := q.QueryRowContext(ctx, `
			SELECT $1 IN (`+referredDigests+`) OR EXISTS (SELECT 1 FROM unreferenced WHERE digest = $1 AND found_at > $2)`,
			digest, unreferencedBefore(now)).Scan(&needed)
		if err != nil || needed {
			return err
		}
		return s.blobs.Remove(digest)
	})
}

func unreferencedBefore(now time.Time) int64 { return now.Add(-unreferencedLifetime).Unix() }
