// Package controllertest is what the tests of the operator stand on: a control
// plane with the project's kinds, a monitor of what becomes of the objects in it,
// and what a user does in a namespace. It knows nothing of the reconcilers.
package controllertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// serviceAccount is what the operator runs as. It has the generated role and
// nothing else.
const serviceAccount = "system:serviceaccount:classifier-factory-system:controller-manager"

// ControlPlane is an API server with the project's kinds, and a monitor of them.
type ControlPlane struct {
	Scheme   *runtime.Scheme
	Admin    client.WithWatch
	Operator *rest.Config // as the ServiceAccount
	// KubeConfig is the administrator's, for kubectl.
	KubeConfig []byte
	Monitor    *Monitor
	// Namespaces are those that the operator may work in; none: every one.
	Namespaces []string

	environment *envtest.Environment
	directory   string // of what outlives a stop of its processes

	mu     sync.Mutex
	unused []string // of Namespaces
}

// StartForTest starts a control plane that ends with the test, which fails if the
// monitor saw what must not be.
func StartForTest(t testing.TB, root string) *ControlPlane {
	t.Helper()
	plane, err := Start(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	return plane
}

// Start starts a control plane whose operator may work in every namespace. Root is the
// repository's folder.
func Start(root string) (*ControlPlane, error) { return monitored(StartUnmonitored(root)) }

// StartNamespaced starts one whose operator has Roles in so many namespaces, which
// NewNamespace hands out, and no right elsewhere.
func StartNamespaced(root string, namespaces int) (*ControlPlane, error) {
	return monitored(start(root, namespaces, ""))
}

// StartUnmonitored starts a control plane to measure with: a monitor takes its share
// of the machine.
func StartUnmonitored(root string) (*ControlPlane, error) { return start(root, 0, "") }

func monitored(plane *ControlPlane, err error) (*ControlPlane, error) {
	if err != nil {
		return nil, err
	}
	if plane.Monitor, err = startMonitor(plane.Admin); err != nil {
		return nil, errors.Join(err, plane.Stop())
	}
	return plane, nil
}

// start starts one with what a snapshot holds, if one is named.
func start(root string, namespaces int, snapshot string) (*ControlPlane, error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return nil, errors.New("KUBEBUILDER_ASSETS is not set: run the tests with `make test`, or set it to the output of `make envtest-assets`")
	}
	directory, err := os.MkdirTemp("", "control-plane-*")
	if err != nil {
		return nil, err
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths:       []string{filepath.Join(root, "config", "crd", "bases")},
		ErrorIfCRDPathMissing:   true,
		ControlPlaneStopTimeout: 2 * time.Minute,
	}
	// The API server ends when nobody watches any more, or after this time.
	server := environment.ControlPlane.GetAPIServer()
	server.Configure().Set("request-timeout", "30s")
	plane := &ControlPlane{Scheme: runtime.NewScheme(), environment: environment, directory: directory}
	server.CertDir = filepath.Join(directory, "certificates")
	environment.ControlPlane.Etcd = &envtest.Etcd{DataDir: plane.dataDirectory()}
	if err := plane.makeDirectories(snapshot); err != nil {
		return nil, errors.Join(err, os.RemoveAll(directory))
	}
	config, err := environment.Start()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the control plane: %w", err), os.RemoveAll(directory))
	}
	plane.KubeConfig = environment.KubeConfig
	utilruntime.Must(clientgoscheme.AddToScheme(plane.Scheme))
	utilruntime.Must(classifierv1alpha1.AddToScheme(plane.Scheme))
	if err := plane.prepare(config, root, namespaces); err != nil {
		return nil, errors.Join(err, environment.Stop(), os.RemoveAll(directory))
	}
	return plane, nil
}

// prepare brings in the administrator and the operator's ServiceAccount.
func (p *ControlPlane) prepare(config *rest.Config, root string, namespaces int) (err error) {
	if p.Admin, err = client.NewWithWatch(config, client.Options{Scheme: p.Scheme}); err != nil {
		return err
	}
	grant := p.grantClusterRole
	if namespaces > 0 {
		grant = func(root string) error { return p.grantRoles(root, namespaces) }
	}
	if err := grant(filepath.Join(root, "config")); err != nil {
		return err
	}
	user, err := p.environment.AddUser(envtest.User{
		Name:   serviceAccount,
		Groups: []string{"system:serviceaccounts", "system:authenticated"},
	}, nil)
	if err != nil {
		return err
	}
	p.Operator = user.Config()
	return nil
}

// Stop ends the control plane and gives the monitor's verdict. Who still watches
// holds it up.
func (p *ControlPlane) Stop() error {
	var verdict error
	if p.Monitor != nil {
		verdict = p.Monitor.stop()
	}
	return errors.Join(verdict, p.environment.Stop(), os.RemoveAll(p.directory))
}

// KubeConfigOf is that of a ServiceAccount.
func (p *ControlPlane) KubeConfigOf(namespace, name string) ([]byte, error) {
	user, err := p.environment.AddUser(envtest.User{
		Name:   "system:serviceaccount:" + namespace + ":" + name,
		Groups: []string{"system:serviceaccounts", "system:authenticated"},
	}, nil)
	if err != nil {
		return nil, err
	}
	return user.KubeConfig()
}

// grantClusterRole binds the role as the markers generated it.
func (p *ControlPlane) grantClusterRole(config string) error {
	role := &rbacv1.ClusterRole{}
	if err := readManifest(filepath.Join(config, "rbac", "role.yaml"), role); err != nil {
		return err
	}
	binding := &rbacv1.ClusterRoleBinding{
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: serviceAccount}},
	}
	binding.Name = role.Name
	// What was restored from a snapshot has them already.
	return errors.Join(client.IgnoreAlreadyExists(p.Admin.Create(context.Background(), role)),
		client.IgnoreAlreadyExists(p.Admin.Create(context.Background(), binding)))
}

// grantRoles makes namespaces and binds in each the role that was generated for one.
func (p *ControlPlane) grantRoles(config string, namespaces int) error {
	identity, watched := &rbacv1.Role{}, &rbacv1.Role{}
	if err := errors.Join(
		readManifest(filepath.Join(config, "namespaced", "kube_system_role.yaml"), identity),
		readManifest(filepath.Join(config, "namespaced", "watched", "role.yaml"), watched),
		p.grantRole(identity)); err != nil {
		return err
	}
	for i := range namespaces {
		namespace := &corev1.Namespace{}
		namespace.Name = fmt.Sprintf("test-%d", i)
		role := watched.DeepCopy()
		role.Namespace = namespace.Name
		if err := errors.Join(p.Admin.Create(context.Background(), namespace), p.grantRole(role)); err != nil {
			return err
		}
		p.Namespaces = append(p.Namespaces, namespace.Name)
	}
	p.unused = p.Namespaces
	return nil
}

func (p *ControlPlane) grantRole(role *rbacv1.Role) error {
	binding := &rbacv1.RoleBinding{
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: serviceAccount}},
	}
	binding.Namespace, binding.Name = role.Namespace, role.Name
	return errors.Join(p.Admin.Create(context.Background(), role), p.Admin.Create(context.Background(), binding))
}

func readManifest(path string, into client.Object) error {
	manifest, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return yaml.UnmarshalStrict(manifest, into)
}
