package api

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// useInterval is how often the last use of a key is written down.
const useInterval = time.Minute

// keyUses are those that are not written down yet. No request waits for that.
type keyUses struct {
	mutex   sync.Mutex
	noted   map[string]time.Time // by the key's ID
	pending map[string]int64
	wake    chan struct{}
}

func newKeyUses() *keyUses {
	return &keyUses{noted: map[string]time.Time{}, pending: map[string]int64{}, wake: make(chan struct{}, 1)}
}

// note has a use written down, unless one of the last minute is.
func (u *keyUses) note(key *store.Key, now time.Time) {
	if key.LastUsedAt != nil && now.Sub(time.Unix(*key.LastUsedAt, 0)) < useInterval {
		return
	}
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if last, ok := u.noted[key.ID]; ok && now.Sub(last) < useInterval {
		return
	}
	if len(u.noted) >= maxCachedKeys {
		clear(u.noted)
	}
	u.noted[key.ID] = now
	u.pending[key.ID] = now.Unix()
	select {
	case u.wake <- struct{}{}:
	default: // it is awake
	}
}

func (u *keyUses) take() map[string]int64 {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	taken := u.pending
	u.pending = map[string]int64{}
	return taken
}

// RecordKeyUses writes down when keys were used last, until the context ends.
func (s *Server) RecordKeyUses(ctx context.Context) {
	for {
		select {
		case <-s.uses.wake:
		case <-ctx.Done():
			return
		}
		if err := s.store.RecordKeyUses(ctx, s.uses.take()); err != nil && ctx.Err() == nil {
			s.logger.ErrorContext(ctx, "last use of keys not recorded", slog.Any("error", err))
		}
	}
}
