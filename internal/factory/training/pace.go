package training

import (
	"context"
	"log/slog"
	"time"
)

// shortestMeasured is what a training must take to be measured: of shorter ones
// the most is reading and writing.
const shortestMeasured = time.Second

// learnPace measures a training, whose work is in bytes of text.
func (q *Queue) learnPace(ctx context.Context, work float64, took time.Duration) {
	if took < shortestMeasured {
		return
	}
	if err := q.store.LearnPace(ctx, work/took.Seconds()); err != nil {
		q.logger.WarnContext(ctx, "pace of training not recorded", slog.Any("error", err))
	}
}
