package factory

import (
	"context"
	"log/slog"
	"strconv"
	"time"
)

// expiryInterval is how often expired files are removed, and how late one can be.
const expiryInterval = time.Minute

// maxFileHours is a year. Who counts in seconds asks for more, and is told.
const maxFileHours = 365 * 24

// expiresAt is when a file that is uploaded now expires, if it does: after the hours
// that the form's expiry says, or with the server's lifetime of files if that is
// sooner. No document of the hosted service names the unit; that of its signed URLs'
// expiry is hours.
func (f *Factory) expiresAt(upload *upload) (*int64, error) {
	lifetime := f.config.FileLifetime
	if text, given := upload.fields["expiry"]; given {
		hours, err := strconv.Atoi(text)
		if err != nil || hours < 1 || hours > maxFileHours {
			return nil, unprocessable("The expiry must be a number of hours from 1 to %d.", maxFileHours)
		}
		if wanted := time.Duration(hours) * time.Hour; lifetime == 0 || wanted < lifetime {
			lifetime = wanted
		}
	}
	if lifetime == 0 {
		return nil, nil
	}
	expiry := f.now().Add(lifetime).Unix()
	return &expiry, nil
}

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
