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

// Bring copies a blob to a store, unless that has it whole, and returns its size.
func Bring(to, from Store, digest string) (int64, error) {
	size, err := readWhole(to, digest)
	if !errors.As(err, new(*DamagedError)) {
		return size, err
	}
	source, err := from.Open(digest)
	if err != nil {
		return 0, err
	}
	defer source.Close()
	staged, err := to.Stage()
	if err != nil {
		return 0, err
	}
	defer staged.Discard()
	if _, err := io.Copy(staged, source); err != nil {
		return 0, err
	}
	if got, err := staged.Sync(); err != nil || got != digest {
		return 0, errors.Join(err, &DamagedError{Digest: digest})
	}
	return staged.Size(), staged.Name(digest)
}

func readWhole(from Store, digest string) (int64, error) {
	content, err := from.Open(digest)
	if err != nil {
		return 0, err
	}
	defer content.Close()
	return io.Copy(io.Discard, content)
}
