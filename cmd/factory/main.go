// The factory is a self-hosted server of the Classifier Factory protocol.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/classifier-factory/classifier-factory/internal/factory"
	"github.com/classifier-factory/classifier-factory/internal/factory/api"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/tracing"
	"github.com/classifier-factory/classifier-factory/internal/version"
)

// shutdownTimeout is what requests have to end after SIGTERM: less than the 30
// seconds after which Kubernetes kills, so that the store still closes.
const shutdownTimeout = 20 * time.Second

// tracesTimeout is how long the end waits for a collector to take the last spans.
const tracesTimeout = 5 * time.Second

func main() {
	factory.RunIfChild()
	if len(os.Args) > 1 && os.Args[1] == "key" {
		os.Exit(keyCommand(os.Args[2:], os.Stdout, os.Stderr))
	}
	if len(os.Args) > 1 && directoryCommands[os.Args[1]] != nil {
		os.Exit(runDirectoryCommand(os.Args[1], os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == "work" {
		os.Exit(workCommand(os.Args[2:]))
	}
	options, err := parseOptions(serveArguments(os.Args[1:]))
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2) // the flag package has said why
	}
	if options.version {
		fmt.Println(version.Line())
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

// serveArguments are those of the command serve, which flags alone mean, too.
func serveArguments(arguments []string) []string {
	if len(arguments) > 0 && arguments[0] == "serve" {
		return arguments[1:]
	}
	return arguments
}

type options struct {
	listen            string
	metricsListen     string
	dataDirectory     string
	databaseURL       string
	apiKeysFile       string
	baseModels        string
	encoders          factory.Encoders
	workers           int
	trainingMemory    int64
	lease             time.Duration
	fileLifetime      time.Duration
	jobLifetime       time.Duration
	requestsPerSecond int
	requestsUnderWay  int
	limits            factory.Limits
	backupTo          string
	publicURL         *url.URL
	wandbBaseURL      *url.URL
	corsOrigins       []string
	insecureNoAuth    bool
	version           bool
}

func parseOptions(arguments []string) (options, error) {
	var o options
	flags := o.flags()
	err := flags.Parse(arguments)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("%q is no command: serve, work, train, verify, backup, base and key are", flags.Arg(0))
		_, _ = fmt.Fprintln(flags.Output(), err)
	}
	if err == nil && (o.workers < 0 || o.lease < shortestLease) {
		err = fmt.Errorf("--workers is no number below 0, and --lease-duration is %v at least", shortestLease)
		_, _ = fmt.Fprintln(flags.Output(), err)
	}
	return o, err
}

// shortestLease leaves time for a heartbeat that comes late.
const shortestLease = time.Second

// databaseUsage says no password: what is on a command line, everybody on the machine reads.
const databaseUsage = "`address` of a PostgreSQL that has the facts, such as postgres://factory@db.example.com/factory; its password is best in the environment's PGPASSWORD (default: the facts are in SQLite, in the data directory)"

func (o *options) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("factory", flag.ContinueOnError)
	o.addPlace(flags)
	o.addTraining(flags)
	flags.IntVar(&o.workers, "workers", 1, "jobs to train at a time; each takes all CPUs but one; 0: leave all to factory work")
	flags.StringVar(&o.listen, "listen", ":8080", "address of the API")
	flags.StringVar(&o.metricsListen, "metrics-listen", "", "address of /metrics (default: that of the API, on the port after its)")
	flags.StringVar(&o.apiKeysFile, "api-keys-file", "", "file of API keys, one tenant:hex-SHA-256-of-the-key or tenant:scopes:hex-SHA-256 a line, read again when it changes. The environment's FACTORY_API_KEY is one more, in plain, of the tenant default")
	flags.DurationVar(&o.fileLifetime, "file-lifetime", 0, "how long an uploaded file is kept, such as 720h; 0: until it is deleted")
	flags.DurationVar(&o.jobLifetime, "job-lifetime", 365*24*time.Hour, "how long a job is kept after its end, and waits to be started after its validation; its model is kept; 0: for ever")
	flags.IntVar(&o.requestsPerSecond, "tenant-requests-per-second", 2000, "requests that a tenant can make a second, twice as many at once; 0: no limit")
	flags.IntVar(&o.requestsUnderWay, "tenant-requests-under-way", 1000, "requests that a tenant can have under way at a time; 0: no limit")
	flags.Int64Var(&o.limits.FileBytes, "tenant-file-bytes", 100<<30, "bytes that a tenant's files can have together; 0: no limit")
	flags.Int64Var(&o.limits.JobFileBytes, "job-file-bytes", 4<<30, "bytes that the files of one job can have together; 0: no limit")
	flags.IntVar(&o.limits.UnfinishedJobs, "tenant-unfinished-jobs", 1000, "jobs that a tenant can have under way; 0: no limit")
	flags.IntVar(&o.limits.Models, "tenant-models", 10_000, "models that a tenant can have; 0: no limit")
	flags.Func("public-url", "`address` at which clients find the server, such as https://example.com/factory, for signed URLs (default: as the client asked, or the proxy before it says)",
		func(text string) (err error) {
			o.publicURL, err = api.ParsePublicURL(text)
			return err
		})
	flags.Func("wandb-base-url", "`address` of the server of Weights & Biases, such as https://api.wandb.ai, to which jobs with an integration are reported, each with its own key (default: nothing is reported)",
		func(text string) (err error) {
			o.wandbBaseURL, err = mistral.ParseServerURL(text)
			return err
		})
	flags.Func("cors-origins", "comma-separated `origins`, such as https://app.example.com, of pages whose scripts may use the server from a browser; *: of all (default: none)",
		func(text string) (err error) {
			o.corsOrigins, err = api.ParseOrigins(text)
			return err
		})
	flags.Int64Var(&o.limits.RecordBytes, "tenant-record-bytes", 1<<30, "bytes that the records of a tenant's jobs and models can have together, of which labels are most; 0: no limit")
	flags.BoolVar(&o.insecureNoAuth, "insecure-no-auth", false, "ask for no API key; only for an address that nobody else can reach")
	flags.StringVar(&o.backupTo, "backup-to", "", "copy the data directory, which may be in use, to this new directory, and exit")
	flags.BoolVar(&o.version, "version", false, "print the version and exit")
	return flags
}

// addPlace has the flags that say where everything is.
func (o *options) addPlace(flags *flag.FlagSet) {
	flags.StringVar(&o.dataDirectory, "data-dir", "", "directory of files, jobs and models (required)")
	flags.StringVar(&o.databaseURL, "database-url", "", databaseUsage)
}

// addTraining has the flags of whoever trains.
func (o *options) addTraining(flags *flag.FlagSet) {
	flags.StringVar(&o.baseModels, "base-models", factory.DefaultBaseModel, "comma-separated base models that are offered for training: `NAME` is the engine alone, NAME=words:FILE knows words, too, by a table that factory base import has made, NAME=embeddings:URL asks an encoder, the server of OpenAI's /v1/embeddings that is there")
	flags.Func("embeddings-model", "comma-separated `NAME=MODEL`: what the server of the base model's encoder calls it (default: as the base model)",
		func(text string) (err error) {
			o.encoders.Models, err = parseNamed(text)
			return err
		})
	flags.Func("embeddings-key-file", "comma-separated `NAME=FILE`: the file with the API key of the base model's encoder, read again for each request (default: no key is sent)",
		func(text string) (err error) {
			o.encoders.KeyFiles, err = parseNamed(text)
			return err
		})
	flags.Func("embeddings-cache", "`bytes` on disk, such as 4Gi, for vectors that encoders have made (default 1GiB)",
		func(text string) (err error) {
			o.encoders.CacheBytes, err = parseBytes(text)
			return err
		})
	flags.Func("training-memory", "`bytes` of memory that a training may take, such as 640Mi (default: half of what the cgroup, or else the machine, has, divided among the workers)",
		func(text string) (err error) {
			o.trainingMemory, err = parseBytes(text)
			return err
		})
	flags.DurationVar(&o.lease, "lease-duration", factory.DefaultLease, "with PostgreSQL, how long a process may be silent before its jobs are given to others")
}

func run(ctx context.Context, o options, logger *slog.Logger) error {
	if o.backupTo != "" && o.databaseURL != "" {
		return errors.New("--backup-to copies SQLite and the bytes beside it; facts in PostgreSQL are backed up by pg_dump")
	}
	if o.backupTo != "" {
		return factory.Backup(ctx, o.dataDirectory, o.backupTo)
	}
	source := &keySource{path: o.apiKeysFile, plain: os.Getenv("FACTORY_API_KEY")}
	keys, err := source.read()
	if err != nil {
		return err
	}
	config, err := o.shared(logger)
	if err != nil {
		return err
	}
	tracer, endTracing, err := tracing.Open(ctx, "classifier-factory", os.Getenv)
	if err != nil {
		return err
	}
	// One more than there are CPUs, which is left to listen while all of them classify.
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	config.APIKeys = keys
	config.InsecureNoAuth = o.insecureNoAuth
	config.ServeAlone = o.workers == 0
	config.FileLifetime = o.fileLifetime
	config.JobLifetime = o.jobLifetime
	config.RequestsPerSecond = o.requestsPerSecond
	config.RequestsUnderWay = o.requestsUnderWay
	config.Limits = o.limits
	config.PublicURL = o.publicURL
	config.WandbBaseURL = o.wandbBaseURL
	config.CORSOrigins = o.corsOrigins
	config.Tracer = tracer
	opened, err := factory.Open(ctx, config)
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { source.watch(watching, keys, opened.SetAPIKeys, logger) })
	err = serve(ctx, o, opened, logger)
	stop()
	watch.Wait()
	err = errors.Join(err, opened.Close())
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), tracesTimeout)
	defer cancel()
	return errors.Join(err, endTracing(sending))
}

