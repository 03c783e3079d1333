// Package training runs jobs: who is next, whether the files can be trained on, what a
// job will cost, the training itself and how good its model is. It answers no requests.
package training

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// errCancelled ends a job's stage because a tenant wants it so.
var errCancelled = errors.New("the job is cancelled")

const (
	// retryDelay is how long a worker waits when the database fails.
	retryDelay = time.Second
	// pollInterval is how long a job can wait that nobody was told of.
	pollInterval = 5 * time.Second
	// DefaultLease is how long a process may be silent before its jobs are given to others:
	// longer than PostgreSQL takes to restart.
	DefaultLease = 15 * time.Second
	// heartbeats are made in the time of a lease.
	heartbeats = 3
)

// Queue runs jobs, a bounded number at a time. What is queued, and who has it, is in the store
// alone, which several processes may have; the queue knows what is being worked on here.
type Queue struct {
	store          *store.Store
	blobs          blob.Store
	directory      string // of the blobs
	baseModels     basemodels.Models
	encoders       basemodels.Encoders
	scratch        string // a folder for what trainings put aside
	trainingMemory int64
	logger         *slog.Logger
	now            func() time.Time
	stageSeconds   *prometheus.HistogramVec
	leasesLost     prometheus.Counter
	tracer         trace.Tracer
	reports        *reports
	holder         store.Holder

	wake    map[store.Stage]chan struct{}
	stop    context.CancelCauseFunc
	workers sync.WaitGroup

	mutex  sync.Mutex // held while a job is claimed or cancelled: neither sees half of the other
	claims map[string]*claim
}

// validators is how many jobs are validated at a time, beside those that are trained:
// it is short, and somebody waits for its answer. A tenant has one of them at most.
const validators = 2

// claim is a job that a worker has. When it is validated, another worker may have it
// for training before the first one has let go of it.
type claim struct {
	job       store.Job
	interrupt context.CancelCauseFunc
}

// Config says what a queue stands on.
type Config struct {
	Store          *store.Store
	Blobs          blob.Store
	BlobDirectory  string // of Blobs, for the processes that train
	BaseModels     basemodels.Models
	Encoders       basemodels.Encoders // that BaseModels were opened with
	Scratch        string              // a folder on a disk for what trainings put aside
	TrainingMemory int64               // bytes that a training may take
	Holder         store.Holder        // this process
	Logger         *slog.Logger
	Clock          func() time.Time
	Registry       prometheus.Registerer
	Tracer         trace.Tracer // default: none
}

// NewQueue has a queue without workers: see Start.
func NewQueue(config Config) *Queue {
	q := &Queue{
		store:          config.Store,
		blobs:          config.Blobs,
		directory:      config.BlobDirectory,
		baseModels:     config.BaseModels,
		encoders:       config.Encoders,
		scratch:        config.Scratch,
		trainingMemory: config.TrainingMemory,
		logger:         config.Logger,
		now:            config.Clock,
		tracer:         config.Tracer,
		reports:        newReports(config.Store, config.Logger, config.Clock),
		stageSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "classifier_factory_job_stage_duration_seconds",
			Help:    "How long jobs were VALIDATING or RUNNING.",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 10), // to 43 minutes
		}, []string{"stage"}),
		leasesLost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "classifier_factory_leases_lost_total",
			Help: "How many jobs were taken from this process because it was silent for too long.",
		}),
		holder: config.Holder,
		wake:   map[store.Stage]chan struct{}{store.Validating: make(chan struct{}, 1), store.Training: make(chan struct{}, 1)},
		claims: map[string]*claim{},
		stop:   func(error) {},
	}
	if q.tracer == nil {
		q.tracer = noop.Tracer{}
	}
	config.Registry.MustRegister(q.stageSeconds, q.leasesLost)
	return q
}

