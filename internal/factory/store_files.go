package factory

import (
	"context"
	"database/sql"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const fileColumns = `id, tenant, filename, digest, bytes, lines, purpose, sample_type, source, visibility, created_at, expires_at`

// file is an uploaded file as it is stored.
type file struct {
	mistral.File
	tenant string
	digest string
}

// fields are where fileColumns are read from and written to.
func (f *file) fields() []any {
	return []any{&f.ID, &f.tenant, &f.Filename, &f.digest, &f.Bytes, &f.NumLines, &f.Purpose, &f.SampleType, &f.Source, &f.Visibility, &f.CreatedAt, &f.ExpiresAt}
}

func scanFile(r row) (file, error) {
	f := file{}
	if err := r.Scan(f.fields()...); err != nil {
		return file{}, err
	}
	f.complete()
	return f, nil
}

// complete sets what is not stored.
func (f *file) complete() {
	mimeType, digest := "application/jsonl", f.digest
	signature := digest[:16]
	f.Object, f.MIMEType, f.Signature, f.SHA256 = mistral.ObjectFile, &mimeType, &signature, &digest
}

// addFile names the bytes of a file. If the tenant has a file of that name and
// content, that one is returned instead, and expires when the later of both would:
// who uploaded it first may count on it. Without an expiry that is never, which
// SQLite's max of NULL is, too.
func (s *store) addFile(ctx context.Context, f file, staged blob.Staged, limits Limits) (file, error) {
	err := s.nameBlob(ctx, staged, f.digest, func(tx *sql.Tx) (err error) {
		_, err = tx.ExecContext(ctx, `INSERT INTO files (`+fileColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)
			ON CONFLICT (tenant, filename, digest) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)`, f.fields()...)
		if err != nil {
			return err
		}
		if err := limits.checkFileBytes(ctx, tx, f.tenant); err != nil {
			return err
		}
		f, err = one(ctx, tx, scanFile, `
			SELECT `+fileColumns+` FROM files WHERE tenant = ? AND filename = ? AND digest = ?`, f.tenant, f.Filename, f.digest)
		return err
	})
	return f, err
}

func findFile(ctx context.Context, q querier, tenant, id string) (file, error) {
	return one(ctx, q, scanFile, `SELECT `+fileColumns+` FROM files WHERE tenant = ? AND id = ?`, tenant, id)
}

// fileOfAnyTenant reads a file for a request that may have it: its signature stands
// for the tenant.
func (s *store) fileOfAnyTenant(ctx context.Context, id string) (file, error) {
	return one(ctx, s.reader, scanFile, `SELECT `+fileColumns+` FROM files WHERE id = ?`, id)
}

func (s *store) deleteFile(ctx context.Context, tenant, id string) error {
	var digest string
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		digest, err = one(ctx, tx, scanString, `DELETE FROM files WHERE tenant = ? AND id = ? RETURNING digest`, tenant, id)
		return err
	})
	if err != nil {
		return err
	}
	return s.releaseBlobs(context.WithoutCancel(ctx), digest)
}

func scanString(r row) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}

// fileFilter selects files of a list. Zero values select all.
type fileFilter struct {
	page
	tenant      string
	search      string
	purpose     string
	sampleTypes []string
	sources     []string
	mimeTypes   []string
	countAll    bool
}

// files lists a page of a tenant's files, newest first, and counts all pages if
// the filter says so.
func (s *store) files(ctx context.Context, filter fileFilter) ([]mistral.File, *int64, error) {
	var where conditions
	where.add("tenant = ?", filter.tenant)
	where.addUnlessEmpty("instr(lower(filename), lower(?)) > 0", filter.search)
	where.addUnlessEmpty("purpose = ?", filter.purpose)
	where.addOneOf("sample_type", filter.sampleTypes)
	where.addOneOf("source", filter.sources)
	where.addOneOf("'application/jsonl'", filter.mimeTypes)

	var total *int64
	if filter.countAll {
		if err := s.reader.QueryRowContext(ctx, `SELECT count(*) FROM files WHERE `+where.sql(), where.arguments...).Scan(&total); err != nil {
			return nil, nil, err
		}
	}
	arguments := append(where.arguments, filter.size, filter.offset())
	found, err := collect(ctx, s.reader, scanFile, `SELECT `+fileColumns+` FROM files WHERE `+where.sql()+` ORDER BY sequence DESC LIMIT ? OFFSET ?`, arguments...)
	listed := make([]mistral.File, len(found))
	for i := range found {
		listed[i] = found[i].File
	}
	return listed, total, err
}
