package restart

import (
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// factory is one that can be ended and started again: the same directory, the same
// address, the same key.
type factory struct {
	binary, directory, address, apiKey string
	command                            *exec.Cmd
}

func startFactory(t *testing.T, directory string) *factory {
	t.Helper()
	f := &factory{
		binary:    build(t, directory, "factory", "./cmd/factory"),
		directory: filepath.Join(directory, "data"),
		address:   freeAddress(t),
		apiKey:    rand.Text(),
	}
	f.start(t)
	t.Cleanup(func() { f.end(t, syscall.SIGTERM) })
	waitUntilReady(t, f.address)
	return f
}

func (f *factory) start(t *testing.T) {
	t.Helper()
	f.command = exec.Command(f.binary, "--listen="+f.address, "--data-dir="+f.directory)
	f.command.Env = append(os.Environ(), "FACTORY_API_KEY="+f.apiKey)
	if err := f.command.Start(); err != nil {
		t.Fatal(err)
	}
}

// end waits until the process is gone: only then may another use its directory.
func (f *factory) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	err := errors.Join(f.command.Process.Signal(signal), f.command.Wait())
	var exit *exec.ExitError
	if errors.As(err, &exit) && signal == syscall.SIGKILL {
		return
	}
	if err != nil {
		t.Errorf("the factory ended with %v", err)
	}
}

func (f *factory) client(t *testing.T) *mistral.Client {
	t.Helper()
	client, err := mistral.NewClient(mistral.Config{BaseURL: "http://" + f.address, Key: mistral.NewKey(f.apiKey)})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// startOperator starts an operator that looks at its jobs often enough to see a
// short training run.
func startOperator(t *testing.T, directory string, f *factory, kubeconfig []byte) {
	t.Helper()
	path, probes := filepath.Join(directory, "kubeconfig"), freeAddress(t)
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(build(t, directory, "manager", "."),
		"--server-url=http://"+f.address, "--min-poll-interval=50ms", "--max-poll-interval=1s", "--health-probe-bind-address="+probes)
	command.Env = append(os.Environ(), "MISTRAL_API_KEY="+f.apiKey, "KUBECONFIG="+path)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(command.Process.Signal(syscall.SIGTERM), command.Wait()); err != nil {
			t.Errorf("the operator ended with %v", err)
		}
	})
	waitUntilReady(t, probes)
}

// build leaves out what only debuggers need: that halves the time.
func build(t *testing.T, directory, name, folder string) string {
	t.Helper()
	binary := filepath.Join(directory, name)
	command := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", binary, folder)
	command.Dir = filepath.Join("..", "..")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", name, err, output)
	}
	return binary
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

func waitUntilReady(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		response, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not become ready: %v", address, err)
		}
	}
}
