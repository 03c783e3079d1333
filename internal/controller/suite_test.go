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

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

// serviceAccount is what the manager of the tests runs as. It has the generated
// role and nothing else.
const serviceAccount = "system:serviceaccount:classifier-factory-system:controller-manager"

// cluster is the control plane that the package's tests share, and the manager
// that runs in it.
var cluster struct {
	scheme  *runtime.Scheme
	admin   client.Client
	manager *rest.Config // as the ServiceAccount
	monitor *monitor
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
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return 1, errors.New("KUBEBUILDER_ASSETS is not set: run the tests with `make test`, or set it to the output of `make envtest-assets`")
	}
	log, err := os.CreateTemp("", "manager-*.log")
	if err != nil {
		return 1, err
	}
	ctrl.SetLogger(zap.New(zap.WriteTo(log), zap.UseDevMode(true)))
	fmt.Println("the manager logs to", log.Name())

	cluster.scheme = runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(cluster.scheme))
	utilruntime.Must(classifierv1alpha1.AddToScheme(cluster.scheme))
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	config, err := environment.Start()
	if err != nil {
		return 1, fmt.Errorf("starting the control plane: %w", err)
	}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	if cluster.admin, err = client.New(config, client.Options{Scheme: cluster.scheme}); err != nil {
		return 1, err
	}
	if err := grantGeneratedRole(context.Background(), cluster.admin); err != nil {
		return 1, err
	}
	user, err := environment.AddUser(envtest.User{
		Name:   serviceAccount,
		Groups: []string{"system:serviceaccounts", "system:authenticated"},
	}, nil)
	if err != nil {
		return 1, err
	}
	cluster.manager = user.Config()

	ctx, stop := context.WithCancel(context.Background())
	ended, err := startManager(ctx)
	if err != nil {
		stop()
		return 1, err
	}
	watcher, err := client.NewWithWatch(config, client.Options{Scheme: cluster.scheme})
	if err != nil {
		stop()
		return 1, err
	}
	if cluster.monitor, err = startMonitor(ctx, watcher); err != nil {
		stop()
		return 1, err
	}
	code = m.Run()
	stop()
	err = errors.Join(<-ended, cluster.monitor.verdict())
	if code == 0 && err == nil {
		err = os.Remove(log.Name())
	}
	return code, err
}

// grantGeneratedRole binds the role as the markers generated it.
func grantGeneratedRole(ctx context.Context, admin client.Client) error {
	manifest, err := os.ReadFile(filepath.Join("..", "..", "config", "rbac", "role.yaml"))
	if err != nil {
		return err
	}
	role := &rbacv1.ClusterRole{}
	if err := yaml.UnmarshalStrict(manifest, role); err != nil {
		return err
	}
	binding := &rbacv1.ClusterRoleBinding{
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: serviceAccount}},
	}
	binding.Name = role.Name
	return errors.Join(admin.Create(ctx, role), admin.Create(ctx, binding))
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
