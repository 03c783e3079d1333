package factory

import (
	"context"
	"log/slog"
	"time"
)

// unreferencedInterval is how often unreferenced bytes are looked for.
const unreferencedInterval = time.Hour

// removeUnreferenced removes bytes that nobody has needed for a day, until the context
// ends.
func (f *foundation) removeUnreferenced(ctx context.Context) {
	ticker := time.NewTicker(unreferencedInterval)
	defer ticker.Stop()
	for {
		removed, err := f.store.RemoveUnreferenced(ctx, f.config.Clock())
		if err != nil && ctx.Err() == nil {
			f.config.Logger.ErrorContext(ctx, "unreferenced bytes not removed", slog.Any("error", err))
		}
		if removed > 0 {
			f.config.Logger.InfoContext(ctx, "bytes removed that nothing referred to for a day", slog.Int("blobs", removed))
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
