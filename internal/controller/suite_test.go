package controller

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

// cluster is the control plane that the package's tests share, and the manager
// that runs in it.
var cluster struct {
	scheme  *runtime.Scheme
	admin   client.Client
	manager *rest.Config // as the ServiceAccount
}

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := runSuite(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runSuite(m *testing.M) (code int, err error) {
	log, err := os.CreateTemp("", "manager-*.log")
	if err != nil {
		return 1, err
	}
	ctrl.SetLogger(zap.New(zap.WriteTo(log), zap.UseDevMode(true)))
	fmt.Println("the manager logs to", log.Name())

	plane, err := controllertest.Start(context.Background(), filepath.Join("..", ".."))
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	cluster.scheme, cluster.admin, cluster.manager = plane.Scheme, plane.Admin, plane.Operator

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended, err := startManager(ctx)
	if err != nil {
		return 1, err
	}
	monitor, err := controllertest.StartMonitor(ctx, plane.Admin)
	if err != nil {
		return 1, err
	}
	code = m.Run()
	stop()
	err = errors.Join(<-ended, monitor.Verdict())
	if code == 0 && err == nil {
		err = os.Remove(log.Name())
	}
	return code, err
}

// startManager runs the operator as main does, as the ServiceAccount and with
// quicker polling.
func startManager(ctx context.Context) (ended chan error, err error) {
	// Without this a panic would fail one reconcile and leave the tests green.
	recoverPanic := false
	cacheOptions := CacheOptions()
	cacheOptions.DefaultLabelSelector = notDrivenByTest
	manager, err := ctrl.NewManager(cluster.manager, ctrl.Options{
		Scheme:     cluster.scheme,
		Cache:      cacheOptions,
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Controller: ctrlconfig.Controller{RecoverPanic: &recoverPanic},
	})
	if err != nil {
		return nil, err
	}
	options := connection.DefaultOptions()
	options.PrivateHosts = []string{"127.0.0.1"}
	options.MinPollInterval, options.MaxPollInterval = 50*time.Millisecond, time.Second
	options.CallsPerSecond, options.CallBurst = 1000, 1000
	err = Setup(ctx, manager, Options{
		Connections: NewConnections(connection.NewPool(ctx, options), manager.GetAPIReader(), "", mistral.Key{}),
		Clock:       clock.RealClock{},
		Limits:      dataset.DefaultLimits(),
		Storage:     source.DefaultObjectStorageOptions(),
	})
	if err != nil {
		return nil, err
	}
	ended = make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	return ended, nil
}
