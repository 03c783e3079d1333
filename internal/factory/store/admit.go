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
	orBeginAnew = "name the right --database-url and --blob-url if it has them, put the database back, or restore a backup of the whole; to begin anew, name an empty directory and, for PostgreSQL, an empty database"
	orAccept    = "name the right --blob-url if it has one, put the right one back or restore a backup of the whole; to go on with this database, and without what it does not know, run factory verify --accept"
)

// Admit tells whether a location may be opened, and changes nothing in it. It is refused
// with what to do when its database is missing, empty, damaged, newer than the program, or
// not the one that the bytes were last used with.
func (l Location) Admit(ctx context.Context) error {
	found, err := l.examine(ctx)
	if err != nil || found.version == 0 {
		return err
	}
	return found.compare(l.Blobs())
}

// examine looks at a database, and returns an error if it cannot be used at all. That of
// a new location has version 0.
func (l Location) examine(ctx context.Context) (*inspection, error) {
	engine, err := l.engine()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(l.refuseOtherEngine(), l.refuseOtherBytes()); err != nil {
		return nil, err
	}
	blobs, err := l.Blobs().Look(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = blobs.Close() }()                // it was only read
	known, unknown := notedGeneration(blobs, l.Blobs()) // before the database, which may go on meanwhile
	if errors.As(unknown, new(*blob.UnavailableError)) {
		return nil, unknown
	}
	found, err := engine.inspect(ctx)
	if err != nil {
		return nil, err
	}
	found.name, found.known, found.unknown = engine.name(), known, unknown
	if found.version == 0 {
		return found, found.checkNew(blobs, l.Blobs())
	}
	return found, found.checkUsable(engine.dialect())
}

// checkNew refuses a place without a database where there was one.
func (f *inspection) checkNew(blobs blob.Store, at blob.Location) error {
	if m := f.move(); m != nil {
		return m
	}
	used, err := f.besides(blobs)
	if err != nil || !used && f.tables == 0 {
		return err
	}
	why := f.absence
	if used {
		why += ", although the directory was used before"
		if at.Shared() {
			why = f.absence + ", although " + at.String() + " was used before"
		}
	}
	return fmt.Errorf("%s %s; nothing is removed: %s", f.name, why, orBeginAnew)
}

// checkUsable refuses a database that this program cannot use.
func (f *inspection) checkUsable(d dialect) error {
	newest, err := newestVersion(d)
	if err != nil {
		return err
	}
	if f.version > newest {
		return fmt.Errorf("%s was written by a newer program: it has version %d, and this program knows those up to %d; nothing is removed: start the newer program, or restore a backup from before the update", f.name, f.version, newest)
	}
	if f.damage != "" {
		return fmt.Errorf("%s is damaged (%s); nothing is removed: %s", f.name, f.damage, orBeginAnew)
	}
	return nil
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
	return fmt.Errorf("%s has the facts of this directory, in SQLite: factory migrate moves them to PostgreSQL; else leave --database-url out, or name an empty directory", path)
}

// refuseOtherBytes keeps bytes in the directory from being left behind unnoticed.
func (l Location) refuseOtherBytes() error {
	if !l.Blobs().Shared() {
		return nil
	}
	digests, err := blob.In(l.Directory).Digests()
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(digests) == 0 {
		return nil
	}
	return errors.Join(err, fmt.Errorf("%s has bytes of its own, which %s lacks: factory migrate moves them together with the facts; else leave --blob-url out, or name another --data-dir", l.Directory, l.BlobURL))
}

// compare tells an older database, and one of another directory.
func (f *inspection) compare(at blob.Location) error {
	none := generation{}
	if m := f.move(); m != nil {
		return m
	}
	switch {
	case f.unknown != nil:
		return fmt.Errorf("%w, so that nobody can tell whether %s is an older database; nothing is removed: %s", f.unknown, f.name, orAccept)
	case f.known == none && f.generation.number == 0: // before its first start with such a file
		return nil
	case f.known == none:
		return fmt.Errorf("%s is missing, so that nobody can tell whether %s is an older database; nothing is removed: %s", nameOfNote(at), f.name, orAccept)
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
func (f *inspection) besides(blobs blob.Store) (bool, error) {
	if f.known != (generation{}) || f.unknown != nil || f.remains {
		return true, nil
	}
	digests, err := blobs.Digests()
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
