package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
)

// DamagedError says that a blob's bytes are not those of its digest, or are missing.
// The same bytes put them right when they are stored again.
type DamagedError struct {
	Digest  string
	Missing bool
}

func (e *DamagedError) Error() string {
	if e.Missing {
		return fmt.Sprintf("the bytes of blobs/%s are missing", e.Digest)
	}
	return fmt.Sprintf("the bytes of blobs/%s are damaged: their SHA-256 is another", e.Digest)
}

// Unwrap says of missing bytes what a file system does.
func (e *DamagedError) Unwrap() error {
	if e.Missing {
		return fs.ErrNotExist
	}
	return nil
}

// Verify reads a blob whole and returns it to its beginning.
func Verify(content Content) error {
	if _, err := io.Copy(io.Discard, content); err != nil {
		return err
	}
	_, err := content.Seek(0, io.SeekStart)
	return err
}

// verifiedContent is a blob that is open. Who reads it from its beginning gets its last
// bytes only if all are those of its digest.
type verifiedContent struct {
	content Content // not embedded: the WriteTo of a file would go past Read
	digest  string
	size    int64
	offset  int64
	hash    hash.Hash // of the bytes before hashed
	hashed  int64
}

func newVerifiedContent(content Content, digest string) (*verifiedContent, error) {
	info, err := content.Stat()
	if err != nil {
		return nil, err
	}
	return &verifiedContent{content: content, digest: digest, size: info.Size(), hash: sha256.New()}, nil
}

func (v *verifiedContent) Read(data []byte) (int, error) {
	n, err := v.content.Read(data)
	followed := v.offset == v.hashed // what was skipped cannot be told
	v.offset += int64(n)
	if !followed {
		return n, err
	}
	v.hash.Write(data[:n])
	v.hashed = v.offset
	whole := v.hashed >= v.size && n > 0 || errors.Is(err, io.EOF)
	if whole && hex.EncodeToString(v.hash.Sum(nil)) != v.digest {
		return 0, &DamagedError{Digest: v.digest}
	}
	return n, err
}

func (v *verifiedContent) Stat() (fs.FileInfo, error) { return v.content.Stat() }

func (v *verifiedContent) Close() error { return v.content.Close() }

// Seek begins anew at the beginning.
func (v *verifiedContent) Seek(offset int64, whence int) (int64, error) {
	position, err := v.content.Seek(offset, whence)
	if err != nil {
		return 0, err
	}
	if v.offset = position; position == 0 {
		v.hash.Reset()
		v.hashed = 0
	}
	return position, nil
}
