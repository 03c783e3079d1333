package store

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// DatabaseName is that of SQLite's file in the directory.
const DatabaseName = "factory.db"

// sqliteFile is the path of a SQLite database.
type sqliteFile string

func (f sqliteFile) name() string   { return string(f) }
func (sqliteFile) dialect() dialect { return sqliteDialect }

// openWriter has one connection. SQLite has one writer at a time, so that others wait in Go
// and never fail as busy; readers see the last commit meanwhile.
func (f sqliteFile) openWriter() (*sql.DB, error) {
	if err := makePrivate(string(f)); err != nil {
		return nil, err
	}
	writer, err := f.openBeside()
	if err == nil {
		writer.SetMaxOpenConns(1)
	}
	return writer, err
}

// openAlone needs no more than openWriter: the lock on the directory is its caller's.
func (f sqliteFile) openAlone() (*sql.DB, error) { return f.openWriter() }

func (sqliteFile) exclusively(_ context.Context, _ *sql.DB, change func() error) error {
	return change()
}

// openSession is of no use: no other process has anything to tell.
func (sqliteFile) openSession(context.Context) (*session, error) { return nil, nil }

func (f sqliteFile) openBeside() (*sql.DB, error) { return f.open("_txlock=immediate") }

func (f sqliteFile) openReader() (*sql.DB, error) { return f.open("_pragma=query_only(1)") }

// open opens SQLite so that a commit is on disk when it returns: in WAL mode that takes
// synchronous=FULL.
func (f sqliteFile) open(options string) (*sql.DB, error) {
	pragmas := "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=cache_size(-16000)"
	return sql.Open("sqlite", f.source(pragmas+"&"+options))
}

func (f sqliteFile) source(options string) string {
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: string(f)}).EscapedPath(), RawQuery: options}).String()
}

// openUntouched leaves even the log as it is. On a disk that is read-only there may be no
// log to read.
func (f sqliteFile) openUntouched() (*sql.DB, error) {
	options := "mode=ro&_pragma=busy_timeout(10000)"
	if log, err := os.Stat(string(f) + "-wal"); (err != nil || log.Size() == 0) && errors.Is(syscall.Access(filepath.Dir(string(f)), 2), syscall.EROFS) {
		options += "&immutable=1"
	}
	return sql.Open("sqlite", f.source(options))
}

// makePrivate is for SQLite's files what 0600 is for others: it creates its log like the
// database. What another user owns is as he wants it.
func makePrivate(database string) error {
	file, err := os.OpenFile(database, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		err := os.Chmod(database+suffix, 0o600)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}

func (f sqliteFile) inspect(ctx context.Context) (*inspection, error) {
	found := &inspection{}
	if log, err := os.Stat(string(f) + "-wal"); err == nil && log.Size() > 0 {
		found.remains = true
	}
	info, err := os.Stat(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		found.absence = "is missing"
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		found.absence = "is empty"
		return found, nil // SQLite would remove its log
	}
	writable, err := f.isWritable()
	if err != nil {
		return nil, err
	}
	if !writable {
		return found.damaged(errors.New("its header is of another format")), nil
	}
	database, err := f.openUntouched()
	if err != nil {
		return nil, err
	}
	defer func() { _ = database.Close() }() // it was only read
	err = found.read(ctx, database, sqliteDialect)
	if err == nil {
		found.damage, err = quickCheck(ctx, database)
	}
	if failure, ok := errors.AsType[*sqlite.Error](err); ok && isDamage(failure) {
		return found.damaged(failure), nil
	}
	return found, err
}

func quickCheck(ctx context.Context, database *sql.DB) (damage string, err error) {
	problems, err := collect(ctx, database, scanString, `PRAGMA quick_check(1)`)
	if report := oneLine(strings.Join(problems, "; ")); err == nil && report != "ok" {
		damage = report
	}
	return damage, err
}

func (f sqliteFile) check(ctx context.Context, database *sql.DB) ([]string, error) {
	problems, err := collect(ctx, database, scanString, `PRAGMA integrity_check`)
	if err != nil {
		return nil, err
	}
	broken, err := collect(ctx, database, scanString, `SELECT DISTINCT "table" || ' refers to rows of ' || parent || ' that are not there' FROM pragma_foreign_key_check`)
	return append(slices.DeleteFunc(problems, func(p string) bool { return p == "ok" }), broken...), err
}

// oneLine is for reports of SQLite, which have several.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func isDamage(failure *sqlite.Error) bool {
	switch failure.Code() & 0xff { // the rest of an extended code says more
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR: // the last of a schema without sense
		return true
	}
	return false
}

// isWritable is false of a header that has SQLite refuse every change, as if the disk
// were read-only.
func (f sqliteFile) isWritable() (bool, error) {
	file, err := os.Open(string(f))
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
