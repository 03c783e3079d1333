package factory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/classifier-factory/classifier-factory/internal/factory/api"
	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
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

// Limits keep one tenant from using up what all share. Zero is no limit.
type Limits = store.Limits

// Config says what a factory is made of.
type Config struct {
	Directory         string           // where everything is kept; one process may use it at a time
	DatabaseURL       string           // of PostgreSQL, to keep facts in it and bytes alone in the directory; default: SQLite in the directory
	BlobURL           string           // of a bucket, to keep bytes in it; default: in the directory
	APIKeys           []api.Key        // at least one, unless the directory has some
	InsecureNoAuth    bool             // asks for no key; everybody is the same tenant
	BaseModels        []string         // NAME is the engine, NAME=words:FILE and NAME=embeddings:URL know more; default: DefaultBaseModel
	Encoders          Encoders         // of the base models that have one
	Workers           int              // jobs to train at a time; default: 1
	TrainingMemory    int64            // bytes that a training may take; default: as ShareMemory says
	RequestsPerSecond int              // of each tenant on average, twice as many at once; default: no limit
	RequestsUnderWay  int              // of each tenant at a time; default: no limit
	Limits            Limits           // of each tenant; default: none
	FileLifetime      time.Duration    // after which uploaded files expire; default: never
	PublicURL         *url.URL         // where clients find the server; default: as they or their proxies say
	WandbBaseURL      *url.URL         // of the server of Weights & Biases that jobs are reported to; default: none is
	CORSOrigins       []string         // of pages whose scripts may use the server; default: none
	JobLifetime       time.Duration    // after which jobs that are finished, or validated and not started, expire; default: never
	Logger            *slog.Logger     // default: none
	Clock             func() time.Time // default: time.Now
}

// Factory is an open server.
type Factory struct {
	logger      *slog.Logger
	now         func() time.Time
	jobLifetime time.Duration
	store       *store.Store
	queue       *training.Queue
	api         *api.Server
	registry    *prometheus.Registry
	close       func() error
}

// Open opens the store and goes on with the jobs that were queued or running.
func Open(ctx context.Context, config Config) (*Factory, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	encoders := config.Encoders.in(config.Directory)
	base, err := basemodels.Open(config.BaseModels, encoders)
	if err != nil {
		return nil, err
	}
	at := Location{Directory: config.Directory, DatabaseURL: config.DatabaseURL, BlobURL: config.BlobURL}
	stored, blobs, lock, err := openDirectory(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", explainVolume(config.Directory, err))
	}
	closeDirectory := func() error { return errors.Join(base.Close(), stored.Close(), blobs.Close(), lock.release()) }
	if err := config.requireKeys(ctx, stored); err != nil {
		return nil, errors.Join(err, closeDirectory())
	}
	signingKey, err := stored.SigningKey(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write to the store: %w", explainVolume(config.Directory, err)), closeDirectory())
	}
	if err := stored.ResumeJobs(ctx, config.Clock()); err != nil {
		return nil, errors.Join(fmt.Errorf("resume jobs: %w", explainVolume(config.Directory, err)), closeDirectory())
	}
	registry := newRegistry(stored)
	registry.MustRegister(base.Collectors()...)
	queue := training.NewQueue(training.Config{
		Store:          stored,
		Blobs:          blobs,
		BlobsAt:        at.Blobs(),
		BaseModels:     base,
		Encoders:       encoders,
		Scratch:        scratchIn(config.Directory),
		TrainingMemory: config.TrainingMemory,
		Logger:         config.Logger,
		Clock:          config.Clock,
		Registry:       registry,
	})
	if err := queue.RemoveFolders(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("remove what trainings put aside: %w", explainVolume(config.Directory, err)), closeDirectory())
	}
	if config.WandbBaseURL != nil {
		queue.ReportTo(config.WandbBaseURL)
	}
	f := &Factory{
		logger:      config.Logger,
		now:         config.Clock,
		jobLifetime: config.JobLifetime,
		store:       stored,
		queue:       queue,
		registry:    registry,
		api: api.New(api.Config{
			Store:             stored,
			Blobs:             blobs,
			Queue:             queue,
			Models:            serving.NewModels(stored, blobs, base, loadedModelBytes, registry),
			Keys:              config.APIKeys,
			InsecureNoAuth:    config.InsecureNoAuth,
			BaseModels:        base,
			RequestsPerSecond: config.RequestsPerSecond,
			RequestsUnderWay:  config.RequestsUnderWay,
			Limits:            config.Limits,
			FileLifetime:      config.FileLifetime,
			SigningKey:        signingKey,
			PublicURL:         config.PublicURL,
			CORSOrigins:       config.CORSOrigins,
			Logger:            config.Logger,
			Clock:             config.Clock,
			Registry:          registry,
		}),
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var expiry sync.WaitGroup
	expiry.Go(func() { f.expire(background) })
	expiry.Go(func() { f.api.RecordKeyUses(background) })
	expiry.Go(func() { f.removeUnreferenced(background) })
	expiry.Go(func() { f.greetEncoders(background, base) })
	f.close = sync.OnceValue(func() error {
		stop()
		expiry.Wait()
		queue.Close()
		return closeDirectory()
	})
	queue.Start(config.Workers)
	return f, nil
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
	if c.Workers <= 0 {
		c.Workers = 1
	}
	if c.TrainingMemory == 0 {
		memory, err := ShareMemory(0, c.Workers)
		if err != nil {
			return err
		}
		c.TrainingMemory = memory.Training
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
