package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// What to do about a database that is not taken.
const (
	orBeginAnew = "name the right --database-url if it has one, put the database back, or restore a backup of the whole; to begin anew, name an empty directory and, for PostgreSQL, an empty database"
	orAccept    = "put the right one back or restore a backup of the whole; to go on with this database, and without what it does not know, run factory verify --accept"
)

// Admit tells whether a location may be opened, and changes nothing in it. It is refused
// with what to do when its database is missing, empty, damaged, newer than the program, or
// not the one that the bytes were last used with.
func (l Location) Admit(ctx context.Context) error {
	found, err := l.examine(ctx)
	if err != nil || found.version == 0 {
		return err
	}
	return found.compare(l.Directory)
}

// examine looks at a database, and returns an error if it cannot be used at all. That of
// a new location has version 0.
func (l Location) examine(ctx context.Context) (*inspection, error) {
	engine, err := l.engine()
	if err != nil {
		return nil, err
	}
	if err := l.refuseOtherEngine(); err != nil {
		return nil, err
	}
	known, unknown := fileGeneration(l.Directory) // before the database, which may go on meanwhile
	found, err := engine.inspect(ctx)
	if err != nil {
		return nil, err
	}
	found.name, found.known, found.unknown = engine.name(), known, unknown
	if found.version == 0 {
		used, err := found.besides(l.Directory)
		if err != nil || !used && found.tables == 0 {
			return found, err
		}
		why := found.absence
		if used {
			why += ", although the directory was used before"
		}
		return nil, fmt.Errorf("%s %s; nothing is removed: %s", found.name, why, orBeginAnew)
	}
	newest, err := newestVersion(engine.dialect())
	if err != nil {
		return nil, err
	}
	if found.version > newest {
		return nil, fmt.Errorf("%s was written by a newer program: it has version %d, and this program knows those up to %d; nothing is removed: start the newer program, or restore a backup from before the update", found.name, found.version, newest)
	}
	if found.damage != "" {
		return nil, fmt.Errorf("%s is damaged (%s); nothing is removed: %s", found.name, found.damage, orBeginAnew)
	}
	return found, nil
}

// refuseOtherEngine keeps facts in SQLite from being left behind unnoticed.
func (l Location) refuseOtherEngine() error {
	if l.DatabaseURL == "" {
		return nil
	}
	path := filepath.Join(l.Directory, DatabaseName)
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil
	}
	return fmt.Errorf("%s has the facts of this directory, in SQLite, and nothing moves them to PostgreSQL: leave --database-url out, or name an empty directory", path)
}

// compare tells an older database, and one of another directory.
func (f *inspection) compare(directory string) error {
	none := generation{}
	switch {
	case f.unknown != nil:
		return fmt.Errorf("%w, so that nobody can tell whether %s is an older database; nothing is removed: %s", f.unknown, f.name, orAccept)
	case f.known == none && f.generation.number == 0: // before its first start with such a file
		return nil
	case f.known == none:
		return fmt.Errorf("%s is missing, so that nobody can tell whether %s is an older database; nothing is removed: %s", filepath.Join(directory, generationName), f.name, orAccept)
	case f.generation == none:
		return fmt.Errorf("%s is older than the bytes beside it: it is from before an update of the factory; nothing is removed: %s", f.name, orBeginAnew)
	case f.generation.id != f.known.id:
		return fmt.Errorf("%s is not the database of the bytes beside it, but that of another directory or backup; nothing is removed: %s", f.name, orAccept)
	case f.generation.number < f.known.number:
		return fmt.Errorf("%s is older than the bytes beside it: it lacks the last %d changes; nothing is removed: %s", f.name, f.known.number-f.generation.number, orAccept)
	}
	return nil
}

// besides reports whether the directory has anything that only a database can explain.
func (f *inspection) besides(directory string) (bool, error) {
	if f.known != (generation{}) || f.unknown != nil || f.remains {
		return true, nil
	}
	digests, err := blob.In(directory).Digests()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return len(digests) > 0, err
}

// inspection is what can be told of a database without changing it.
type inspection struct {
	name       string
	absence    string // why there is none; "": there is
	remains    bool   // of changes, without their database
	tables     int    // besides that of the schema's version
	version    int64  // of the schema; 0: none
	damage     string
	generation generation // zero: it is from before there were any

	known   generation // what the file beside it says; zero: there is none
	unknown error      // why the file cannot be understood
}

func (f *inspection) damaged(err error) *inspection {
	f.version, f.damage = max(f.version, 1), err.Error()
	return f
}

func (f *inspection) read(ctx context.Context, database *sql.DB, d dialect) error {
	tables, err := collect(ctx, database, scanString, d.tables)
	if err != nil {
		return err
	}
	f.absence, f.tables = "has no tables of a factory", len(tables)
	for _, table := range tables {
		switch table {
		case "goose_db_version":
			f.tables-- // which a first start that was cut off may have left
			err = database.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&f.version)
		case "generation":
			f.generation, err = storedGeneration(ctx, database)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// newestVersion of the schema is the one that this program knows.
func newestVersion(d dialect) (int64, error) {
	newest := int64(0)
	entries, err := migrations.ReadDir(d.migrations)
	for _, entry := range entries {
		version, err := goose.NumericComponent(entry.Name())
		if err != nil {
			return 0, err
		}
		newest = max(newest, version)
	}
	return newest, err
}
