package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// readers is how many connections of PostgreSQL a server reads by. It gives 100 to all of
// its clients together, if nobody has told it otherwise.
const readers = 16

// Codes of errors of PostgreSQL, and how those begin that are alike.
const (
	codeUnknownCharacter = "22021" // no UTF-8, or the character 0
	codeNoDiskSpace      = "53100"
	codeReadOnly         = "25006" // as on a replica
	codeLockNotAvailable = "55P03"

	classConnection = "08"
	classShutdown   = "57P"
)

// postgresDatabase is one in a server of PostgreSQL.
type postgresDatabase struct{ config *pgx.ConnConfig }

func parsePostgres(address string) (postgresDatabase, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil { // it has no password
		return postgresDatabase{}, fmt.Errorf("--database-url: %w", err)
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "classifier-factory"
	}
	return postgresDatabase{config}, nil
}

func (d postgresDatabase) name() string {
	return fmt.Sprintf("the database %s at %s", d.config.Database, d.config.Host)
}

func (postgresDatabase) dialect() dialect { return postgresDialect }

// openWriter has one connection, which holds the database for this process: without it
// nothing can be changed, and when it is lost, the next one takes the database again, or fails
// if another process has taken it meanwhile.
func (d postgresDatabase) openWriter() (*sql.DB, error) {
	writer := stdlib.OpenDB(*d.config, stdlib.OptionAfterConnect(d.take))
	writer.SetMaxOpenConns(1)
	return writer, nil
}

func (d postgresDatabase) openBeside() (*sql.DB, error) { return stdlib.OpenDB(*d.config), nil }

func (d postgresDatabase) openReader() (*sql.DB, error) {
	reader := stdlib.OpenDB(*d.config, stdlib.OptionAfterConnect(func(ctx context.Context, connection *pgx.Conn) error {
		_, err := connection.Exec(ctx, `SET default_transaction_read_only = on`)
		return err
	}))
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	return reader, nil
}

func (d postgresDatabase) openUntouched() (*sql.DB, error) { return d.openReader() }

// takePatience is how long the database is waited for. A server that was killed has it until
// PostgreSQL notices.
const takePatience = 2 * time.Second

// advisoryLock is the first half of the number of the lock, which is ours; the second half is
// of the schema, of which a database can have several.
const advisoryLock = 0x0C1F

// take is for the connection what the lock on a directory is for SQLite. A client that is cut
// off has the database for half a minute at most: PostgreSQL's default are hours.
func (d postgresDatabase) take(ctx context.Context, connection *pgx.Conn) error {
	for _, statement := range []string{
		`SET tcp_keepalives_idle = 15`, `SET tcp_keepalives_interval = 5`, `SET tcp_keepalives_count = 3`,
		fmt.Sprintf(`SET lock_timeout = %d`, takePatience.Milliseconds()),
		fmt.Sprintf(`SELECT pg_advisory_lock(%d, hashtext(current_schema()))`, advisoryLock),
		`RESET lock_timeout`,
	} {
		_, err := connection.Exec(ctx, statement)
		if hasCode(err, codeLockNotAvailable) {
			return fmt.Errorf("%s is in use by another factory: %w", d.name(), err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d postgresDatabase) inspect(ctx context.Context) (*inspection, error) {
	found := &inspection{}
	reader, err := d.openReader()
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }() // it was only read
	return found, found.read(ctx, reader, postgresDialect)
}

// check is left to PostgreSQL, which verifies what it reads where checksums are on.
func (postgresDatabase) check(context.Context, *sql.DB) ([]string, error) { return nil, nil }

// hasCode recognises an error of PostgreSQL.
func hasCode(err error, code string) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && failure.Code == code
}

// IsUnavailable recognises a PostgreSQL or a bucket that cannot be reached, or that was lost on
// the way.
func IsUnavailable(err error) bool {
	if errors.As(err, new(*blob.UnavailableError)) {
		return true
	}
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(failure.Code, classConnection) || strings.HasPrefix(failure.Code, classShutdown)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	lost := func(cause error) bool { return errors.Is(err, cause) }
	return pgconn.SafeToRetry(err) || slices.ContainsFunc([]error{io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, driver.ErrBadConn}, lost)
}

// IsUnstorable recognises a text that PostgreSQL cannot hold: with the character 0, or with
// bytes that are no UTF-8.
func IsUnstorable(err error) bool { return hasCode(err, codeUnknownCharacter) }
