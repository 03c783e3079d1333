package store

import (
	"context"
	"database/sql"
	"path/filepath"
)

// Location is where a factory keeps what it has.
type Location struct {
	Directory   string // of the bytes, and of the facts if they are in SQLite
	DatabaseURL string // of PostgreSQL with the facts; "": they are in SQLite
}

// engine is a database that facts can be kept in.
type engine interface {
	name() string // for people: without a password
	dialect() dialect
	// openWriter is for a process that serves or works: with SQLite the only one.
	openWriter() (*sql.DB, error)
	// openAlone fails while another process serves or works.
	openAlone() (*sql.DB, error)
	// exclusively keeps out other processes that begin the same.
	exclusively(ctx context.Context, writer *sql.DB, change func() error) error
	// openSession has a connection of its own; nil where no other process has anything to tell.
	openSession(ctx context.Context) (*session, error)
	// openBeside is for another one that changes something meanwhile.
	openBeside() (*sql.DB, error)
	openReader() (*sql.DB, error)
	// openUntouched reads so that not even a log changes.
	openUntouched() (*sql.DB, error)
	// inspect tells what is there without changing it.
	inspect(ctx context.Context) (*inspection, error)
	// check reads everything, and returns what is wrong.
	check(ctx context.Context, database *sql.DB) ([]string, error)
}

func (l Location) engine() (engine, error) {
	if l.DatabaseURL != "" {
		return parsePostgres(l.DatabaseURL)
	}
	return sqliteFile(filepath.Join(l.Directory, DatabaseName)), nil
}
