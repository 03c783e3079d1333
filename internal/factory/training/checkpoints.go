package training

import (
	"context"
	"log/slog"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// checkpointPause is how long checkpoints are gathered: a small training reaches more
// of them in a second than a disk can make last one by one.
const checkpointPause = 250 * time.Millisecond

// checkpointRecorder writes a job's checkpoints down while it is trained.
type checkpointRecorder struct {
	queue   *Queue
	ctx     context.Context // which the end of the training does not end
	job     string
	lease   store.Lease
	began   bool
	pending []mistral.Checkpoint
	written time.Time
}

func (q *Queue) newCheckpointRecorder(ctx context.Context, j *store.Job) *checkpointRecorder {
	return &checkpointRecorder{queue: q, ctx: context.WithoutCancel(ctx), job: j.ID, lease: j.Lease(), written: q.now()}
}

// begin forgets the checkpoints of an attempt before this one, but for those up to the step
// from which this one goes on.
func (r *checkpointRecorder) begin(step int) {
	if r.began {
		return
	}
	r.began = true
	if err := r.queue.store.DeleteCheckpoints(r.ctx, r.lease, step); err != nil {
		r.queue.logger.WarnContext(r.ctx, "earlier checkpoints not removed", slog.String("job", r.job), slog.Any("error", err))
	}
}

// resumed says from which step a training goes on.
func (r *checkpointRecorder) resumed(step int) {
	r.begin(step)
	r.queue.logger.InfoContext(r.ctx, "training goes on", slog.String("job", r.job), slog.Int("step", step))
	err := r.queue.store.UpdateHeldJob(r.ctx, r.lease, func(j *store.Job) error {
		j.Resumed(step, r.queue.now())
		return nil
	})
	if err != nil {
		r.queue.logger.WarnContext(r.ctx, "the step at which a training goes on is not recorded", slog.String("job", r.job), slog.Any("error", err))
	}
}

// reached takes in a checkpoint. What is gathered is written once the pause is over.
func (r *checkpointRecorder) reached(checkpoint classifier.Checkpoint) {
	r.begin(0)
	now := r.queue.now()
	recorded := mistral.Checkpoint{StepNumber: int64(checkpoint.Step), CreatedAt: now.Unix()}
	recorded.Metrics.TrainLoss = &checkpoint.TrainLoss
	if checkpoint.Evaluated {
		recorded.Metrics.ValidLoss = &checkpoint.ValidLoss
	}
	r.pending = append(r.pending, recorded)
	if now.Sub(r.written) >= checkpointPause {
		r.write()
	}
}

// write does not stop a training whose checkpoints it cannot write.
func (r *checkpointRecorder) write() {
	if len(r.pending) == 0 {
		return
	}
	if err := r.queue.store.AddCheckpoints(r.ctx, r.lease, r.pending); err != nil {
		r.queue.logger.WarnContext(r.ctx, "checkpoints not recorded", slog.String("job", r.job), slog.Any("error", err))
	}
	r.queue.reports.reached(r.job, r.pending)
	r.pending, r.written = nil, r.queue.now()
}
