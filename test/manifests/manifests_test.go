// Package manifests holds the manifests of config/ against a real API server.
package manifests

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/factory"
)

const systemNamespace = "classifier-factory-system"

var kubectl struct{ binary, kubeconfig string }

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
	plane, err := controllertest.Start(filepath.Join("..", ".."))
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	directory, err := os.MkdirTemp("", "manifests-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	kubectl.binary = filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")
	kubectl.kubeconfig = filepath.Join(directory, "kubeconfig")
	if err := os.WriteFile(kubectl.kubeconfig, plane.KubeConfig, 0o600); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func run(t *testing.T, stdin string, arguments ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), kubectl.binary, append([]string{"--kubeconfig", kubectl.kubeconfig}, arguments...)...)
	command.Stdin = strings.NewReader(stdin)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	err := command.Run()
	return output.String(), err
}

func config(folder string) string { return filepath.Join("..", "..", "config", folder) }

// TestMonitorsSelectTheServices holds what no API server here knows the kind of: that
// the ServiceMonitors name labels and ports that the Services have.
func TestMonitorsSelectTheServices(t *testing.T) {
	rendered := func(folder string) string {
		t.Helper()
		output, err := run(t, "", "kustomize", config(folder))
		if err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		return output
	}
	var services []map[string]any
	for _, object := range objects(t, rendered("default")) {
		if object["kind"] == "Service" {
			services = append(services, object)
		}
	}
	monitors := slices.DeleteFunc(objects(t, rendered("prometheus")), func(object map[string]any) bool { return object["kind"] != "ServiceMonitor" })
	if len(monitors) != 2 {
		t.Errorf("%d monitors, want one of the operator and one of the factory", len(monitors))
	}
	for _, monitor := range monitors {
		name, _, _ := unstructured.NestedString(monitor, "metadata", "name")
		wanted, _, _ := unstructured.NestedStringMap(monitor, "spec", "selector", "matchLabels")
		endpoints, _, _ := unstructured.NestedSlice(monitor, "spec", "endpoints")
		port := endpoints[0].(map[string]any)["port"]
		selected := slices.DeleteFunc(slices.Clone(services), func(service map[string]any) bool {
			present, _, _ := unstructured.NestedStringMap(service, "metadata", "labels")
			ports, _, _ := unstructured.NestedSlice(service, "spec", "ports")
			return !labels.SelectorFromSet(wanted).Matches(labels.Set(present)) ||
				!slices.ContainsFunc(ports, func(each any) bool { return each.(map[string]any)["name"] == port })
		})
		if len(selected) != 1 {
			t.Errorf("%s selects %d Services with a port %v", name, len(selected), port)
		}
	}
}

// TestDiskHasRoomForItsVolumes holds that the operator's budget, which no kubelet sees,
// is less than the volume that it is of, and that the node has been asked for both.
func TestDiskHasRoomForItsVolumes(t *testing.T) {
	output, err := run(t, "", "kustomize", config("default"))
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	budgets := 0
	for _, object := range objects(t, output) {
		if object["kind"] != "Deployment" && object["kind"] != "StatefulSet" {
			continue
		}
		pod := &corev1.PodSpec{}
		content, _, _ := unstructured.NestedMap(object, "spec", "template", "spec")
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, pod); err != nil {
			t.Fatal(err)
		}
		volumes := resource.Quantity{}
		for _, volume := range pod.Volumes {
			if volume.EmptyDir != nil {
				volumes.Add(*volume.EmptyDir.SizeLimit)
			}
		}
		container := pod.Containers[0]
		requested, limit := container.Resources.Requests.StorageEphemeral(), container.Resources.Limits.StorageEphemeral()
		if volumes.Cmp(*requested) > 0 || requested.Cmp(*limit) >= 0 {
			t.Errorf("%s has volumes of %s, asks for %s and may use %s", object["kind"], volumes.String(), requested, limit)
		}
		for _, argument := range container.Args {
			if bytes, ok := strings.CutPrefix(argument, "--staging-bytes="); ok {
				budgets++
				if budget := resource.MustParse(bytes); budget.Cmp(volumes) >= 0 {
					t.Errorf("the budget of %s is not less than the volume of %s", budget.String(), volumes.String())
				}
			}
		}
	}
	if budgets != 1 {
		t.Errorf("%d budgets are set", budgets)
	}
}

func objects(t *testing.T, manifests string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for _, document := range strings.Split(manifests, "\n---\n") {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		all = append(all, object)
	}
	return all
}

// TestTheAPIServerAcceptsEverything applies what users apply. A dry run cannot
// create a namespace for what comes after it, so that one is really created.
func TestTheAPIServerAcceptsEverything(t *testing.T) {
	if output, err := run(t, "", "create", "namespace", systemNamespace); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, folder := range []string{"default", "namespaced", "network-policy", "samples", "samples/quickstart"} {
		t.Run(folder, func(t *testing.T) {
			output, err := run(t, "", "apply", "-k", config(folder), "--dry-run=server")
			if err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}