// shared is what a server and a worker are told alike. Memory that trainings may not take is the
// process's own.
func (o *options) shared(logger *slog.Logger) (factory.Config, error) {
	memory, err := factory.ShareMemory(o.trainingMemory, o.workers)
	if err != nil {
		return factory.Config{}, err
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory.Serving / 10 * 9) // the collector's; not all memory is its
	}
	return factory.Config{
		Directory:      o.dataDirectory,
		DatabaseURL:    o.databaseURL,
		BaseModels:     strings.Split(o.baseModels, ","),
		Encoders:       o.encoders,
		Workers:        o.workers,
		TrainingMemory: memory.Training,
		Lease:          o.lease,
		Logger:         logger,
	}, nil
}

// parseNamed reads NAME=VALUE,NAME=VALUE.
func parseNamed(text string) (map[string]string, error) {
	named := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		if name == "" || value == "" || named[name] != "" {
			return nil, fmt.Errorf("%q is no list of different NAME=VALUE", text)
		}
		named[name] = value
	}
	return named, nil
}

func parseBytes(text string) (int64, error) {
	value, err := humanize.ParseBytes(text)
	if err != nil || value == 0 || value > math.MaxInt64 {
		return 0, fmt.Errorf("%q is no number of bytes such as 640Mi or 671088640", text)
	}
	return int64(value), nil
}

