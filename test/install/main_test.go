// Package install holds the Helm chart against the manifests of config/ and a real API server.
package install

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/classifier-factory/classifier-factory/test/installer"
)

const (
	release   = "classifier-factory"
	namespace = "classifier-factory-system"
)

var (
	repository = filepath.Join("..", "..")
	chart      = filepath.Join(repository, "charts", "classifier-factory")
	plane      *envtest.Environment
	kubeconfig string // the administrator's

	findHelm    sync.Once
	helmProgram string
)

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
	plane = &envtest.Environment{ControlPlaneStopTimeout: 2 * time.Minute} // without the kinds, which the chart brings
	if _, err := plane.Start(); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	directory, err := os.MkdirTemp("", "install-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	kubeconfig = filepath.Join(directory, "kubeconfig")
	if err := os.WriteFile(kubeconfig, plane.KubeConfig, 0o600); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func program(t *testing.T, stdin, path string, arguments ...string) (string, error) {
	t.Helper()
	return programAs(t, kubeconfig, stdin, path, arguments...)
}

// programAs runs a program with somebody's access to the cluster, and with nothing of Helm's
// that is the developer's own.
func programAs(t *testing.T, account, stdin, path string, arguments ...string) (string, error) {
	t.Helper()
	home := t.TempDir()
	command := exec.CommandContext(t.Context(), path, arguments...)
	command.Env = append(os.Environ(), "KUBECONFIG="+account, "NAMESPACE="+namespace, "HOME="+home,
		"HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	command.Stdin = strings.NewReader(stdin)
	output, err := command.CombinedOutput()
	return string(output), err
}

func helm(t *testing.T, values string, arguments ...string) (string, error) {
	t.Helper()
	if values != "" {
		file := filepath.Join(t.TempDir(), "values.yaml")
		if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, "--values", file)
	}
	findHelm.Do(func() { helmProgram = installer.Tool(t, "hack/tools/helm/go.mod", "helm") })
	return program(t, "", helmProgram, arguments...)
}

func mustHelm(t *testing.T, values string, arguments ...string) string {
	t.Helper()
	output, err := helm(t, values, arguments...)
	if err != nil {
		t.Fatalf("helm %q: %v\n%s", arguments, err, output)
	}
	return output
}

func kubectl(t *testing.T, stdin string, arguments ...string) string {
	t.Helper()
	output, err := program(t, stdin, filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), arguments...)
	if err != nil {
		t.Fatalf("kubectl %q: %v\n%s", arguments, err, output)
	}
	return output
}

// object is one of a manifest's.
type object = map[string]any

// parse gives the objects of manifests by kind, namespace and name.
func parse(t *testing.T, manifests ...string) map[string]object {
	t.Helper()
	found := map[string]object{}
	for _, document := range strings.Split(strings.Join(manifests, "\n---\n"), "\n---\n") {
		var parsed object
		if err := yaml.Unmarshal([]byte(document), &parsed); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if parsed == nil {
			continue
		}
		metadata := parsed["metadata"].(object)
		key := fmt.Sprintf("%v %v/%v", parsed["kind"], metadata["namespace"], metadata["name"])
		if _, twice := found[key]; twice {
			t.Errorf("%s is rendered twice", key)
		}
		found[key] = parsed
	}
	return found
}
