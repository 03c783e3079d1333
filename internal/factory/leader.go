package factory

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// leaseInterval is how often it is looked for leases that have expired.
const leaseInterval = time.Second

// lead does what one server of all on a database does, until the context ends.
func (f *Factory) lead(ctx context.Context) {
	var tasks sync.WaitGroup
	tasks.Go(func() { f.expire(ctx) })
	tasks.Go(func() { f.removeUnreferenced(ctx) })
	tasks.Go(func() { f.expireLeases(ctx) })
	tasks.Wait()
}

// expireLeases gives the jobs of processes that are silent to others. A new leader gives all of
// them the time of a lease to speak first: it may be new because nobody could.
func (f *Factory) expireLeases(ctx context.Context) {
	next := time.NewTimer(f.config.Lease)
	defer next.Stop()
	for {
		select {
		case <-next.C:
		case <-ctx.Done():
			return
		}
		if err := f.store.ExpireLeases(ctx, f.config.Clock()); err != nil && ctx.Err() == nil {
			f.config.Logger.ErrorContext(ctx, "jobs of silent processes not given to others", slog.Any("error", err))
		}
		next.Reset(leaseInterval)
	}
}
