package store

import (
	"context"
	"database/sql"
	"math"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// AddCheckpoints records how far a running job is.
func (s *Store) AddCheckpoints(ctx context.Context, lease Lease, checkpoints []mistral.Checkpoint) error {
	return s.writeHeld(ctx, lease, func(tx *sql.Tx) error {
		for _, checkpoint := range checkpoints {
			if _, err := tx.ExecContext(ctx, `
				INSERT INTO checkpoints (job_id, step, train_loss, valid_loss, created_at) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (job_id, step) DO UPDATE
				SET train_loss = excluded.train_loss, valid_loss = excluded.valid_loss, created_at = excluded.created_at`,
				lease.JobID, checkpoint.StepNumber, checkpoint.Metrics.TrainLoss, checkpoint.Metrics.ValidLoss, checkpoint.CreatedAt); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE jobs SET modified_at = $1 WHERE id = $2`, checkpoints[len(checkpoints)-1].CreatedAt, lease.JobID)
		return err
	})
}

// DeleteCheckpoints removes those after a step.
func (s *Store) DeleteCheckpoints(ctx context.Context, lease Lease, after int) error {
	return s.writeHeld(ctx, lease, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM checkpoints WHERE job_id = $1 AND step > $2`, lease.JobID, after)
		return err
	})
}

// scanCheckpoint gives a step that was not evaluated the zeros of the hosted service:
// its notebooks draw the losses that are not 0.
func scanCheckpoint(r row) (checkpoint mistral.Checkpoint, err error) {
	metrics := &checkpoint.Metrics
	err = r.Scan(&checkpoint.StepNumber, &metrics.TrainLoss, &metrics.ValidLoss, &checkpoint.CreatedAt)
	if metrics.ValidLoss == nil {
		metrics.ValidLoss, metrics.ValidMeanTokenAccuracy = new(0.0), new(0.0)
		return checkpoint, err
	}
	metrics.ValidMeanTokenAccuracy = new(math.Exp2(*metrics.ValidLoss))
	return checkpoint, err
}
