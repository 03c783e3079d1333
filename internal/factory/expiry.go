package factory

import (
	"context"
	"log/slog"
	"time"
)

// expiryInterval is how often expired files are removed, and how late one can be.
const expiryInterval = time.Minute

// expireFiles removes expired files until the context ends.
func (f *Factory) expireFiles(ctx context.Context) {
	ticker := time.NewTicker(expiryInterval)
	defer ticker.Stop()
	for {
		if err := f.store.RemoveExpiredFiles(ctx, f.now()); err != nil && ctx.Err() == nil {
			f.logger.ErrorContext(ctx, "expired files not removed", slog.Any("error", err))
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
