package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/test/installer"
)

const (
	system  = "classifier-factory-system"
	release = "classifier-factory"
)

var repository = filepath.Join("..", "..")

// volume is what a storage class of a cluster makes, for pods of the factory's user.
const volume = `
apiVersion: v1
kind: PersistentVolume
metadata: {name: factory}
spec:
  accessModes: [ReadWriteOnce]
  capacity: {storage: 10Gi}
  persistentVolumeReclaimPolicy: Retain
  hostPath: {path: FOLDER}
`

// makeRoom makes the volume of a factory, where nobody else does.
func makeRoom(t *testing.T) {
	t.Helper()
	if under.own == nil {
		return
	}
	folder, err := under.own.makeVolume()
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, strings.ReplaceAll(volume, "FOLDER", folder), "apply", "-f", "-")
	t.Cleanup(func() { kubectl(t, "", "delete", "persistentvolume", "factory", "--ignore-not-found") })
}

// manifests gives crds.yaml and install.yaml.
func manifests(t *testing.T, images images) (kinds, rest string) {
	t.Helper()
	return installer.New(t).BuildParts("IMG="+images.operator, "FACTORY_IMG="+images.factory)
}

func manifest(t *testing.T, images images) string {
	t.Helper()
	kinds, rest := manifests(t, images)
	return kinds + "---\n" + rest
}

// installManifest does what `make deploy` does.
func installManifest(t *testing.T) {
	t.Helper()
	makeRoom(t)
	kubectl(t, manifest(t, under.images), "apply", "--server-side", "-f", "-")
	kubectl(t, "", "create", "secret", "generic", "factory-api-key", "--namespace", system, "--from-literal=api-key="+strings.Repeat("k", 40))
	waitDeployed(t)
}

func waitDeployed(t *testing.T) {
	t.Helper()
	if output, err := try(t, "", filepath.Join(repository, "hack", "wait-deployed.sh")); err != nil {
		t.Fatalf("%v\n%s\n%s", err, output, kubectl(t, "", "describe", "pods", "--namespace", system))
	}
}

func installChart(t *testing.T) {
	t.Helper()
	makeRoom(t)
	image := func(name string) string { return name[strings.LastIndex(name, "/")+1 : strings.LastIndex(name, ":")] }
	tag := func(name string) string { return name[strings.LastIndex(name, ":")+1:] }
	registry := under.images.operator[:strings.LastIndex(under.images.operator, "/")]
	helm(t, "install", release, filepath.Join(repository, "charts", "classifier-factory"), "--namespace", system, "--create-namespace",
		"--set", "imageRegistry="+registry,
		"--set", fmt.Sprintf("operator.image.repository=%s,operator.image.tag=%s", image(under.images.operator), tag(under.images.operator)),
		"--set", fmt.Sprintf("factory.image.repository=%s,factory.image.tag=%s", image(under.images.factory), tag(under.images.factory)))
	waitDeployed(t)
}

func helm(t *testing.T, arguments ...string) {
	t.Helper()
	program := installer.Tool(t, "hack/tools/helm/go.mod", "helm")
	if output, err := try(t, "", program, arguments...); err != nil {
		t.Fatalf("helm %q: %v\n%s", arguments, err, output)
	}
}

// team makes a namespace in which pods are restricted, with what the quickstart has.
func team(t *testing.T, name string) {
	t.Helper()
	kubectl(t, "", "create", "namespace", name)
	kubectl(t, "", "label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
	kubectl(t, "", "apply", "--namespace", name, "-k", filepath.Join(repository, "config", "samples", "quickstart"))
	kubectl(t, "", "wait", "--namespace", name, "--for=condition=Complete", "--timeout=3m", "classifiertrainingjobs", "--all")
}

// deleteKinds and deleteManifest are what the how-to page says, in its order.
func deleteKinds(t *testing.T) {
	t.Helper()
	kinds, _ := manifests(t, under.images)
	kubectl(t, kinds, "delete", "--timeout=1m", "-f", "-")
}

func deleteManifest(t *testing.T) {
	t.Helper()
	_, rest := manifests(t, under.images)
	kubectl(t, rest, "delete", "--ignore-not-found", "--timeout=1m", "-f", "-")
}

// nothingIsLeft holds that after an uninstallation all is gone within a minute, the team's namespace, too.
func nothingIsLeft(t *testing.T, team string) {
	t.Helper()
	kubectl(t, "", "delete", "namespace", team, "--timeout=1m")
	left := kubectl(t, "", "get", "--all-namespaces", "crds,clusterroles,clusterrolebindings,namespaces,roles,rolebindings,persistentvolumeclaims", "-o", "name")
	for name := range strings.Lines(left) {
		if strings.Contains(name, "classifier-factory") || strings.Contains(name, "classifierfactory") {
			t.Errorf("%s is left", strings.TrimSpace(name))
		}
	}
}
