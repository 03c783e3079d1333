// The operator: it reconciles ClassifierDatasets and ClassifierTrainingJobs with a
// server of the Classifier Factory protocol.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/controller"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/source"
	"github.com/classifier-factory/classifier-factory/internal/tracing"
	"github.com/classifier-factory/classifier-factory/internal/version"
)

// apiKeyVariable holds the key of the operator's own connection. It is no flag:
// flags are seen in process lists.
const apiKeyVariable = "MISTRAL_API_KEY"

// shutdownTimeout is less than the pod's terminationGracePeriodSeconds.
const shutdownTimeout = time.Minute

// tracesTimeout is how long the end waits for a collector to take the last spans.
const tracesTimeout = 5 * time.Second

type options struct {
	serverURL        string
	stagingDirectory string
	stagingBytes     int64
	minPollInterval  time.Duration
	maxPollInterval  time.Duration
	callsPerSecond   float64
	callBurst        int
	privateHosts     []string
	metricsAddress   string
	metricsSecure    bool
	probeAddress     string
	leaderElect      bool
	leaderNamespace  string
	namespaces       []string
	clusterID        string
	version          bool
	limits           dataset.Limits
	storage          source.ObjectStorageOptions
	log              zap.Options
}

func parseFlags() options {
	var o options
	flag.StringVar(&o.serverURL, "server-url", "http://localhost:8080",
		"Address of the factory for objects without a connectionSecretRef. Its key is read from $"+apiKeyVariable+".")
	flag.StringVar(&o.stagingDirectory, "staging-directory", "",
		"Where samples are kept while they are validated and uploaded. Default: the system's directory for temporary files.")
	flag.Int64Var(&o.stagingBytes, "staging-bytes", controller.DefaultStagingBytes,
		"How many bytes may be in the staging directory. Less than its volume holds; a dataset that needs more is refused.")
	flag.DurationVar(&o.minPollInterval, "min-poll-interval", connection.DefaultOptions().MinPollInterval,
		"How soon unfinished jobs are asked for again after one changed.")
	flag.DurationVar(&o.maxPollInterval, "max-poll-interval", connection.DefaultOptions().MaxPollInterval,
		"How often unfinished jobs are asked for while none changes.")
	flag.Float64Var(&o.callsPerSecond, "factory-qps", connection.DefaultOptions().CallsPerSecond,
		"How many calls a second each connection to a factory makes in the long run. Objects beyond that wait for their turn.")
	flag.IntVar(&o.callBurst, "factory-burst", connection.DefaultOptions().CallBurst,
		"How many calls a connection makes at once after a rest.")
	flag.Func("factory-private-hosts", "Comma-separated hosts of factories that connections may name although they are at private or loopback addresses, such as *.factories.svc. That of -server-url always is.",
		func(hosts string) error {
			o.privateHosts = strings.Split(hosts, ",")
			return nil
		})
	flag.StringVar(&o.metricsAddress, "metrics-bind-address", "0", "Address of the metrics endpoint, such as :8443. 0 turns it off.")
	flag.BoolVar(&o.metricsSecure, "metrics-secure", true, "Serve metrics over HTTPS, to those who may read them.")
	flag.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", "Address of the health probes. 0 turns them off.")
	flag.BoolVar(&o.leaderElect, "leader-elect", false, "Let one of several replicas work at a time.")
	flag.StringVar(&o.leaderNamespace, "leader-election-namespace", "", "Namespace of the lease. Default: the operator's own.")
	flag.Func("watch-namespaces", "Comma-separated namespaces to work in; elsewhere nothing is looked at. Default: every namespace.",
		func(namespaces string) error {
			o.namespaces = strings.Split(namespaces, ",")
			return checkNamespaces(o.namespaces)
		})
	flag.StringVar(&o.clusterID, "cluster-id", "",
		"What tells this cluster from others that use the same factory and key. A clone made of a snapshot of etcd needs another one than its original. Default: the UID of namespace kube-system.")
	flag.BoolVar(&o.version, "version", false, "Print the version and exit.")
	o.limits = dataset.DefaultLimits()
	bindLimits(&o.limits)
	o.storage = source.DefaultObjectStorageOptions()
	flag.Func("storage-private-hosts", "Comma-separated hosts of object storage, such as minio.storage.svc, that may be at private and loopback addresses.",
		func(hosts string) error {
			o.storage.PrivateHosts = strings.Split(hosts, ",")
			return nil
		})
	flag.Func("ambient-buckets", "Comma-separated patterns of buckets, such as s3://company-*,gs://texts, that datasets without a credentialsSecretRef may read with the operator's own cloud identity. Default: none.",
		func(list string) (err error) {
			o.storage.AmbientBuckets, err = source.ParseAmbientBuckets(list)
			return err
		})
	flag.Int64Var(&o.storage.MinBytesPerSecond, "min-storage-throughput", o.storage.MinBytesPerSecond,
		"How many bytes of a dataset's objects must come in a second. Slower storage is given up, so that it does not keep others waiting.")
	o.log.BindFlags(flag.CommandLine)
	flag.Parse()
	return o
}

