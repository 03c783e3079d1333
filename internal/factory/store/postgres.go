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
)

// How many connections of PostgreSQL a process has at most, beside its session. PostgreSQL gives
// 100 to all of its clients together, if nobody has told it otherwise. Changes wait for one
// another; beside the one that is made there are claims, heartbeats, and bytes to be named.
const (
	readers = 16
	writers = 4
)

// Codes of errors of PostgreSQL, and how those begin that are alike.
const (
	codeUnknownCharacter = "22021" // no UTF-8, or the character 0
	codeNoDiskSpace      = "53100"
	codeReadOnly         = "25006" // as on a replica
	codeLockNotAvailable = "55P03"
	codeIdle             = "25P03" // in the midst of a change

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

// openWriter shares the database with other processes, none of which can have it alone as long
// as one of the connections is there.
func (d postgresDatabase) openWriter() (*sql.DB, error) {
	writer := stdlib.OpenDB(*d.config, stdlib.OptionAfterConnect(d.take("pg_advisory_lock_shared")))
	writer.SetMaxOpenConns(writers)
	writer.SetMaxIdleConns(writers)
	return writer, nil
}

func (d postgresDatabase) openAlone() (*sql.DB, error) {
	writer := stdlib.OpenDB(*d.config, stdlib.OptionAfterConnect(d.take("pg_advisory_lock")))
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

// Locks of ours by the first halves of their numbers. The second half is of the schema, of which
// a database can have several, or of a digest.
const (
	databaseLock  = 0x0C1F // shared by all that serve or work
	migrationLock = 0x0C20 // of who brings the schema up to date
	leaderLock    = 0x0C21 // of who does what is done once
	bytesLock     = 0x0C22 // of who names or removes bytes
)

// A process that is stopped in the midst of a change would hold up all others. So PostgreSQL ends a
// change that goes on with nothing for writePatience, or namePatience while bytes are named.
const (
	writePatience = 5 * time.Second
	namePatience  = 10 * time.Minute
)

func setPatience(patience time.Duration) string {
	return fmt.Sprintf(`set_config('idle_in_transaction_session_timeout', '%d', true)`, patience.Milliseconds())
}

// impatient are settings of connections that hold locks: a client that is cut off has them for
// half a minute at most. PostgreSQL's default are hours.
var impatient = []string{`SET tcp_keepalives_idle = 15`, `SET tcp_keepalives_interval = 5`, `SET tcp_keepalives_count = 3`}

// take is for the connection what the lock on a directory is for SQLite.
func (d postgresDatabase) take(lock string) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, connection *pgx.Conn) error {
		for _, statement := range append(slices.Clone(impatient),
			fmt.Sprintf(`SET idle_in_transaction_session_timeout = %d`, writePatience.Milliseconds()),
			fmt.Sprintf(`SET lock_timeout = %d`, takePatience.Milliseconds()),
			fmt.Sprintf(`SELECT %s(%d, hashtext(current_schema()))`, lock, databaseLock),
			`RESET lock_timeout`,
		) {
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
}

// exclusively runs a change that several processes may begin at the same time, as when they start.
func (postgresDatabase) exclusively(ctx context.Context, writer *sql.DB, change func() error) error {
	connection, err := writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }() // it goes back to the others
	if _, err := connection.ExecContext(ctx, `SELECT pg_advisory_lock($1, hashtext(current_schema()))`, migrationLock); err != nil {
		return err
	}
	err = change()
	_, unlocked := connection.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1, hashtext(current_schema()))`, migrationLock)
	return errors.Join(err, unlocked)
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

// IsUnavailable recognises a PostgreSQL that cannot be reached, or that was lost on the way.
func IsUnavailable(err error) bool {
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		return failure.Code == codeIdle || strings.HasPrefix(failure.Code, classConnection) || strings.HasPrefix(failure.Code, classShutdown)
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