// Start begins to validate jobs, and to train as many at a time as there are trainers. A queue that
// is not started leaves all jobs to other processes.
func (q *Queue) Start(trainers int) {
	var ctx context.Context
	ctx, q.stop = context.WithCancelCause(context.Background())
	for range validators {
		q.workers.Go(func() { q.work(ctx, store.Validating) })
	}
	for range trainers {
		q.workers.Go(func() { q.work(ctx, store.Training) })
	}
	q.workers.Go(func() { q.keepLeases(ctx) })
}

// Close interrupts the workers and waits for them: their jobs are queued again at once.
func (q *Queue) Close() {
	q.stop(store.ErrInterrupted)
	q.workers.Wait()
	q.reports.close()
}

// Notify says that a job may have been queued.
func (q *Queue) Notify() {
	for _, wake := range q.wake {
		select {
		case wake <- struct{}{}:
		default: // a worker is about to look anyway
		}
	}
}

// work does a stage of one job after the other.
func (q *Queue) work(ctx context.Context, stage store.Stage) {
	for ctx.Err() == nil {
		jobContext, claimed, err := q.claim(ctx, stage)
		switch {
		case err == nil:
			q.Notify() // there may be another for the next worker
			if err := q.run(jobContext, &claimed.job); err != nil {
				q.record(ctx, &claimed.job, err)
			}
			q.reports.settle(ctx, claimed.job.Tenant, claimed.job.ID)
			q.release(claimed)
		case errors.Is(err, store.ErrNotFound):
			q.wait(ctx, stage, time.After(pollInterval))
		case ctx.Err() == nil:
			q.logger.ErrorContext(ctx, "cannot take a job from the queue", slog.Any("error", err))
			q.wait(ctx, stage, time.After(retryDelay))
		}
	}
}

func (q *Queue) wait(ctx context.Context, stage store.Stage, timeout <-chan time.Time) {
	select {
	case <-q.wake[stage]:
	case <-timeout:
	case <-ctx.Done():
	}
}

// claim takes the next job of a stage. Its context ends when it is cancelled, or taken away.
func (q *Queue) claim(ctx context.Context, stage store.Stage) (context.Context, *claim, error) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	j, err := q.store.ClaimJob(ctx, stage, q.holder, q.now())
	if err != nil {
		return nil, nil, err
	}
	jobContext, interrupt := context.WithCancelCause(ctx)
	claimed := &claim{job: j, interrupt: interrupt}
	q.claims[j.ID] = claimed
	return jobContext, claimed, nil
}

func (q *Queue) release(claimed *claim) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	claimed.interrupt(nil)
	if q.claims[claimed.job.ID] == claimed {
		delete(q.claims, claimed.job.ID)
	}
}

// Cancel ends a job that waits, and interrupts one that is being worked on.
func (q *Queue) Cancel(ctx context.Context, tenant, id string) error {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	var cancelled store.Job
	err := q.store.UpdateJobOf(ctx, tenant, id, func(j *store.Job) error {
		j.Cancel(q.now())
		cancelled = *j
		return nil
	})
	if err != nil {
		return err
	}
	if claimed, ok := q.claims[id]; ok {
		claimed.interrupt(errCancelled)
	} // else the process that has it is told by the database
	if !cancelled.Status.Finished() {
		return nil // its worker will end it
	}
	q.removeFolders(ctx, id)
	q.reports.settle(ctx, tenant, id)
	return q.store.ReleaseInputs(context.WithoutCancel(ctx), &cancelled)
}

// Hear takes in what was changed in the database, mostly by another process.
func (q *Queue) Hear(change store.Change) {
	switch change.Kind {
	case store.JobQueued, store.AnyChanged:
		q.Notify()
	case store.JobCancelled:
		q.interrupt(change.ID)
	}
}

// interrupt ends the work on a job that was cancelled by another process, if it is done here.
func (q *Queue) interrupt(id string) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if claimed, ok := q.claims[id]; ok {
		claimed.interrupt(errCancelled)
	}
}

