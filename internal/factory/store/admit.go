package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// What to do about a database that is not taken.
const (
	orBeginAnew = "put the database back or restore a backup of the whole directory; to begin anew, name an empty directory"
	orAccept    = "put the right one back or restore a backup of the whole directory; to go on with this database, and without what it does not know, run factory verify --accept"
)

// Admit tells whether a directory may be opened, and changes nothing in it. It is
// refused with what to do when its database is missing, empty, damaged, newer than the
// program, or not the one that the bytes were last used with.
func Admit(ctx context.Context, directory string) error {
	found, err := examine(ctx, directory)
	if err != nil || found.version == 0 {
		return err
	}
	return found.compare(directory)
}

// examine looks at a database, and returns an error if it cannot be used at all. That of
// a new directory has version 0.
func examine(ctx context.Context, directory string) (*inspection, error) {
	path := filepath.Join(directory, DatabaseName)
	known, unknown := fileGeneration(directory) // before the database, which may go on meanwhile
	found, err := inspect(ctx, path)
	if err != nil {
		return nil, err
	}
	found.known, found.unknown = known, unknown
	if found.version == 0 {
		used, err := found.besides(directory)
		if err != nil || !used && found.tables == 0 {
			return found, err
		}
		return nil, fmt.Errorf("%s %s, although the directory was used before; nothing is removed: %s", path, found.absence(), orBeginAnew)
	}
	newest, err := newestVersion()
	if err != nil {
		return nil, err
	}
	if found.version > newest {
		return nil, fmt.Errorf("%s was written by a newer program: it has version %d, and this program knows those up to %d; nothing is removed: start the newer program, or restore a backup from before the update", path, found.version, newest)
	}
	if found.damage != "" {
		return nil, fmt.Errorf("%s is damaged (%s); nothing is removed: %s", path, found.damage, orBeginAnew)
	}
	return found, nil
}

// compare tells an older database, and one of another directory.
func (f *inspection) compare(directory string) error {
	path, none := filepath.Join(directory, DatabaseName), generation{}
	switch {
	case f.unknown != nil:
		return fmt.Errorf("%w, so that nobody can tell whether %s is an older database; nothing is removed: %s", f.unknown, path, orAccept)
	case f.known == none && f.generation.number == 0: // before its first start with such a file
		return nil
	case f.known == none:
		return fmt.Errorf("%s is missing, so that nobody can tell whether %s is an older database; nothing is removed: %s", filepath.Join(directory, generationName), path, orAccept)
	case f.generation == none:
		return fmt.Errorf("%s is older than the bytes beside it: it is from before an update of the factory; nothing is removed: %s", path, orBeginAnew)
	case f.generation.id != f.known.id:
		return fmt.Errorf("%s is not the database of the bytes beside it, but that of another directory or backup; nothing is removed: %s", path, orAccept)
	case f.generation.number < f.known.number:
		return fmt.Errorf("%s is older than the bytes beside it: it lacks the last %d changes; nothing is removed: %s", path, f.known.number-f.generation.number, orAccept)
	}
	return nil
}

// besides reports whether the directory has anything that only a database can explain.
func (f *inspection) besides(directory string) (bool, error) {
	if f.known != (generation{}) || f.unknown != nil {
		return true, nil
	}
	if log, err := os.Stat(filepath.Join(directory, DatabaseName+"-wal")); err == nil && log.Size() > 0 {
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
	missing    bool
	size       int64
	tables     int
	version    int64 // of the schema; 0: none
	damage     string
	generation generation // zero: it is from before there were any

	known   generation // what the file beside it says; zero: there is none
	unknown error      // why the file cannot be understood
}

func (f *inspection) absence() string {
	switch {
	case f.missing:
		return "is missing"
	case f.size == 0:
		return "is empty"
	}
	return "has no tables of a factory"
}

func inspect(ctx context.Context, path string) (*inspection, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &inspection{missing: true}, nil
	}
	if err != nil {
		return nil, err
	}
	found := &inspection{size: info.Size()}
	if found.size == 0 {
		return found, nil // SQLite would remove its log
	}
	writable, err := isWritable(path)
	if err != nil {
		return nil, err
	}
	if !writable {
		return found.damaged(errors.New("its header is of another format")), nil
	}
	database, err := openReadOnly(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = database.Close() }() // it was only read
	err = found.read(ctx, database)
	if failure, ok := errors.AsType[*sqlite.Error](err); ok && isDamage(failure) {
		return found.damaged(failure), nil
	}
	return found, err
}

func (f *inspection) damaged(err error) *inspection {
	f.version, f.damage = max(f.version, 1), err.Error()
	return f
}

func (f *inspection) read(ctx context.Context, database *sql.DB) error {
	tables, err := collect(ctx, database, scanString, `SELECT name FROM sqlite_schema WHERE type = 'table'`)
	if err != nil {
		return err
	}
	f.tables = len(tables)
	for _, table := range tables {
		switch table {
		case "goose_db_version":
			err = database.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&f.version)
		case "generation":
			f.generation, err = storedGeneration(ctx, database)
		}
		if err != nil {
			return err
		}
	}
	problems, err := collect(ctx, database, scanString, `PRAGMA quick_check(1)`)
	if report := oneLine(strings.Join(problems, "; ")); err == nil && report != "ok" {
		f.damage = report
	}
	return err
}

// newestVersion of the schema is the one that this program knows.
func newestVersion() (int64, error) {
	scripts, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, err
	}
	newest := int64(0)
	entries, err := fs.ReadDir(scripts, ".")
	for _, entry := range entries {
		version, err := goose.NumericComponent(entry.Name())
		if err != nil {
			return 0, err
		}
		newest = max(newest, version)
	}
	return newest, err
}

func isDamage(failure *sqlite.Error) bool {
	switch failure.Code() & 0xff { // the rest of an extended code says more
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR: // the last of a schema without sense
		return true
	}
	return false
}

// isWritable is false of a header that has SQLite refuse every change, as if the disk
// were read-only.
func isWritable(path string) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	const position, newest = 18, 2 // of the version of the format for writing
	header := make([]byte, position+1)
	if _, err = io.ReadFull(file, header); errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	}
	return header[position] <= newest, err
}

// openReadOnly opens SQLite so that not even its log is touched. On a disk that is
// read-only there may be no log to read.
func openReadOnly(path string) (*sql.DB, error) {
	options := "mode=ro&_pragma=busy_timeout(10000)"
	if log, err := os.Stat(path + "-wal"); (err != nil || log.Size() == 0) && errors.Is(syscall.Access(filepath.Dir(path), 2), syscall.EROFS) {
		options += "&immutable=1"
	}
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options}).String())
}
