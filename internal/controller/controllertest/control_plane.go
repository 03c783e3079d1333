// Package controllertest is what the tests of the reconcilers stand on: a control
// plane with the project's kinds, and a monitor of what becomes of the objects in
// it. It knows nothing of the reconcilers.
package controllertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// ControlPlane is an API server with the project's kinds.
type ControlPlane struct {
	Scheme   *runtime.Scheme
	Admin    client.WithWatch
	Operator *rest.Config // as the ServiceAccount
	// KubeConfig is the administrator's, for kubectl.
	KubeConfig []byte

	environment *envtest.Environment
}

// Start starts a control plane. Root is the repository's folder.
func Start(ctx context.Context, root string) (plane *ControlPlane, err error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return nil, errors.New("KUBEBUILDER_ASSETS is not set: run the tests with `make test`, or set it to the output of `make envtest-assets`")
	}
	plane = &ControlPlane{
		Scheme: runtime.NewScheme(),
		environment: &envtest.Environment{
			CRDDirectoryPaths:       []string{filepath.Join(root, "config", "crd", "bases")},
			ErrorIfCRDPathMissing:   true,
			ControlPlaneStopTimeout: 2 * time.Minute,
		},
	}
	// The API server ends when nobody watches any more, or after this time.
	plane.environment.ControlPlane.GetAPIServer().Configure().Set("request-timeout", "30s")
	utilruntime.Must(clientgoscheme.AddToScheme(plane.Scheme))
	utilruntime.Must(classifierv1alpha1.AddToScheme(plane.Scheme))
	config, err := plane.environment.Start()
	if err != nil {
		return nil, fmt.Errorf("starting the control plane: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, plane.Stop())
		}
	}()
	plane.KubeConfig = plane.environment.KubeConfig
	if plane.Admin, err = client.NewWithWatch(config, client.Options{Scheme: plane.Scheme}); err != nil {
		return nil, err
	}
	if err := grantGeneratedRole(ctx, plane.Admin, filepath.Join(root, "config", "rbac", "role.yaml")); err != nil {
		return nil, err
	}
	user, err := plane.environment.AddUser(envtest.User{
		Name:   serviceAccount,
		Groups: []string{"system:serviceaccounts", "system:authenticated"},
	}, nil)
	if err != nil {
		return nil, err
	}
	plane.Operator = user.Config()
	return plane, nil
}

// Stop ends the control plane. Who still watches holds it up.
func (p *ControlPlane) Stop() error { return p.environment.Stop() }

// grantGeneratedRole binds the role as the markers generated it.
func grantGeneratedRole(ctx context.Context, admin client.Client, path string) error {
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
	return errors.Join(admin.Create(ctx, role), admin.Create(ctx, binding))
}
