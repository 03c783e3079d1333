package store

import (
	"fmt"

	"github.com/pressly/goose/v3"
)

// dialect is where the SQL of SQLite and PostgreSQL differs. All else is written once: it
// numbers its arguments, names the columns of a conflict, and compares texts by their bytes,
// which PostgreSQL's columns are declared for.
type dialect struct {
	goose      goose.Dialect
	migrations string // their folder

	objects func(array string) string // the elements of a JSON array, as rows of "value"
	strings func(array string) string // those of an array of strings
	tables  string                    // lists the names of tables
	now     string                    // milliseconds

	isAlone    bool     // one process has the database
	lockBytes  string   // keeps other processes from naming or removing the bytes of a digest
	bytesNamed string   // has a change end soon again that goes on with nothing
	lockJob    string   // keeps others from changing a job, or waits for them
	turnLocks  []string // of a tenant's turn: first of one that nobody has, then of any
	skipLocked string   // of a job that nobody has
}

var (
	sqliteDialect = dialect{
		goose:      goose.DialectSQLite3,
		migrations: "migrations/sqlite",
		objects:    func(array string) string { return "json_each(" + array + ")" },
		strings:    func(array string) string { return "json_each(" + array + ")" },
		tables:     `SELECT name FROM sqlite_schema WHERE type = 'table'`,
		now:        `CAST(unixepoch('subsec') * 1000 AS INTEGER)`,
		isAlone:    true,
		turnLocks:  []string{""},
	}
	postgresDialect = dialect{
		goose:      goose.DialectPostgres,
		migrations: "migrations/postgres",
		objects:    func(array string) string { return "json_array_elements(CAST(" + array + " AS json))" },
		strings:    func(array string) string { return "json_array_elements_text(CAST(" + array + " AS json))" },
		tables:     `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`,
		now:        `CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)`,
		lockBytes:  fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d, hashtext($1)), `, bytesLock) + setPatience(namePatience),
		bytesNamed: `SELECT ` + setPatience(writePatience),
		lockJob:    `SELECT 1 FROM jobs WHERE id = $1 FOR UPDATE`,
		turnLocks:  []string{" FOR UPDATE OF turns SKIP LOCKED", " FOR UPDATE OF turns"},
		skipLocked: " FOR UPDATE SKIP LOCKED",
	}
)