// bindLimits makes a flag of each limit on what datasets may hold.
func bindLimits(limits *dataset.Limits) {
	flag.Int64Var(&limits.SourceBytes, "max-source-bytes", limits.SourceBytes, "How much a dataset's source may hold, as it is stored.")
	flag.Int64Var(&limits.DecompressedBytes, "max-decompressed-bytes", limits.DecompressedBytes, "How much it may hold when decompressed.")
	flag.Int64Var(&limits.CompressionRatio, "max-compression-ratio", limits.CompressionRatio, "How many bytes each stored byte may become.")
	flag.Int64Var(&limits.FileBytes, "max-upload-bytes", limits.FileBytes, "How large a file may be that is uploaded; this project's factory takes 512 MiB.")
	flag.IntVar(&limits.LineBytes, "max-line-bytes", limits.LineBytes, "How long a sample may be.")
	flag.IntVar(&limits.Depth, "max-depth", limits.Depth, "How deep a sample's objects and arrays may be nested.")
	flag.IntVar(&limits.Samples, "max-samples", limits.Samples, "How many samples a dataset may have.")
	flag.IntVar(&limits.Targets, "max-targets", limits.Targets, "How many targets; a dataset's status lists no more than 20.")
	flag.IntVar(&limits.LabelsPerTarget, "max-labels-per-target", limits.LabelsPerTarget, "How many labels a target may have.")
	flag.IntVar(&limits.LabelBytes, "max-label-bytes", limits.LabelBytes, "How long the name of a label or target may be; a status takes no more than 256.")
}

// checkNamespaces refuses what is no namespace, above all "", which would be every one.
func checkNamespaces(namespaces []string) error {
	for _, namespace := range namespaces {
		if len(validation.IsDNS1123Label(namespace)) > 0 {
			return fmt.Errorf("%q is no name of a namespace", namespace)
		}
	}
	return nil
}

// checkLimits refuses limits that would let nothing through.
func checkLimits() (problem error) {
	flag.VisitAll(func(each *flag.Flag) {
		number, err := strconv.ParseInt(each.Value.String(), 10, 64)
		isLimit := strings.HasPrefix(each.Name, "max-") || strings.HasPrefix(each.Name, "min-") || each.Name == "staging-bytes" || each.Name == "factory-burst"
		if isLimit && err == nil && number < 1 {
			problem = errors.Join(problem, fmt.Errorf("--%s is %d; it must be at least 1", each.Name, number))
		}
		if rate, err := strconv.ParseFloat(each.Value.String(), 64); each.Name == "factory-qps" && (err != nil || !(rate > 0)) {
			problem = errors.Join(problem, fmt.Errorf("--factory-qps is %s; it must be above 0", each.Value))
		}
	})
	return problem
}

