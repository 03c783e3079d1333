package store

import (
	"errors"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// IsDiskFull recognises a full disk, or a quota that is used up, in what the
// file system and the databases return.
func IsDiskFull(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || hasCode(err, codeNoDiskSpace) {
		return true
	}
	failure, ok := errors.AsType[*sqlite.Error](err)
	return ok && (failure.Code()&0xff == sqlite3.SQLITE_FULL || // the rest of an extended code says more
		failure.Code() == sqlite3.SQLITE_IOERR_SHMSIZE) // no room for the index of the log
}

// IsReadOnly recognises a disk that was mounted read-only, or became so after an error, and
// a PostgreSQL that takes no changes.
func IsReadOnly(err error) bool {
	if errors.Is(err, syscall.EROFS) || hasCode(err, codeReadOnly) {
		return true
	}
	failure, ok := errors.AsType[*sqlite.Error](err)
	return ok && failure.Code()&0xff == sqlite3.SQLITE_READONLY
}
