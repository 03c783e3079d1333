// Package blob keeps bytes under the hex SHA-256 of what they are, in a directory or in
// a bucket of object storage. What they mean, and whether anybody still needs them, is
// for others to know.
package blob

import (
	"io"
	"io/fs"
)

// Store keeps blobs. They never change.
type Store interface {
	// Stage begins a blob. The caller discards it in the end, named or not.
	Stage() (Staged, error)
	// Open reads a blob. A *DamagedError says that it is not there or, when it was read from
	// its beginning to its end, that its bytes are not those of its digest.
	Open(digest string) (Content, error)
	// Remove is done as well when the blob is not there.
	Remove(digest string) error
	// Digests lists every blob.
	Digests() ([]string, error)

	// ReadNote reads a few bytes that are kept beside the blobs, or returns an
	// fs.ErrNotExist.
	ReadNote(name string) ([]byte, error)
	// WriteNote replaces them, as a whole.
	WriteNote(name string, content []byte) error

	// Close ends connections.
	Close() error
}

// Staged is a blob that is being written and has no name yet.
type Staged interface {
	io.Writer
	// Size is of what was written.
	Size() int64
	// Sync ends the writing and returns the digest.
	Sync() (digest string, err error)
	// Reader reads what was synced from its beginning.
	Reader() io.Reader
	// Name makes a synced blob last and gives it its name. The same bytes may have it already.
	Name(digest string) error
	Discard()
}

// Content of a blob that is open.
type Content interface {
	io.ReadSeekCloser
	Stat() (fs.FileInfo, error)
}
