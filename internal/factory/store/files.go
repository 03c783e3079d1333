package store

import (
	"context"
	"database/sql"
	"iter"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const fileColumns = `id, tenant, filename, digest, bytes, lines, purpose, sample_type, source, visibility, created_at, expires_at`

// File is an uploaded file as it is stored.
type File struct {
	mistral.File
	Tenant string
	Digest string
}

// fields are where fileColumns are read from and written to.
func (f *File) fields() []any {
	return []any{&f.ID, &f.Tenant, &f.Filename, &f.Digest, &f.Bytes, &f.NumLines, &f.Purpose, &f.SampleType, &f.Source, &f.Visibility, &f.CreatedAt, &f.ExpiresAt}
}

func scanFile(r row) (File, error) {
	f := File{}
	if err := r.Scan(f.fields()...); err != nil {
		return File{}, err
	}
	f.complete()
	return f, nil
}

// complete sets what is not stored.
func (f *File) complete() {
	mimeType, digest := "application/jsonl", f.Digest
	signature := digest[:16]
	f.Object, f.MIMEType, f.Signature, f.SHA256 = mistral.ObjectFile, &mimeType, &signature, &digest
}

// AddFile names the bytes of a file. If the tenant has a file of that name and
// content, that one is returned instead, and expires when the later of both would:
// who uploaded it first may count on it. Without an expiry, NULL, that is never.
func (s *Store) AddFile(ctx context.Context, f File, staged blob.Staged, limits Limits) (File, error) {
	err := s.nameBlob(ctx, staged, f.Digest, time.Unix(f.CreatedAt, 0), func(tx *sql.Tx) (err error) {
		_, err = tx.ExecContext(ctx, `INSERT INTO files (`+fileColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)
			ON CONFLICT (tenant, filename, digest) DO UPDATE SET expires_at = CASE
				WHEN files.expires_at IS NULL OR files.expires_at > excluded.expires_at THEN files.expires_at
				ELSE excluded.expires_at END`, f.fields()...)
		if err != nil {
			return err
		}
		if err := limits.checkFileBytes(ctx, tx, f.Tenant); err != nil {
			return err
		}
		f, err = one(ctx, tx, scanFile, `
			SELECT `+fileColumns+` FROM files WHERE tenant = $1 AND filename = $2 AND digest = $3`, f.Tenant, f.Filename, f.Digest)
		return err
	})
	return f, err
}

// File reads a tenant's file.
func (s *Store) File(ctx context.Context, tenant, id string) (File, error) {
	return findFile(ctx, s.reader, tenant, id)
}

func findFile(ctx context.Context, q querier, tenant, id string) (File, error) {
	return one(ctx, q, scanFile, `SELECT `+fileColumns+` FROM files WHERE `+ofTenant+` AND id = $2`, tenant, id)
}

// FileOfAnyTenant reads a file for a request that may have it: its signature stands
// for the tenant.
func (s *Store) FileOfAnyTenant(ctx context.Context, id string) (File, error) {
	return one(ctx, s.reader, scanFile, `SELECT `+fileColumns+` FROM files WHERE id = $1`, id)
}

// DeleteFile removes its bytes as well, unless something else needs them.
func (s *Store) DeleteFile(ctx context.Context, tenant, id string) error {
	var digest string
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		digest, err = one(ctx, tx, scanString, `DELETE FROM files WHERE `+ofTenant+` AND id = $2 RETURNING digest`, tenant, id)
		return err
	})
	if err != nil {
		return err
	}
	return s.ReleaseBlobs(context.WithoutCancel(ctx), digest)
}

// expiredAtOnce is how many rows that expired together are worked on before others may
// write.
const expiredAtOnce = 100

// RemoveExpiredFiles is a deletion of every tenant's files that have expired.
func (s *Store) RemoveExpiredFiles(ctx context.Context, now time.Time) error {
	for {
		var expired bool
		err := s.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM files WHERE expires_at <= $1)`, now.Unix()).Scan(&expired)
		if err != nil || !expired {
			return err
		}
		var digests []string
		err = s.write(ctx, func(tx *sql.Tx) (err error) {
			digests, err = collect(ctx, tx, scanString, `
				DELETE FROM files WHERE sequence IN (SELECT sequence FROM files WHERE expires_at <= $1 LIMIT $2) RETURNING digest`, now.Unix(), expiredAtOnce)
			return err
		})
		if err != nil {
			return err
		}
		if err := s.ReleaseBlobs(ctx, digests...); err != nil {
			return err
		}
	}
}

func scanString(r row) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}

// FileFilter selects files of a list. Zero values select all.
type FileFilter struct {
	Page
	Tenant      string
	Search      string
	Purpose     string
	SampleTypes []string
	Sources     []string
	MimeTypes   []string
	CountAll    bool
}

// Files lists a page of a tenant's files, newest first, and counts all pages if
// the filter says so.
func (s *Store) Files(ctx context.Context, filter FileFilter) (iter.Seq2[mistral.File, error], *int64, error) {
	where := conditions{dialect: s.dialect}
	where.addTenant("files", filter.Tenant)
	where.addContains("filename", filter.Search)
	where.addUnlessEmpty("purpose = $%d", filter.Purpose)
	where.addOneOf("sample_type", filter.SampleTypes)
	where.addOneOf("source", filter.Sources)
	where.addOneOf("'application/jsonl'", filter.MimeTypes)

	var total *int64
	var page []int64
	err := s.atOnce(ctx, func(q querier) (err error) {
		if filter.CountAll {
			if err := q.QueryRowContext(ctx, `SELECT count(*) FROM files WHERE `+where.sql(), where.arguments...).Scan(&total); err != nil {
				return err
			}
		}
		page, err = collect(ctx, q, scanSequence, `SELECT sequence FROM files WHERE `+where.page(filter.Page), where.arguments...)
		return err
	})
	return oneByOne(page, func(sequence int64) (mistral.File, error) {
		found, err := one(ctx, s.reader, scanFile, `SELECT `+fileColumns+` FROM files WHERE sequence = $1`, sequence)
		return found.File, err
	}), total, err
}
