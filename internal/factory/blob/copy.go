package blob

import (
	"context"
	"errors"
	"io"
	"os"
)

// CopyTo copies blobs to a directory that has none. fs.ErrNotExist says that some
// were removed meanwhile.
func CopyTo(ctx context.Context, to *Directory, from Store, digests []string) error {
	if err := os.MkdirAll(to.named, 0o700); err != nil {
		return err
	}
	for _, digest := range digests {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := copyBlob(to, from, digest); err != nil {
			return err
		}
	}
	return SyncDirectory(to.named)
}

func copyBlob(to *Directory, from Store, digest string) error {
	source, err := from.Open(digest)
	if err != nil {
		return err
	}
	defer source.Close()
	copied, err := os.OpenFile(to.path(digest), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(copied, source)
	return errors.Join(err, copied.Sync(), copied.Close())
}
