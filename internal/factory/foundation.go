package factory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/training"
)

// foundation is what a server and a worker stand on.
type foundation struct {
	config     Config
	store      *store.Store
	blobs      blob.Store
	lock       *directoryLock
	baseModels basemodels.Models
	queue      *training.Queue
	registry   *prometheus.Registry
}

// openFoundation goes on with the jobs of processes that are known to be gone.
func openFoundation(ctx context.Context, config Config) (*foundation, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	encoders := config.Encoders.in(config.Directory)
	base, err := basemodels.Open(config.BaseModels, encoders)
	if err != nil {
		return nil, err
	}
	stored, blobs, lock, err := openDirectory(ctx, Location{Directory: config.Directory, DatabaseURL: config.DatabaseURL})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the store: %w", explainVolume(config.Directory, err)), base.Close())
	}
	f := &foundation{config: config, store: stored, blobs: blobs, lock: lock, baseModels: base, registry: newRegistry(stored, config.Directory, config.Clock)}
	f.registry.MustRegister(base.Collectors()...)
	f.queue = training.NewQueue(training.Config{
		Store:          stored,
		Blobs:          blobs,
		BlobDirectory:  config.Directory,
		BaseModels:     base,
		Encoders:       encoders,
		Scratch:        scratchIn(config.Directory),
		TrainingMemory: config.TrainingMemory,
		Holder:         store.Holder{ID: lock.processes + "/" + uuid.NewString(), Lease: config.Lease, Models: config.taken(base)},
		Logger:         config.Logger,
		Clock:          config.Clock,
		Registry:       f.registry,
		Tracer:         config.Tracer,
	})
	gone := ""
	if lock.gone != "" {
		gone = lock.gone + "/"
	}
	if err := stored.TakeBackJobs(ctx, gone, config.Clock()); err != nil {
		return nil, errors.Join(fmt.Errorf("resume jobs: %w", explainVolume(config.Directory, err)), f.closeFoundation())
	}
	if err := f.queue.RemoveFolders(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("remove what trainings put aside: %w", explainVolume(config.Directory, err)), f.closeFoundation())
	}
	return f, nil
}

// taken are the base models of the jobs that are taken. A server has those of all jobs, or says of
// a job that its base model is gone; a worker leaves to others what it does not have.
func (c *Config) taken(models basemodels.Models) (names []string) {
	if !c.isWorker {
		return nil
	}
	for i := range models {
		names = append(names, models[i].Name)
	}
	return names
}

func (f *foundation) closeFoundation() error {
	f.queue.Close()
	return errors.Join(f.baseModels.Close(), f.store.Close(), f.lock.release())
}

// attend hears what other processes change, and may lead them, until the context ends.
func (f *foundation) attend(ctx context.Context, heard func(store.Change), lead func(context.Context)) {
	f.store.Attend(ctx, heard, lead, func(err error) {
		f.config.Logger.WarnContext(ctx, "nothing is heard of other processes; it is looked for at intervals", slog.Any("error", err))
	})
}

// keepUp looks after what this process alone has, until the context ends.
func (f *foundation) keepUp(ctx context.Context) {
	ticker := time.NewTicker(expiryInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if err := f.queue.ForgetEndedKeys(ctx); err != nil && ctx.Err() == nil {
			f.config.Logger.ErrorContext(ctx, "keys of ended jobs not forgotten", slog.Any("error", err))
		}
		if err := f.queue.RemoveFolders(ctx); err != nil && ctx.Err() == nil {
			f.config.Logger.ErrorContext(ctx, "what trainings put aside is not removed", slog.Any("error", err))
		}
	}
}