// gcPercent is a quarter of Go's: most of the heap is a cache of objects that stay, of which a
// garbage collection finds little to take away.
const gcPercent = 25

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	o := parseFlags()
	if o.version {
		fmt.Println(version.Line())
		return
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&o.log)))
	ctx := ctrl.SetupSignalHandler()
	if flag.Arg(0) == letGoCommand {
		if err := letGo(ctx, o, flag.Arg(1)); err != nil {
			fmt.Fprintln(os.Stderr, letGoCommand+":", err)
			os.Exit(1)
		}
		return
	}
	if err := run(ctx, o); err != nil {
		ctrl.Log.WithName("setup").Error(err, "the operator ends")
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if err := checkLimits(); err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	// It is the field manager of events, which have no other.
	config.UserAgent = "classifier-factory/" + version.Number()
	manager, err := ctrl.NewManager(config, managerOptions(o))
	if err != nil {
		return err
	}
	o.storage.MaxBytes = o.limits.SourceBytes
	connectionOptions := connection.DefaultOptions()
	connectionOptions.MinPollInterval, connectionOptions.MaxPollInterval = o.minPollInterval, o.maxPollInterval
	connectionOptions.CallsPerSecond, connectionOptions.CallBurst = o.callsPerSecond, o.callBurst
	connectionOptions.UserAgent += "/" + version.Number()
	connectionOptions.Registerer = ctrlmetrics.Registry
	tracer, endTracing, err := tracing.Open(ctx, "classifier-factory-operator", os.Getenv)
	if err != nil {
		return err
	}
	connectionOptions.Tracer = tracer
	ctrlmetrics.Registry.MustRegister(version.Collector("classifier_factory_operator"))
	connectionOptions.PrivateHosts = o.privateHosts
	if own, err := url.Parse(o.serverURL); err == nil {
		connectionOptions.PrivateHosts = append(connectionOptions.PrivateHosts, own.Hostname())
	}
	pool := connection.NewPool(ctx, connectionOptions)
	key := mistral.NewKey(os.Getenv(apiKeyVariable))
	err = controller.Setup(ctx, manager, controller.Options{
		Connections:  controller.NewConnections(pool, manager.GetAPIReader(), o.serverURL, key),
		Clock:        clock.RealClock{},
		Limits:       o.limits,
		Storage:      o.storage,
		Registerer:   ctrlmetrics.Registry,
		Tracer:       tracer,
		Directory:    o.stagingDirectory,
		StagingBytes: o.stagingBytes,
		ClusterID:    o.clusterID,
		Namespaces:   o.namespaces,
	})
	if err := errors.Join(err,
		manager.AddHealthzCheck("healthz", healthz.Ping),
		manager.AddReadyzCheck("readyz", healthz.Ping)); err != nil {
		return err
	}
	err = manager.Start(ctx)
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), tracesTimeout)
	defer cancel()
	return errors.Join(err, endTracing(sending))
}

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(classifierv1alpha1.AddToScheme(scheme))
	return scheme
}

func managerOptions(o options) ctrl.Options {
	metrics := metricsserver.Options{
		BindAddress:   o.metricsAddress,
		SecureServing: o.metricsSecure,
		// HTTP/2 is left out for its resets that cost the server more than the client.
		TLSOpts: []func(*tls.Config){func(config *tls.Config) { config.NextProtos = []string{"http/1.1"} }},
	}
	if o.metricsSecure {
		metrics.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	return ctrl.Options{
		// What cannot be repeated, such as writing a created job's ID down, may end first.
		GracefulShutdownTimeout:       new(shutdownTimeout),
		Scheme:                        newScheme(),
		Metrics:                       metrics,
		HealthProbeBindAddress:        o.probeAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              "classifier-factory.classifierfactory.dev",
		LeaderElectionNamespace:       o.leaderNamespace,
		LeaderElectionReleaseOnCancel: true,
		Cache:                         controller.CacheOptions(o.namespaces...),
	}
}
