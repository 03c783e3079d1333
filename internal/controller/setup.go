package controller

import (
	"cmp"
	"context"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	ctrlcontroller "sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/source"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

const (
	// The first retry is quick, for what a moment heals; a lasting trouble costs a look every few minutes.
	minRetry = 200 * time.Millisecond
	maxRetry = 5 * time.Minute
)

// Options are what both reconcilers need besides the manager.
type Options struct {
	Connections *Connections
	Clock       clock.WithTicker
	Limits      dataset.Limits
	// Directory holds samples on their way to the factory. Empty: the system's.
	Directory string
	// StagingBytes are how many may be in it. 0: DefaultStagingBytes.
	StagingBytes int64
	// Registerer gets the metrics. Nil: nobody sees them.
	Registerer prometheus.Registerer
	// Tracer makes a span of each pass. Nil: none is made.
	Tracer trace.Tracer
	// Storage is how object storage is read.
	Storage source.ObjectStorageOptions
	// ClusterID tells this cluster from others that use the same factory. Empty: the UID
	// of namespace kube-system, which a clone of the cluster has, too.
	ClusterID string
	// Namespaces are those that the manager watches. Empty: every one.
	Namespaces []string
	// SkipNameValidation lets several managers run in one process.
	SkipNameValidation bool
	// NewQueue makes the queues, whose time must be Clock's. Nil: those of
	// controller-runtime, in real time.
	NewQueue func(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request]
}

func (o Options) controller() ctrlcontroller.Options {
	return ctrlcontroller.Options{
		MaxConcurrentReconciles: workers,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minRetry, maxRetry),
		SkipNameValidation:      &o.SkipNameValidation,
		NewQueue:                o.NewQueue,
	}
}

// Setup registers both reconcilers with a manager.
func Setup(ctx context.Context, manager ctrl.Manager, options Options) error {
	if options.Directory == "" {
		options.Directory = os.TempDir()
	}
	marks, err := identify(ctx, manager.GetAPIReader(), options.ClusterID)
	if err != nil {
		return err
	}
	if err := manager.Add(newVersionGuard(manager, options)); err != nil {
		return err
	}
	recorder := manager.GetEventRecorder("classifier-factory")
	metrics := newMetrics(options.Registerer, manager.GetClient())
	datasets := &DatasetReconciler{
		client: manager.GetClient(),
		sources: source.Readers{
			Metadata:      manager.GetClient(),
			Live:          unloggedReader{manager.GetAPIReader()},
			ObjectStorage: source.NewObjectStorage(options.Storage),
		},
		connections: options.Connections,
		refusals:    newRefusals(options.Clock),
		metrics:     metrics,
		recorder:    recorder,
		clock:       options.Clock,
		limits:      options.Limits,
		marks:       marks,

		looks:        newLooks(options.Clock),
		staging:      newStaging(options.Directory, cmp.Or(options.StagingBytes, DefaultStagingBytes)),
		preparations: turns.NewSlots(maxPreparations, maxNamespacePreparations),
		uploads:      turns.NewSlots(maxUploads, maxNamespaceUploads),
	}
	if err := datasets.SetupWithManager(ctx, manager, options); err != nil {
		return err
	}
	jobs := &TrainingJobReconciler{
		client:      manager.GetClient(),
		live:        unloggedReader{manager.GetAPIReader()},
		connections: options.Connections,
		refusals:    newRefusals(options.Clock),
		metrics:     metrics,
		recorder:    recorder,
		clock:       options.Clock,
		marks:       marks,
		lookAtFiles: datasets.lookAtFiles,
		looks:       newJobLooks(options.Clock),
		watched:     map[types.NamespacedName]watchedJob{},
		searched:    map[types.UID]time.Time{},
		surplus:     map[types.UID]surplusLook{},
	}
	return jobs.SetupWithManager(ctx, manager, options)
}

// changedByUser passes what users change: the spec, annotations, the deletion.
// The status is the reconcilers' own.
func changedByUser() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
}

// CacheOptions are for these namespaces, or for every one if there are none. They make a
// slip loud: reading a kind that is not watched, such as Secrets, through the cache is an
// error instead of a silent watch on all of them.
func CacheOptions(namespaces ...string) cache.Options {
	options := cache.Options{
		ReaderFailOnMissingInformer: true,
		DefaultTransform:            lighten,
		NewInformer:                 newInformer,
		DefaultNamespaces:           map[string]cache.Config{},
	}
	for _, namespace := range namespaces {
		options.DefaultNamespaces[namespace] = cache.Config{}
	}
	return options
}
