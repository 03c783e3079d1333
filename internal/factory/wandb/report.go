package wandb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"sync"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	historyFile = "wandb-history.jsonl"
	summaryFile = "wandb-summary.json"

	// sendPause is how long lines are gathered: a training reaches many in a second.
	sendPause = 5 * time.Second
	// heartbeat is how often a run is said to go on that has nothing else to tell.
	heartbeat = 30 * time.Second
	// finishTimeout is what is left to a report after the end of what it tells of.
	finishTimeout = time.Minute

	firstRetry = time.Second // twice as long each time
	lastRetry  = 30 * time.Second

	maxPending = 10_000 // lines that wait for a server that is away
	maxSent    = 1000   // lines of a request
)

// ErrGivenUp says that the server was away for too long.
var ErrGivenUp = errors.New("the server of Weights & Biases was away for too long")

// Outcome is how a training ends for its run.
type Outcome struct {
	preempted bool
	exitCode  int
}

// The outcomes of a training, by the exit codes of the processes that the open-source
// client reports: that of one that is interrupted is 255. A training that is Preempted
// goes on elsewhere.
var (
	Finished  = Outcome{}
	Failed    = Outcome{exitCode: 1}
	Cancelled = Outcome{exitCode: 255}
	Preempted = Outcome{preempted: true}
)

// Report tells of a training while it goes on. What it is told waits in memory, and
// nobody waits for the server.
type Report struct {
	client  *Client
	key     mistral.Key
	request RunRequest
	started time.Time

	wake    chan struct{} // something was logged
	ending  chan struct{} // closed when the training ends
	created chan struct{} // closed when the run is there, or will not be

	mutex   sync.Mutex
	pending []string
	dropped int
	summary map[string]any
	step    int64
	outcome *Outcome
	cancel  context.CancelCauseFunc // what sends; nil before and after
	timeout *time.Timer             // of a training that has ended
}

// NewReport is of a training that starts now. Send it.
func (c *Client) NewReport(key mistral.Key, request RunRequest, now time.Time) *Report {
	return &Report{
		client:  c,
		key:     key,
		request: request,
		started: now,
		wake:    make(chan struct{}, 1),
		ending:  make(chan struct{}),
		created: make(chan struct{}),
		step:    -1,
		summary: map[string]any{},
	}
}

// Log tells metrics of a step. Steps grow.
func (r *Report) Log(step int64, now time.Time, metrics map[string]float64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if step > r.step { // a training that goes on repeats steps
		r.log(step, now, metrics)
	}
}

// LogNext tells metrics of the step after the last one.
func (r *Report) LogNext(now time.Time, metrics map[string]float64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.log(r.step+1, now, metrics)
}

func (r *Report) log(step int64, now time.Time, metrics map[string]float64) {
	runtime := now.Sub(r.started).Seconds()
	line := map[string]any{"_step": step, "_timestamp": float64(now.UnixMilli()) / 1000, "_runtime": runtime}
	for name, value := range metrics {
		if !math.IsNaN(value) && !math.IsInf(value, 0) {
			line[name] = value
		}
	}
	encoded, _ := json.Marshal(line) // finite numbers
	r.step = step
	r.pending = append(r.pending, string(encoded))
	if surplus := len(r.pending) - maxPending; surplus > 0 {
		r.pending = r.pending[surplus:]
		r.dropped += surplus
	}
	maps.Copy(r.summary, line)
	r.summary["_wandb"] = map[string]any{"runtime": int64(runtime)}
	r.wakeUp()
}

// End says how the training ended. Only the first outcome counts.
func (r *Report) End(outcome Outcome) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.outcome != nil {
		return
	}
	r.outcome = &outcome
	close(r.ending)
	r.timeout = time.AfterFunc(finishTimeout, r.giveUp)
}

func (r *Report) giveUp() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.cancel != nil {
		r.cancel(ErrGivenUp)
	}
}

// Created is closed when the run is there, or will not be.
func (r *Report) Created() <-chan struct{} { return r.created }

// Send reports until the training has ended, or the context does. It tells of the run
// when there is one.
func (r *Report) Send(ctx context.Context, created func(Run)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	r.sending(cancel)
	defer r.sending(nil)
	defer cancel(nil)
	var run Run
	err := r.persist(ctx, func() (err error) {
		run, err = r.client.CreateRun(ctx, r.key, r.request)
		return err
	})
	if err == nil {
		created(run)
	}
	close(r.created)
	if err != nil {
		return err
	}
	return r.stream(ctx, run)
}

// sending takes how to give up, or nil when that is over.
func (r *Report) sending(cancel context.CancelCauseFunc) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.cancel = cancel
	if cancel == nil && r.timeout != nil {
		r.timeout.Stop()
	}
}

// stream sends what is logged as it comes, each line once.
func (r *Report) stream(ctx context.Context, run Run) error {
	sent := 0
	for pause := time.NewTimer(0); ; pause.Reset(sendPause) {
		r.gather(ctx, pause.C)
		told, sending, last := r.next(sent)
		if err := r.persist(ctx, func() error { return r.client.stream(ctx, r.key, run, told) }); err != nil {
			return err
		}
		sent += sending
		if last {
			return r.completeness()
		}
	}
}

// gather waits until there is something to tell and the pause is over, or the training
// has ended.
func (r *Report) gather(ctx context.Context, pause <-chan time.Time) {
	silence := time.NewTimer(heartbeat)
	defer silence.Stop()
	select {
	case <-r.wake:
	case <-silence.C:
	case <-r.ending:
		return
	case <-ctx.Done():
		return
	}
	select {
	case <-pause:
	case <-r.ending:
	case <-ctx.Done():
	}
}

// next is what is to be sent after the first lines, how many lines that is, and whether
// it is the last.
func (r *Report) next(sent int) (told chunk, sending int, last bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	sending = min(len(r.pending), maxSent)
	if sending > 0 {
		summary, _ := json.Marshal(r.summary) // finite numbers
		told.Files = map[string]lines{
			historyFile: {Offset: sent, Content: r.pending[:sending:sending]},
			summaryFile: {Content: []string{string(summary)}},
		}
		r.pending = r.pending[sending:]
	}
	if r.outcome == nil || len(r.pending) > 0 {
		if len(r.pending) > 0 {
			r.wakeUp()
		}
		return told, sending, false
	}
	if r.outcome.preempted {
		told.Preempting = new(true)
	} else {
		told.Complete, told.ExitCode = new(true), &r.outcome.exitCode
	}
	return told, sending, true
}

func (r *Report) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default: // it is awake
	}
}

// completeness is what a report that was sent lacks.
func (r *Report) completeness() error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.dropped > 0 {
		return fmt.Errorf("%w: %d losses are not reported", ErrGivenUp, r.dropped)
	}
	return nil
}

// persist makes a request until it is served, refused or the context ends. When the
// training ends, it does not wait for its turn.
func (r *Report) persist(ctx context.Context, call func() error) error {
	ending := r.ending
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		err := call()
		temporary, ok := errors.AsType[*temporaryError](err)
		if !ok {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", context.Cause(ctx), temporary)
		}
		wait := time.NewTimer(max(pause, min(temporary.after, lastRetry)))
		select {
		case <-wait.C:
		case <-ending:
			ending = nil // once
			pause = firstRetry / 2
		case <-ctx.Done():
		}
		wait.Stop()
	}
}
