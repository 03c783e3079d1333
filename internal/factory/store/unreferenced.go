package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// unreferencedLifetime is how long bytes are kept that a crash left behind, or that a
// mistake made nobody's: long enough for a person to notice.
const unreferencedLifetime = 24 * time.Hour

// RemoveUnreferenced removes the bytes that nothing has referred to for a day, and
// returns how many. While bytes are missing that are referred to, something is amiss:
// then nothing is removed, and a *blob.DamagedError is among the errors.
func (s *Store) RemoveUnreferenced(ctx context.Context, now time.Time) (int, error) {
	present, err := s.blobs.Digests()
	if err != nil {
		return 0, err
	}
	referred, err := collect(ctx, s.reader, scanString, referredDigests)
	if err != nil {
		return 0, err
	}
	if err := s.checkPresent(ctx, present, referred); err != nil {
		return 0, err
	}
	due, err := s.noteUnreferenced(ctx, subtract(present, referred), now)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	return len(due), s.ReleaseBlobs(ctx, due...)
}

// checkPresent names one of the bytes that are missing.
func (s *Store) checkPresent(ctx context.Context, present, referred []string) error {
	var first error
	lost := 0
	for _, digest := range subtract(referred, present) {
		missing, err := s.isMissing(ctx, digest)
		if err != nil {
			return err
		}
		if missing {
			lost++
			first = &blob.DamagedError{Digest: digest, Missing: true}
		}
	}
	if lost == 0 {
		return nil
	}
	return fmt.Errorf("bytes of %d files and models are missing, so that nothing is removed; run factory verify, and restore them from a backup: %w", lost, first)
}

// isMissing looks while nobody names or removes bytes.
func (s *Store) isMissing(ctx context.Context, digest string) (bool, error) {
	missing := false
	err := s.settled(ctx, digest, func(q querier) error {
		referred, err := isReferred(ctx, q, digest)
		if err != nil || !referred {
			return err
		}
		content, err := s.blobs.Open(digest)
		if errors.Is(err, fs.ErrNotExist) {
			missing = true
			return nil
		}
		if err != nil {
			return err
		}
		return content.Close()
	})
	return missing, err
}

func isReferred(ctx context.Context, q querier, digest string) (referred bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT $1 IN (`+referredDigests+`)`, digest).Scan(&referred)
	return referred, err
}

// noteUnreferenced remembers since when bytes are so, and returns those that were for
// long enough.
func (s *Store) noteUnreferenced(ctx context.Context, digests []string, now time.Time) (due []string, err error) {
	known, err := collect(ctx, s.reader, scanString, `SELECT digest FROM unreferenced`)
	if err != nil {
		return nil, err
	}
	found, gone := subtract(digests, known), subtract(known, digests)
	if len(found)+len(gone) > 0 {
		err = s.write(ctx, func(tx *sql.Tx) error {
			for _, digest := range gone {
				if _, err := tx.ExecContext(ctx, `DELETE FROM unreferenced WHERE digest = $1`, digest); err != nil {
					return err
				}
			}
			for _, digest := range found {
				if _, err := tx.ExecContext(ctx, `INSERT INTO unreferenced VALUES ($1, $2) ON CONFLICT DO NOTHING`, digest, now.Unix()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return nil, err
	}
	return collect(ctx, s.reader, scanString, `SELECT digest FROM unreferenced WHERE found_at <= $1`, now.Add(-unreferencedLifetime).Unix())
}

// subtract returns those of all that are not among the others.
func subtract(all, others []string) []string {
	have := make(map[string]bool, len(others))
	for _, one := range others {
		have[one] = true
	}
	var left []string
	for _, one := range all {
		if !have[one] {
			left = append(left, one)
		}
	}
	return left
}
