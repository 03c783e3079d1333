package factory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/classifier-factory/classifier-factory/internal/factory/api"
	"github.com/classifier-factory/classifier-factory/internal/factory/serving"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/training"
)

// DefaultBaseModel is the only model that the hosted service trained classifiers
// from. Here it is a name of the embedded engine, so that requests stay portable.
const DefaultBaseModel = "ministral-3b-latest"

// loadedModelBytes is how much of model files is kept in memory: some 30 models of
// 77 labels, or the eight largest.
const loadedModelBytes = 512 << 20

// DefaultLease is how long a process may be silent before its jobs are given to others.
const DefaultLease = training.DefaultLease

// Limits keep one tenant from using up what all share. Zero is no limit.
type Limits = store.Limits

// Config says what a factory is made of.
type Config struct {
	Directory         string           // where everything is kept; without DatabaseURL one process may use it at a time
	DatabaseURL       string           // of PostgreSQL, to keep facts in it and bytes alone in the directory; default: SQLite in the directory
	APIKeys           []api.Key        // at least one, unless the directory has some
	InsecureNoAuth    bool             // asks for no key; everybody is the same tenant
	BaseModels        []string         // NAME is the engine, NAME=words:FILE and NAME=embeddings:URL know more; default: DefaultBaseModel
	Encoders          Encoders         // of the base models that have one
	Workers           int              // jobs to train at a time; default: 1
	ServeAlone        bool             // validates and trains nothing, which workers on the same PostgreSQL do
	Lease             time.Duration    // how long a process on PostgreSQL may be silent before its jobs are given to others; default: DefaultLease
	TrainingMemory    int64            // bytes that a training may take; default: as ShareMemory says
	RequestsPerSecond int              // of each tenant on average, twice as many at once; default: no limit
	RequestsUnderWay  int              // of each tenant at a time; default: no limit
	Limits            Limits           // of each tenant; default: none
	FileLifetime      time.Duration    // after which uploaded files expire; default: never
	PublicURL         *url.URL         // where clients find the server; default: as they or their proxies say
	WandbBaseURL      *url.URL         // of the server of Weights & Biases that jobs are reported to; default: none is
	CORSOrigins       []string         // of pages whose scripts may use the server; default: none
	JobLifetime       time.Duration    // after which jobs that are finished, or validated and not started, expire; default: never
	Tracer            trace.Tracer     // of requests and jobs; default: none
	Logger            *slog.Logger     // default: none
	Clock             func() time.Time // default: time.Now

	isWorker bool // see OpenWorker
}

// Factory is an open server.
type Factory struct {
	*foundation
	api   *api.Server
	close func() error
}

// Open opens the store and goes on with the jobs that were queued or running.
func Open(ctx context.Context, config Config) (*Factory, error) {
	opened, err := openFoundation(ctx, config)
	if err != nil {
		return nil, err
	}
	config = opened.config
	if err := config.requireKeys(ctx, opened.store); err != nil {
		return nil, errors.Join(err, opened.closeFoundation())
	}
	signingKey, err := opened.store.SigningKey(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write to the store: %w", explainVolume(config.Directory, err)), opened.closeFoundation())
	}
	if config.WandbBaseURL != nil {
		opened.queue.ReportTo(config.WandbBaseURL)
	}
	models := serving.NewModels(opened.store, opened.blobs, opened.baseModels, loadedModelBytes, config.Clock, opened.registry)
	f := &Factory{
		foundation: opened,
		api: api.New(api.Config{
			Store:             opened.store,
			Blobs:             opened.blobs,
			Queue:             opened.queue,
			Models:            models,
			Keys:              config.APIKeys,
			InsecureNoAuth:    config.InsecureNoAuth,
			BaseModels:        opened.baseModels,
			RequestsPerSecond: config.RequestsPerSecond,
			RequestsUnderWay:  config.RequestsUnderWay,
			Limits:            config.Limits,
			FileLifetime:      config.FileLifetime,
			SigningKey:        signingKey,
			PublicURL:         config.PublicURL,
			CORSOrigins:       config.CORSOrigins,
			Logger:            config.Logger,
			Clock:             config.Clock,
			Registry:          opened.registry,
			Tracer:            config.Tracer,
		}),
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var tasks sync.WaitGroup
	tasks.Go(func() { f.attend(background, f.hearing(models), f.lead) })
	tasks.Go(func() { f.keepUp(background) })
	tasks.Go(func() { f.api.RecordKeyUses(background) })
	tasks.Go(func() { f.greetEncoders(background) })
	f.close = sync.OnceValue(func() error {
		stop()
		tasks.Wait()
		return f.closeFoundation()
	})
	if !config.ServeAlone {
		f.queue.Start(config.Workers)
	}
	return f, nil
}

// hearing passes on what other processes have changed to those who remember it.
func (f *Factory) hearing(models *serving.Models) func(store.Change) {
	return func(change store.Change) {
		f.queue.Hear(change)
		switch change.Kind {
		case store.ModelChanged:
			models.Forget(change.ID)
		case store.KeyChanged:
			f.api.ForgetKeys()
		case store.AnyChanged:
			models.ForgetAll()
			f.api.ForgetKeys()
		}
	}
}

// RunIfChild trains, and does not return, if a factory has started this process for that.
// A program that opens a factory calls it first: trainings run in processes of the same
// program.
func RunIfChild() { training.RunIfChild() }

// Handler serves all routes.
func (f *Factory) Handler() http.Handler { return f.api.Handler() }

// SetAPIKeys replaces the keys that are accepted, while requests are served.
func (f *Factory) SetAPIKeys(keys []api.Key) { f.api.SetKeys(keys) }

func (c *Config) complete() error {
	if c.Directory == "" {
		return errors.New("no directory to keep files, jobs and models in")
	}
	if len(c.BaseModels) == 0 {
		c.BaseModels = []string{DefaultBaseModel}
	}
	if c.ServeAlone && c.DatabaseURL == "" {
		return errors.New("--workers 0 leaves jobs to factory work, which needs PostgreSQL: name one with --database-url")
	}
	c.Lease = cmp.Or(c.Lease, DefaultLease)
	if c.Workers <= 0 {
		c.Workers = 1
	}
	if c.TrainingMemory == 0 && !c.ServeAlone {
		memory, err := ShareMemory(0, c.Workers)
		if err != nil {
			return err
		}
		c.TrainingMemory = memory.Training
	}
	if c.Tracer == nil {
		c.Tracer = noop.Tracer{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now //nolint:forbidigo // this is what is injected
	}
	return nil
}

// Close stops training and closes the store. Jobs that were queued or running go
// on when the directory is opened again. Stop serving requests before.
func (f *Factory) Close() error {
	return f.close()
}
