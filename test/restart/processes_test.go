package restart

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/test/processes"
)

// factory is one that can be ended and started again: the same directory, the same
// address, the same key.
type factory struct {
	t                                  *testing.T // with which it ends
	binary, directory, address, apiKey string
	process                            *processes.Process
}

func startFactory(t *testing.T, directory string) *factory {
	t.Helper()
	f := &factory{
		t:         t,
		binary:    build(t, directory, "factory", "./cmd/factory"),
		directory: filepath.Join(directory, "data"),
		address:   processes.FreeAddress(t),
		apiKey:    rand.Text(),
	}
	f.start()
	return f
}

func (f *factory) start() {
	f.t.Helper()
	f.process = processes.Start(f.t, f.binary, f.address, []string{"FACTORY_API_KEY=" + f.apiKey},
		"--listen="+f.address, "--metrics-listen=127.0.0.1:0", "--data-dir="+f.directory)
}

func (f *factory) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	f.process.End(t, signal)
}

func (f *factory) client(t *testing.T, key, namespace string) *mistral.Client {
	t.Helper()
	client, err := mistral.NewClient(mistral.Config{BaseURL: "http://" + f.address, Key: mistral.NewKey(key), Namespace: namespace})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// startOperator starts an operator that looks at its jobs often enough to see a
// short training run.
func startOperator(t *testing.T, directory string, f *factory, kubeconfig []byte) {
	t.Helper()
	path, probes := filepath.Join(directory, "kubeconfig"), processes.FreeAddress(t)
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	processes.Start(t, build(t, directory, "manager", "."), probes,
		[]string{"MISTRAL_API_KEY=" + f.apiKey, "KUBECONFIG=" + path},
		"--server-url=http://"+f.address, "--min-poll-interval=50ms", "--max-poll-interval=1s", "--health-probe-bind-address="+probes)
}

func build(t *testing.T, directory, name, folder string) string {
	t.Helper()
	binary, err := processes.Build(directory, name, folder)
	if err != nil {
		t.Fatal(err)
	}
	return binary
}
