// Package store keeps what a factory knows: files, jobs, models and evaluations, in
// SQLite or PostgreSQL, and which bytes those need. A change of a job is valid before it is written;
// who works on it, and when, is not decided here.
package store

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
	"os"
	"sync"

	"github.com/pressly/goose/v3"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// ErrNotFound says that a tenant has no such file, job or model, be it that
// another one has.
var ErrNotFound = errors.New("not found")

// Store keeps facts in a database, and knows which bytes they need.
type Store struct {
	blobs blob.Store
	// naming is held while bytes get a name and a row that refers to them, and
	// while unreferenced bytes are removed, so that neither sees half of the other. Other
	// processes are kept out by a lock of the database.
	naming sync.Mutex

	engine  engine
	dialect dialect
	writer  *sql.DB // of one connection with SQLite: a change at a time
	reader  *sql.DB // sees the last commit meanwhile

	generation   *os.File                // see note
	modelChanged func(tenant, id string) // before anybody is told
}

// Open opens the database of a location, which must have been admitted and, if it is SQLite's,
// be this process's alone.
func Open(ctx context.Context, at Location, blobs blob.Store) (_ *Store, err error) {
	engine, err := at.engine()
	if err != nil {
		return nil, err
	}
	s := &Store{blobs: blobs, engine: engine, dialect: engine.dialect(), modelChanged: func(string, string) {}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.writer, err = engine.openWriter(); err != nil {
		return nil, err
	}
	err = engine.exclusively(ctx, s.writer, func() error {
		if err := migrate(ctx, s.writer, s.dialect); err != nil {
			return err
		}
		return s.openGeneration(ctx, at.Directory)
	})
	if err != nil {
		return nil, err
	}
	if s.reader, err = engine.openReader(); err != nil {
		return nil, err
	}
	return s, nil
}

// OnModelChange is called before the first request. changed hears of every model that
// may have changed, before anybody is told.
func (s *Store) OnModelChange(changed func(tenant, id string)) { s.modelChanged = changed }

func migrate(ctx context.Context, database *sql.DB, d dialect) error {
	scripts, err := fs.Sub(migrations, d.migrations)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(d.goose, database, scripts)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}

// Close ends what is under way.
func (s *Store) Close() error {
	var problems []error
	for _, database := range []*sql.DB{s.reader, s.writer} {
		if database != nil {
			problems = append(problems, database.Close())
		}
	}
	if s.generation != nil {
		problems = append(problems, s.generation.Close())
	}
	return errors.Join(problems...)
}

// Ping fails when the database does not answer, as while it is closed.
func (s *Store) Ping(ctx context.Context) error { return s.reader.PingContext(ctx) }

// write runs change in a transaction, one after the other in all processes.
func (s *Store) write(ctx context.Context, change func(*sql.Tx) error) error {
	return s.writeAfter(ctx, func(*sql.Tx) error { return nil }, change)
}

// writeAfter runs prepare in the same transaction, while others may still change something.
func (s *Store) writeAfter(ctx context.Context, prepare, change func(*sql.Tx) error) error {
	var present generation
	err := s.transact(ctx, func(tx *sql.Tx) (err error) {
		if err := prepare(tx); err != nil {
			return err
		}
		if present, err = advance(context.WithoutCancel(ctx), tx); err != nil {
			return err
		}
		return change(tx)
	})
	if err == nil {
		s.note(present)
	}
	return err
}

// transact runs change in a transaction. The context ends change's statements alone: it
// would roll the transaction back in the background, and the store be closed meanwhile.
func (s *Store) transact(ctx context.Context, change func(*sql.Tx) error) error {
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

// settled looks while nobody names or removes the bytes of a digest, in whatever process: nor
// does a connection that was lost when it was to commit.
func (s *Store) settled(ctx context.Context, digest string, look func(querier) error) error {
	s.naming.Lock()
	defer s.naming.Unlock()
	if s.dialect.isAlone {
		return look(s.writer)
	}
	return s.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.dialect.lockBytes, digest); err != nil {
			return err
		}
		return look(tx)
	})
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

// one scans the only row of a query, or returns ErrNotFound.
func one[T any](ctx context.Context, q querier, scan func(row) (T, error), query string, arguments ...any) (T, error) {
	found, err := scan(q.QueryRowContext(ctx, query, arguments...))
	if errors.Is(err, sql.ErrNoRows) || IsUnstorable(err) {
		err = ErrNotFound
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
func (s *Store) nameBlob(ctx context.Context, staged blob.Staged, digest string, refer func(*sql.Tx) error) error {
	err := s.nameAndRefer(ctx, staged, digest, refer)
	if err != nil {
		err = errors.Join(err, s.ReleaseBlobs(context.WithoutCancel(ctx), digest))
	}
	return err
}

func (s *Store) nameAndRefer(ctx context.Context, staged blob.Staged, digest string, refer func(*sql.Tx) error) error {
	s.naming.Lock()
	defer s.naming.Unlock()
	if s.dialect.isAlone {
		if err := staged.Name(digest); err != nil {
			return err
		}
		return s.write(ctx, refer)
	}
	return s.writeAfter(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.dialect.lockBytes, digest); err != nil {
			return err
		}
		if err := staged.Name(digest); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, s.dialect.bytesNamed)
		return err
	}, refer)
}

// ReleaseBlobs removes those of the blobs that nothing refers to any more. A job
// refers to its files until it is finished, even when they were deleted.
func (s *Store) ReleaseBlobs(ctx context.Context, digests ...string) error {
	for _, digest := range digests {
		if err := s.releaseBlob(ctx, digest); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) releaseBlob(ctx context.Context, digest string) error {
	return s.settled(ctx, digest, func(q querier) error {
		var referred bool
		err := q.QueryRowContext(ctx, `
			SELECT EXISTS (SELECT 1 FROM files WHERE digest = $1)
			    OR EXISTS (SELECT 1 FROM models WHERE digest = $1)
			    OR EXISTS (SELECT 1 FROM needed WHERE digest = $1)`, digest).Scan(&referred)
		if err != nil || referred {
			return err
		}
		return s.blobs.Remove(digest)
	})
}

// SigningKey is the secret of signed URLs, made when it is first asked for.
func (s *Store) SigningKey(ctx context.Context) ([]byte, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	err := s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO settings VALUES ('signing-key', $1) ON CONFLICT DO NOTHING`, key); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'signing-key'`).Scan(&key)
	})
	return key, err
}
