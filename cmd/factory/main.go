// The factory is a self-hosted server of the Classifier Factory protocol.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory"
)

// shutdownTimeout is what requests have to end after SIGTERM: less than the 30
// seconds after which Kubernetes kills, so that the store still closes.
const shutdownTimeout = 20 * time.Second

func main() {
	if len(os.Args) > 1 && directoryCommands[os.Args[1]] != nil {
		os.Exit(runDirectoryCommand(os.Args[1], os.Args[2:]))
	}
	options, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2) // the flag package has said why
	}
	if options.version {
		fmt.Println(version())
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if err := run(ctx, options, logger); err != nil {
		logger.Error("the factory cannot go on", slog.Any("error", err))
		os.Exit(1)
	}
}

type options struct {
	listen            string
	metricsListen     string
	dataDirectory     string
	apiKeysFile       string
	baseModels        string
	workers           int
	fileLifetime      time.Duration
	requestsPerSecond int
	limits            factory.Limits
	backupTo          string
	insecureNoAuth    bool
	version           bool
}

func parseOptions(arguments []string) (options, error) {
	var o options
	err := o.flags().Parse(arguments)
	return o, err
}

func (o *options) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("factory", flag.ContinueOnError)
	flags.StringVar(&o.listen, "listen", ":8080", "address of the API")
	flags.StringVar(&o.metricsListen, "metrics-listen", "", "address of /metrics (default: with the API)")
	flags.StringVar(&o.dataDirectory, "data-dir", "", "directory of files, jobs and models (required)")
	flags.StringVar(&o.apiKeysFile, "api-keys-file", "", "file of API keys, one tenant:hex-SHA-256-of-the-key a line, read again when it changes. The environment's FACTORY_API_KEY is one more, in plain, of the tenant default")
	flags.StringVar(&o.baseModels, "base-models", factory.DefaultBaseModel, "comma-separated names under which the engine is offered for training")
	flags.IntVar(&o.workers, "workers", 1, "jobs to validate or train at a time; each takes all CPUs but one")
	flags.DurationVar(&o.fileLifetime, "file-lifetime", 0, "how long an uploaded file is kept, such as 720h; 0: until it is deleted")
	flags.IntVar(&o.requestsPerSecond, "tenant-requests-per-second", 0, "requests that a tenant can make a second, twice as many at once; 0: no limit")
	flags.Int64Var(&o.limits.FileBytes, "tenant-file-bytes", 100<<30, "bytes that a tenant's files can have together; 0: no limit")
	flags.IntVar(&o.limits.UnfinishedJobs, "tenant-unfinished-jobs", 1000, "jobs that a tenant can have under way; 0: no limit")
	flags.IntVar(&o.limits.Models, "tenant-models", 10_000, "models that a tenant can have; 0: no limit")
	flags.BoolVar(&o.insecureNoAuth, "insecure-no-auth", false, "ask for no API key; only for an address that nobody else can reach")
	flags.StringVar(&o.backupTo, "backup-to", "", "copy the data directory, which may be in use, to this new directory, and exit")
	flags.BoolVar(&o.version, "version", false, "print the version and exit")
	return flags
}

func run(ctx context.Context, o options, logger *slog.Logger) error {
	if o.backupTo != "" {
		return factory.Backup(ctx, o.dataDirectory, o.backupTo)
	}
	source := keySource{path: o.apiKeysFile, plain: os.Getenv("FACTORY_API_KEY")}
	keys, err := source.read()
	if err != nil {
		return err
	}
	opened, err := factory.Open(ctx, factory.Config{
		Directory:         o.dataDirectory,
		APIKeys:           keys,
		InsecureNoAuth:    o.insecureNoAuth,
		BaseModels:        strings.Split(o.baseModels, ","),
		Workers:           o.workers,
		FileLifetime:      o.fileLifetime,
		RequestsPerSecond: o.requestsPerSecond,
		Limits:            o.limits,
		Logger:            logger,
	})
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { source.watch(watching, keys, opened.SetAPIKeys, logger) })
	err = serve(ctx, o, opened, logger)
	stop()
	watch.Wait()
	return errors.Join(err, opened.Close())
}

// serve answers requests until the context ends, and then those under way.
func serve(ctx context.Context, o options, opened *factory.Factory, logger *slog.Logger) error {
	api, metrics := http.NewServeMux(), http.NewServeMux()
	api.Handle("/", opened.Handler())
	if o.metricsListen == "" {
		metrics = api
	}
	metrics.Handle("GET /metrics", opened.MetricsHandler())

	var servers servers
	failed := make(chan error, 2)
	if o.metricsListen != "" {
		if err := servers.start("metrics", o.metricsListen, metrics, logger, failed); err != nil {
			return err
		}
	}
	if err := servers.start("api", o.listen, api, logger, failed); err != nil {
		return errors.Join(err, servers.shutdown(shutdownTimeout, logger))
	}
	select {
	case err := <-failed:
		return errors.Join(err, servers.shutdown(shutdownTimeout, logger))
	case <-ctx.Done():
		logger.Info("shutting down")
		return servers.shutdown(shutdownTimeout, logger)
	}
}

type servers []*http.Server

// start listens and serves in the background; failed gets the reason of its end.
func (s *servers) start(name, address string, handler http.Handler, logger *slog.Logger, failed chan<- error) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := newServer(handler, logger)
	*s = append(*s, server)
	go func() { failed <- server.Serve(listener) }()
	logger.Info("listening", slog.String("server", name), slog.String("address", listener.Addr().String()))
	return nil
}

// shutdown waits for the requests under way, and cuts off those that take too long:
// what they asked for was not acknowledged.
func (s servers) shutdown(timeout time.Duration, logger *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var problems []error
	for _, server := range s {
		err := server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			logger.Warn("requests are cut off", slog.Duration("after", timeout))
			err = server.Close()
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// newServer has timeouts against clients that keep connections busy. The routes
// of whole files extend them.
func newServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      5 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// version is the module's, or the commit that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}
