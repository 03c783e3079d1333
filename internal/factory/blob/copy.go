package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// CopyTo copies blobs to a directory that has none. fs.ErrNotExist says that some
// were removed meanwhile.
func (d *Directory) CopyTo(ctx context.Context, to *Directory, digests []string) error {
	if err := os.MkdirAll(to.named, 0o700); err != nil {
		return err
	}
	for _, digest := range digests {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := copyBlob(d.path(digest), to.path(digest), digest); err != nil {
			return err
		}
	}
	return SyncDirectory(to.named)
}

// copyBlob makes sure that the copy is what its name says.
func copyBlob(from, to, digest string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	copied, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(copied, hash), source)
	if err := errors.Join(err, copied.Sync(), copied.Close()); err != nil {
		return err
	}
	if hex.EncodeToString(hash.Sum(nil)) != digest {
		return fmt.Errorf("%s is damaged: its bytes are not those of its name", from)
	}
	return nil
}
