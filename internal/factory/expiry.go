package factory

import (
	"context"
	"log/slog"
	"time"
)

// expiryInterval is how often expired files and jobs are removed, and how late one can be.
const expiryInterval = time.Minute

// expire removes expired files and jobs until the context ends.
func (f *Factory) expire(ctx context.Context) {
	ticker := time.NewTicker(expiryInterval)
	defer ticker.Stop()
	for {
		if err := f.store.RemoveExpiredFiles(ctx, f.now()); err != nil && ctx.Err() == nil {
			f.logger.ErrorContext(ctx, "expired files not removed", slog.Any("error", err))
		}
		if err := f.expireJobs(ctx); err != nil && ctx.Err() == nil {
			f.logger.ErrorContext(ctx, "expired jobs not removed", slog.Any("error", err))
		}
		if err := f.queue.ForgetEndedKeys(ctx); err != nil && ctx.Err() == nil {
			f.logger.ErrorContext(ctx, "keys of ended jobs not forgotten", slog.Any("error", err))
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (f *Factory) expireJobs(ctx context.Context) error {
	if f.jobLifetime == 0 {
		return nil
	}
	return f.store.ExpireJobs(ctx, f.jobLifetime, f.now())
}
