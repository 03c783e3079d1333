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

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/factory"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

// namespaced runs the tests with an operator that has Roles in its namespaces alone, as
// with --watch-namespaces.
var namespaced = flag.Bool("namespaced", false, "give the operator Roles in the tests' namespaces instead of the ClusterRole")

// suiteNamespaces is some more than the tests take.
const suiteNamespaces = 450

// cluster is the control plane that the package's tests share.
var cluster *controllertest.ControlPlane

func TestMain(m *testing.M) {
	factory.RunIfChild()
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

	defer func() {
		if code == 0 && err == nil {
			err = os.Remove(log.Name())
		}
	}()
	root := filepath.Join("..", "..")
	if *namespaced {
		cluster, err = controllertest.StartNamespaced(root, suiteNamespaces)
	} else {
		cluster, err = controllertest.Start(root)
	}
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended, err := startManager(ctx)
	if err != nil {
		return 1, err
	}
	code = m.Run()
	stop()
	return code, <-ended
}

// startManager runs the operator as main does, as the ServiceAccount and with
// quicker polling.
func startManager(ctx context.Context) (ended chan error, err error) {
	// Without this a panic would fail one reconcile and leave the tests green.
	recoverPanic := false
	cacheOptions := CacheOptions(cluster.Namespaces...)
	cacheOptions.DefaultLabelSelector = notDrivenByTest
	manager, err := ctrl.NewManager(cluster.Operator, ctrl.Options{
		Scheme:     cluster.Scheme,
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
	err = Setup(ctx, manager, Options{
		Connections: NewConnections(connection.NewPool(ctx, options), manager.GetAPIReader(), "", mistral.Key{}),
		Clock:       clock.RealClock{},
		Limits:      dataset.DefaultLimits(),
		Storage:     source.DefaultObjectStorageOptions(),
		Namespaces:  cluster.Namespaces,
	})
	if err != nil {
		return nil, err
	}
	ended = make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	return ended, nil
}
