package manifests

import (
	"path/filepath"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/test/installer"
)

// TestKindsThatGoAndComeBack deletes the kinds of a running operator, with objects in place:
// it cleans up, so that they go at once, and works on when they are there again.
func TestKindsThatGoAndComeBack(t *testing.T) {
	plane, err := controllertest.StartUnmonitored(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	// Registered first, it comes after the operator's end.
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	admin := client(t, plane.KubeConfig)
	install := installer.New(t).Build()
	admin.must(install, "apply", "--server-side", "-f", "-")
	kubeconfig, err := plane.KubeConfigOf(systemNamespace, "classifier-factory-controller-manager")
	if err != nil {
		t.Fatal(err)
	}
	// Metrics and leader election are not what is tested.
	client(t, kubeconfig).start(append(arguments(t, install), "--metrics-bind-address=0"))

	for _, life := range []string{"first", "second"} {
		admin.must(install, "apply", "--server-side", "--force-conflicts", "-f", "-")
		admin.must("", "wait", "--for=condition=Established", "--timeout=1m", "crds", "--all")
		admin.must(twoObjects, "apply", "-f", "-")
		if output, err := admin.run("", "wait", "--for=condition=Ready", "--timeout=3m", "classifierdataset/data", "classifiertrainingjob/job"); err != nil {
			t.Fatalf("in the %s life of the kinds: %v\n%s", life, err, output)
		}
		admin.must("", "delete", "--timeout=1m", "crds", "classifierdatasets.classifierfactory.dev", "classifiertrainingjobs.classifierfactory.dev")
		admin.must("", "delete", "secret", "job") // a cluster's garbage collector does it
	}
}
