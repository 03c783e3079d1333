package factory

import (
	"context"
	"log/slog"
	"time"
)

// expiryInterval is how often expired files are removed, and how late one can be.
const expiryInterval = time.Minute

// expiresAt is when a file that is uploaded now expires, if files do.
func (f *Factory) expiresAt() *int64 {
	if f.config.FileLifetime == 0 {
		return nil
	}
	expiry := f.now().Add(f.config.FileLifetime).Unix()
	return &expiry
}

// expireFiles removes expired files until the context ends.
func (f *Factory) expireFiles(ctx context.Context) {
	ticker := time.NewTicker(expiryInterval)
	defer ticker.Stop()
	for {
		if err := f.store.removeExpiredFiles(ctx, f.now()); err != nil && ctx.Err() == nil {
			f.logger.ErrorContext(ctx, "expired files not removed", slog.Any("error", err))
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// removeExpiredFiles is a deletion of every tenant's files that have expired.
func (s *store) removeExpiredFiles(ctx context.Context, now time.Time) error {
	digests, err := collect(ctx, s.writer, scanString, `DELETE FROM files WHERE expires_at <= ? RETURNING digest`, now.Unix())
	if err != nil {
		return err
	}
	return s.releaseBlobs(ctx, digests...)
}
