// Package manifests holds the manifests of config/ against a real API server.
package manifests

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

const systemNamespace = "classifier-factory-system"

var kubectl struct{ binary, kubeconfig string }

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
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		return 1, fmt.Errorf("KUBEBUILDER_ASSETS is not set: run the tests with `make test`, or set it to the output of `make envtest-assets`")
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	if _, err := environment.Start(); err != nil {
		return 1, fmt.Errorf("starting the control plane: %w", err)
	}
	defer func() {
		if stopErr := environment.Stop(); err == nil {
			err = stopErr
		}
	}()
	directory, err := os.MkdirTemp("", "manifests-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	kubectl.binary = filepath.Join(assets, "kubectl")
	kubectl.kubeconfig = filepath.Join(directory, "kubeconfig")
	if err := os.WriteFile(kubectl.kubeconfig, environment.KubeConfig, 0o600); err != nil {
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

// TestTheAPIServerAcceptsEverything applies what users apply. A dry run cannot
// create a namespace for what comes after it, so that one is really created.
func TestTheAPIServerAcceptsEverything(t *testing.T) {
	if output, err := run(t, "", "create", "namespace", systemNamespace); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, folder := range []string{"default", "samples", "samples/quickstart"} {
		t.Run(folder, func(t *testing.T) {
			output, err := run(t, "", "apply", "-k", config(folder), "--dry-run=server")
			if err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}
