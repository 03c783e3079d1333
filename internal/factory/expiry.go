package factory

import (
	"context"
	"log/slog"
	"time"
)

// expiryInterval is how often expired files and jobs are removed, and how late one can be.
const expiryInterval = time.Minute

// expire removes expired files and jobs until the context ends.
func (f *foundation) expire(ctx context.Context) {
	ticker := time.NewTicker(expiryInterval)
	defer ticker.Stop()
	for {
		if err := f.store.RemoveExpiredFiles(ctx, f.config.Clock()); err != nil && ctx.Err() == nil {
			f.config.Logger.ErrorContext(ctx, "expired files not removed", slog.Any("error", err))
		}
		if err := f.expireJobs(ctx); err != nil && ctx.Err() == nil {
			f.config.Logger.ErrorContext(ctx, "expired jobs not removed", slog.Any("error", err))
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (f *foundation) expireJobs(ctx context.Context) error {
	if f.config.JobLifetime == 0 {
		return nil
	}
	return f.store.ExpireJobs(ctx, f.config.JobLifetime, f.config.Clock())
}
