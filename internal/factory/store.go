package factory

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

//go:embed migrations/*.sql
var migrations embed.FS

const databaseName = "factory.db"

// errNotFound says that a tenant has no such file, job or model, be it that
// another one has.
var errNotFound = errors.New("not found")

// unfinishedStatuses are those of jobs that will still change.
const unfinishedStatuses = `'QUEUED', 'VALIDATING', 'VALIDATED', 'RUNNING', 'CANCELLATION_REQUESTED'`

// store keeps everything in one directory: facts in SQLite, bytes beside it.
type store struct {
	blobs blob.Store
	// naming is held while bytes get a name and a row that refers to them, and
	// while unreferenced bytes are removed, so that neither sees half of the other.
	naming sync.Mutex

	// SQLite has one writer at a time. With one connection for it, writers wait
	// in Go and never fail as busy; readers see the last commit meanwhile.
	writer *sql.DB
	reader *sql.DB
	index  modelIndex
	lock   *directoryLock
}

// openStore opens the directory for this process alone.
func openStore(ctx context.Context, directory string) (_ *store, err error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	s := &store{index: modelIndex{entries: map[modelKey]indexedModel{}}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.lock, err = lockDirectory(directory); err != nil {
		return nil, err
	}
	if s.blobs, err = blob.Open(directory); err != nil {
		return nil, err
	}
	path := filepath.Join(directory, databaseName)
	if s.writer, err = openDatabase(path, "_txlock=immediate"); err != nil {
		return nil, err
	}
	s.writer.SetMaxOpenConns(1)
	if err := migrate(ctx, s.writer); err != nil {
		return nil, err
	}
	if s.reader, err = openDatabase(path, "_pragma=query_only(1)"); err != nil {
		return nil, err
	}
	return s, s.removeUnreferencedBlobs(ctx)
}

// openDatabase opens SQLite so that a commit is on disk when it returns: in WAL
// mode that takes synchronous=FULL.
func openDatabase(path, options string) (*sql.DB, error) {
	pragmas := "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: pragmas + "&" + options}).String())
}

func migrate(ctx context.Context, database *sql.DB) error {
	scripts, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, database, scripts)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}

func (s *store) close() error {
	var problems []error
	for _, database := range []*sql.DB{s.reader, s.writer} {
		if database != nil {
			problems = append(problems, database.Close())
		}
	}
	if s.lock != nil {
		problems = append(problems, s.lock.release())
	}
	return errors.Join(problems...)
}

// write runs change in a transaction. The context ends change's statements alone: it
// would roll the transaction back in the background, and the store be closed meanwhile.
func (s *store) write(ctx context.Context, change func(*sql.Tx) error) error {
	tx, err := s.writer.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	if err := change(tx); err != nil {
		_ = tx.Rollback() // what matters is why
		return err
	}
	return tx.Commit()
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, arguments ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, arguments ...any) *sql.Row
}

// row is a sql.Row or the present one of sql.Rows.
type row interface {
	Scan(destinations ...any) error
}

// collect scans every row of a query.
func collect[T any](ctx context.Context, q querier, scan func(row) (T, error), query string, arguments ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []T{}
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// one scans the only row of a query, or returns errNotFound.
func one[T any](ctx context.Context, q querier, scan func(row) (T, error), query string, arguments ...any) (T, error) {
	found, err := scan(q.QueryRowContext(ctx, query, arguments...))
	if errors.Is(err, sql.ErrNoRows) {
		err = errNotFound
	}
	return found, err
}

// jsonColumn reads and writes a value as JSON text.
type jsonColumn[T any] struct{ value *T }

func asJSON[T any](value *T) jsonColumn[T] { return jsonColumn[T]{value} }

// Value implements driver.Valuer.
func (c jsonColumn[T]) Value() (driver.Value, error) {
	data, err := json.Marshal(c.value)
	return string(data), err
}

// Scan implements sql.Scanner.
func (c jsonColumn[T]) Scan(source any) error {
	text, ok := source.(string)
	if !ok {
		return fmt.Errorf("a JSON column holds %T", source)
	}
	return json.Unmarshal([]byte(text), c.value)
}

// nameBlob makes a synced blob last together with the row that refers to it, or
// neither.
func (s *store) nameBlob(ctx context.Context, staged blob.Staged, digest string, refer func(*sql.Tx) error) error {
	err := s.nameAndRefer(ctx, staged, digest, refer)
	if err != nil {
		err = errors.Join(err, s.releaseBlobs(context.WithoutCancel(ctx), digest))
	}
	return err
}

func (s *store) nameAndRefer(ctx context.Context, staged blob.Staged, digest string, refer func(*sql.Tx) error) error {
	s.naming.Lock()
	defer s.naming.Unlock()
	if err := staged.Name(digest); err != nil {
		return err
	}
	return s.write(ctx, refer)
}

// removeUnreferencedBlobs removes what a crash or a failed write left behind.
func (s *store) removeUnreferencedBlobs(ctx context.Context) error {
	digests, err := s.blobs.Digests()
	if err != nil {
		return err
	}
	return s.releaseBlobs(ctx, digests...)
}

// releaseBlobs removes those of the blobs that nothing refers to any more. A job
// refers to its files until it is finished, even when they were deleted.
func (s *store) releaseBlobs(ctx context.Context, digests ...string) error {
	s.naming.Lock()
	defer s.naming.Unlock()
	for _, digest := range digests {
		var referred bool
		err := s.writer.QueryRowContext(ctx, `
			SELECT EXISTS (SELECT 1 FROM files WHERE digest = ?1)
			    OR EXISTS (SELECT 1 FROM models WHERE digest = ?1)
			    OR EXISTS (SELECT 1 FROM jobs, json_each(jobs.inputs) AS input
			               WHERE jobs.status IN (`+unfinishedStatuses+`)
			                 AND input.value ->> 'digest' = ?1)`, digest).Scan(&referred)
		if err != nil {
			return err
		}
		if referred {
			continue
		}
		if err := s.blobs.Remove(digest); err != nil {
			return err
		}
	}
	return nil
}

// signingKey is the secret of signed URLs, made when it is first asked for.
func (s *store) signingKey(ctx context.Context) ([]byte, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	err := s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO settings VALUES ('signing-key', ?) ON CONFLICT DO NOTHING`, key); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'signing-key'`).Scan(&key)
	})
	return key, err
}
