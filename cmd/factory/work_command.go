package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/classifier-factory/classifier-factory/internal/factory"
	"github.com/classifier-factory/classifier-factory/internal/tracing"
)

// workFlags are those of the command work.
func (o *options) workFlags() *flag.FlagSet {
	flags := flag.NewFlagSet("factory work", flag.ContinueOnError)
	o.addPlace(flags)
	o.addTraining(flags)
	flags.StringVar(&o.listen, "listen", ":8081", "address of /healthz, /readyz and /metrics, which ask for no key")
	flags.IntVar(&o.workers, "workers", 1, "jobs to train at a time; each takes all CPUs but one")
	return flags
}

// workCommand validates and trains the jobs of servers on the same PostgreSQL, and returns the
// process's status.
func workCommand(arguments []string) int {
	var o options
	err := parseAll(o.workFlags(), arguments, "data-dir", "database-url")
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil && (o.workers < 1 || o.lease < shortestLease) {
		err = fmt.Errorf("--workers is 1 at least, and --lease-duration %v", shortestLease)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "factory work: %v\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if err := work(ctx, o, logger); err != nil {
		logger.Error("the worker cannot go on", slog.Any("error", err))
		return 1
	}
	return 0
}

// work goes on until the context ends. Then it gives up its jobs at once: others go on with them.
func work(ctx context.Context, o options, logger *slog.Logger) error {
	config, err := o.shared(logger)
	if err != nil {
		return err
	}
	tracer, endTracing, err := tracing.Open(ctx, "classifier-factory", os.Getenv)
	if err != nil {
		return err
	}
	config.Tracer = tracer
	opened, err := factory.OpenWorker(ctx, config)
	if err != nil {
		return err
	}
	var servers servers
	failed := make(chan error, 1)
	err = servers.start("worker", o.listen, opened.Handler(), logger, failed)
	if err == nil {
		select {
		case err = <-failed:
		case <-ctx.Done():
			logger.Info("shutting down")
		}
	}
	err = errors.Join(err, opened.Close(), servers.shutdown(shutdownTimeout, logger))
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), tracesTimeout)
	defer cancel()
	return errors.Join(err, endTracing(sending))
}