// serve answers requests until the context ends, and then those under way.
func serve(ctx context.Context, o options, opened *factory.Factory, logger *slog.Logger) error {
	var servers servers
	failed := make(chan error, 2)
	api := func() error { return servers.start("api", o.listen, opened.Handler(), logger, failed) }
	metrics := func() error { return o.startMetrics(&servers, opened.MetricsHandler(), logger, failed) }
	first, second := metrics, api
	if o.metricsListen == "" {
		first, second = api, metrics // who asks for nothing finds the API's address first in the log
	}
	if err := first(); err != nil {
		return err
	}
	if err := second(); err != nil {
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

func (o *options) startMetrics(servers *servers, handler http.Handler, logger *slog.Logger, failed chan<- error) error {
	address, err := o.metricsAddress()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", handler)
	if err := servers.start("metrics", address, mux, logger, failed); err != nil {
		return fmt.Errorf("serve the metrics: %w; --metrics-listen takes another address", err)
	}
	return nil
}

// metricsAddress is apart from that of the API, which more may reach than may read how
// much is done. Beside a port that the system chooses, it chooses another.
func (o *options) metricsAddress() (string, error) {
	if o.metricsListen != "" {
		return o.metricsListen, nil
	}
	host, name, err := net.SplitHostPort(o.listen)
	if err != nil {
		return "", fmt.Errorf("--listen: %w", err)
	}
	port, err := net.LookupPort("tcp", name)
	if err != nil {
		return "", fmt.Errorf("--listen: %w", err)
	}
	if port > 0 {
		port++
	}
	return net.JoinHostPort(host, strconv.Itoa(port)), nil
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
			logger.Warn("requests are cut off", slog.Float64("after_seconds", timeout.Seconds()))
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
		Handler:           api.Identified(handler),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      5 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}