// run does a job's present stage, and returns why it is not done.
func (q *Queue) run(ctx context.Context, j *store.Job) error {
	started := q.now()
	ctx, span := q.tracer.Start(ctx, "job "+string(j.Status), trace.WithAttributes(attribute.String("classifier_factory.job.id", j.ID)))
	defer span.End()
	logger := q.logger.With(slog.String("job", j.ID), slog.String("stage", string(j.Status)))
	err := protect(func() error { return q.runStage(ctx, j) })
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	duration := q.now().Sub(started)
	q.stageSeconds.WithLabelValues(string(j.Status)).Observe(duration.Seconds())
	if err == nil {
		logger.InfoContext(ctx, "job's stage done", slog.Float64("duration_seconds", duration.Seconds()))
		return nil
	}
	if errors.Is(err, store.ErrLeaseLost) {
		q.leasesLost.Inc()
	}
	span.SetStatus(codes.Error, "") // the log has the words
	logger.InfoContext(ctx, "job's stage ended early", slog.Float64("duration_seconds", duration.Seconds()), slog.Any("reason", logged(err)))
	return err
}

// record says what became of a job, even if that takes until a full disk has
// room again. Only a server that closes gives up: it will find the job as it was. Of a job that
// was taken away, others say what becomes of it.
func (q *Queue) record(ctx context.Context, j *store.Job, cause error) {
	for {
		err := q.endJob(context.WithoutCancel(ctx), j, cause)
		if err == nil || errors.Is(err, store.ErrLeaseLost) {
			return
		}
		q.logger.ErrorContext(ctx, "job's end not recorded", slog.String("job", j.ID), slog.Any("error", err))
		select {
		case <-time.After(retryDelay):
		case <-ctx.Done():
			return
		}
	}
}

// protect turns a panic into an error, so that one job cannot end the others.
func protect(stage func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return stage()
}

// logged keeps what names a tenant's files out of the log.
func logged(err error) error {
	if _, ok := errors.AsType[*store.InvalidDataError](err); ok {
		return errors.New("the data is invalid")
	}
	return err
}

func (q *Queue) runStage(ctx context.Context, j *store.Job) error {
	if j.Status == mistral.JobValidating {
		return q.runValidation(ctx, j)
	}
	return q.runTraining(ctx, j)
}

func (q *Queue) runValidation(ctx context.Context, j *store.Job) error {
	found, err := q.validate(ctx, j)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	cancelled := false
	err = q.store.UpdateHeldJob(ctx, j.Lease(), func(j *store.Job) error {
		j.Validated(found, q.now())
		cancelled = j.Status.Finished()
		return nil
	})
	if err != nil {
		return err
	}
	if cancelled {
		return q.store.ReleaseInputs(ctx, j)
	}
	q.Notify() // it may start by itself
	return nil
}

func (q *Queue) runTraining(ctx context.Context, j *store.Job) error {
	q.reports.begin(ctx, j)
	made, err := q.train(ctx, j)
	q.reports.awaitPages(ctx, j.ID)
	if err != nil {
		return err
	}
	return q.keepModel(context.WithoutCancel(ctx), j, made)
}

// keepModel makes a model last together with its evaluation and its job's success.
func (q *Queue) keepModel(ctx context.Context, j *store.Job, made *trained) error {
	defer made.discard()
	err := q.store.KeepModel(ctx, j.Lease(), made.staged, made.digest, made.evaluation, q.now())
	if err == nil {
		q.removeFolders(ctx, j.ID)
	}
	// If the job was cancelled meanwhile, nothing refers to the model.
	return errors.Join(err, q.store.ReleaseBlobs(ctx, made.digest), q.store.ReleaseInputs(ctx, j))
}

// endJob records that a stage was not done.
func (q *Queue) endJob(ctx context.Context, j *store.Job, cause error) error {
	finished := false
	err := q.store.UpdateHeldJob(ctx, j.Lease(), func(j *store.Job) error {
		j.End(cause, q.now())
		finished = j.Status.Finished()
		return nil
	})
	if finished {
		q.removeFolders(ctx, j.ID)
	}
	return errors.Join(err, q.store.ReleaseInputs(ctx, j))
}
