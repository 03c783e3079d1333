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

// announce waits for who removes the same bytes, in whatever process.
func (s *Store) announce(ctx context.Context, digest string, now time.Time) error {
	s.naming.Lock()
	defer s.naming.Unlock()
	return s.writeAfter(ctx, func(tx *sql.Tx) error { return s.lockBytes(ctx, tx, digest) }, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO unreferenced VALUES ($1, $2) ON CONFLICT (digest) DO UPDATE SET found_at = excluded.found_at`, digest, now.Unix())
		return err
	})
}

// removeShared removes bytes if nothing has referred to them for a day. Who is about to refer to
// them has announced it before, or does so after it and brings them anew.
func (s *Store) removeShared(ctx context.Context, digest string, now time.Time) error {
	return s.settled(ctx, digest, func(q querier) error {
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
