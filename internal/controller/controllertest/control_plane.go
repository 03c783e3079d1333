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
	"testing"
	"time"

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

	environment *envtest.Environment
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

// Start starts a control plane. Root is the repository's folder.
func Start(root string) (*ControlPlane, error) {
	plane, err := StartUnmonitored(root)
	if err != nil {
		return nil, err
	}
	if plane.Monitor, err = startMonitor(plane.Admin); err != nil {
		return nil, errors.Join(err, plane.Stop())
	}
	return plane, nil
}

// StartUnmonitored starts a control plane to measure with: a monitor takes its share
// of the machine.
func StartUnmonitored(root string) (*ControlPlane, error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return nil, errors.New("KUBEBUILDER_ASSETS is not set: run the tests with `make test`, or set it to the output of `make envtest-assets`")
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths:       []string{filepath.Join(root, "config", "crd", "bases")},
		ErrorIfCRDPathMissing:   true,
		ControlPlaneStopTimeout: 2 * time.Minute,
	}
	// The API server ends when nobody watches any more, or after this time.
	environment.ControlPlane.GetAPIServer().Configure().Set("request-timeout", "30s")
	config, err := environment.Start()
	if err != nil {
		return nil, fmt.Errorf("starting the control plane: %w", err)
	}
	plane := &ControlPlane{Scheme: runtime.NewScheme(), KubeConfig: environment.KubeConfig, environment: environment}
	utilruntime.Must(clientgoscheme.AddToScheme(plane.Scheme))
	utilruntime.Must(classifierv1alpha1.AddToScheme(plane.Scheme))
	if err := plane.prepare(config, root); err != nil {
		return nil, errors.Join(err, environment.Stop())
	}
	return plane, nil
}

// prepare brings in the administrator and the operator's ServiceAccount.
func (p *ControlPlane) prepare(config *rest.Config, root string) (err error) {
	if p.Admin, err = client.NewWithWatch(config, client.Options{Scheme: p.Scheme}); err != nil {
		return err
	}
	if err := grantGeneratedRole(p.Admin, filepath.Join(root, "config", "rbac", "role.yaml")); err != nil {
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
	return errors.Join(verdict, p.environment.Stop())
}

// grantGeneratedRole binds the role as the markers generated it.
func grantGeneratedRole(admin client.Client, path string) error {
	manifest, err := os.ReadFile(path)
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
	return errors.Join(admin.Create(context.Background(), role), admin.Create(context.Background(), binding))
}
