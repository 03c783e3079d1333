package training

import (
	"context"
	"log/slog"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// keepLeases says again and again that this process lives, as long as it has jobs, until the
// context ends.
func (q *Queue) keepLeases(ctx context.Context) {
	ticker := time.NewTicker(q.holder.Lease / heartbeats)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if err := q.renewLeases(ctx); err != nil && ctx.Err() == nil {
			q.logger.WarnContext(ctx, "cannot say that the jobs are worked on", slog.Any("error", err))
		}
	}
}

// renewLeases interrupts the work on jobs that were taken away, or cancelled without that this
// process was told.
func (q *Queue) renewLeases(ctx context.Context) error {
	held := q.heldJobs() // before the leases are read: of those that come meanwhile nothing is known
	if len(held) == 0 {
		return nil
	}
	renewed, err := q.store.RenewLeases(ctx, q.holder)
	if err != nil {
		return err
	}
	q.mutex.Lock()
	defer q.mutex.Unlock()
	for _, claimed := range held {
		if q.claims[claimed.job.ID] != claimed {
			continue // its worker has let go of it
		}
		switch status, ok := renewed[claimed.job.Lease().Number]; {
		case !ok: // or its worker is about to let go of it, and done
			claimed.interrupt(store.ErrLeaseLost)
		case status == mistral.JobCancellationRequested:
			claimed.interrupt(errCancelled)
		}
	}
	return nil
}

func (q *Queue) heldJobs() (held []*claim) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	for _, claimed := range q.claims {
		held = append(held, claimed)
	}
	return held
}
