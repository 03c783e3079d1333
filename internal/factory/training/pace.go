package training

import (
	"context"
	"log/slog"
	"runtime"
	"time"
)

// shortestMeasured is what a training must take to be measured: of shorter ones
// the most is reading and writing.
const shortestMeasured = time.Second

// learnPace measures a training by the time that processors gave it: how many others there
// are for them says nothing of the next.
func (q *Queue) learnPace(ctx context.Context, work float64, took time.Duration) {
	if took < shortestMeasured {
		return
	}
	if err := q.store.LearnPace(ctx, work/took.Seconds()); err != nil {
		q.logger.WarnContext(ctx, "pace of training not recorded", slog.Any("error", err))
	}
}

// usualFits are those of a training that learns from rows in several ways.
const usualFits = 6

// trainingProcessors are as many as a child makes fits on at a time. The server itself takes
// one more processor than there are, later than this is counted.
var trainingProcessors = float64(min(max(runtime.GOMAXPROCS(0)-1, 1), usualFits))
