package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/controller"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

var errCrashed = errors.New("the operator crashed")

// operator is one life of the operator: from a start to a crash.
type operator struct {
	world *world
	name  string // its User-Agent, by which the factory's proxy knows it
	dead  atomic.Bool
	stop  context.CancelFunc
	ended chan struct{}
	err   error // how it ended by itself, known when it has
}

// startOperator starts the operator as main does, in the worlds' time.
func (w *world) startOperator() *operator {
	w.Helper()
	ctx, stop := context.WithCancel(w.ctx)
	w.mu.Lock()
	life := &operator{world: w, name: fmt.Sprintf("operator-%d", w.proxy.lives.Add(1)), stop: stop, ended: make(chan struct{})}
	w.operators = append(w.operators, life)
	w.mu.Unlock()
	w.proxy.operators.Store(life.name, life)
	manager, err := life.newManager(ctx)
	if err != nil {
		stop()
		close(life.ended)
		w.Errorf("starting %s: %v", life.name, err)
		return life
	}
	go func() {
		defer close(life.ended)
		life.err = manager.Start(ctx)
		if life.err != nil && !life.dead.Load() && !w.mayEnd {
			w.Errorf("%s: %v", life.name, life.err)
		}
	}()
	return life
}

func (o *operator) newManager(ctx context.Context) (ctrl.Manager, error) {
	config := rest.CopyConfig(o.world.plane.Operator)
	config.QPS = -1
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &apiTransport{operator: o, next: next} })
	cacheOptions := controller.CacheOptions()
	cacheOptions.DefaultNamespaces = map[string]cache.Config{o.world.Namespace.Name: {}}
	cacheOptions.DefaultTransform = transformInWorldTime(cacheOptions.DefaultTransform)
	real, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  o.world.plane.Scheme,
		MapperProvider:          func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return o.world.plane.mapper, nil },
		Cache:                   cacheOptions,
		Logger:                  o.world.logger.WithValues("operator", o.name),
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		GracefulShutdownTimeout: new(10 * time.Second),
		// Without this a panic would fail one reconcile and leave the tests green.
		Controller: ctrlconfig.Controller{RecoverPanic: new(false)},
	})
	if err != nil {
		return nil, err
	}
	manager := managerInWorldTime{real}
	options := connection.DefaultOptions()
	options.PrivateHosts = []string{"127.0.0.1"}
	options.Clock, options.UserAgent, options.Registerer = worldClock, o.name, o.registerer()
	options.MinPollInterval, options.MaxPollInterval = o.world.pollInterval, 2*o.world.pollInterval
	storage := source.DefaultObjectStorageOptions()
	storage.PrivateHosts = []string{"127.0.0.1"}
	pool := connection.NewPool(ctx, options)
	return manager, controller.Setup(ctx, manager, controller.Options{
		Connections:        controller.NewConnections(pool, manager.GetAPIReader(), "", mistral.Key{}),
		Clock:              worldClock,
		Limits:             dataset.DefaultLimits(),
		Directory:          o.world.TempDir(),
		ClusterID:          o.world.clusterID,
		Storage:            storage,
		SkipNameValidation: true,
		Registerer:         o.registerer(),
		NewQueue:           newFastQueue,
	})
}

// registerer is where the metrics of this life go, if somebody looks at them.
func (o *operator) registerer() prometheus.Registerer {
	if o.world.registerer == nil {
		return nil
	}
	return prometheus.WrapRegistererWith(prometheus.Labels{"operator": o.name}, o.world.registerer)
}

// crash ends the operator as a power cut does: from this instant nothing that it
// does reaches anybody. Another one starts in its place.
func (o *operator) crash() {
	if o.dead.Swap(true) {
		return
	}
	o.stop()
	o.world.restarts.Go(func() { o.world.startOperator() })
}
