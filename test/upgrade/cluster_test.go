package upgrade

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/test/processes"
)

const (
	system = "classifier-factory-system"
	team   = "team"
	apiKey = "the-key-of-the-operator-and-the-factory"
)

var repository = filepath.Join("..", "..")

// version is the folder of one, and what was built of it.
type version struct{ folder, manager, factory string }

// older is the version from which is upgraded.
func older(t *testing.T) version {
	t.Helper()
	if *from == "" {
		t.Skip("SKIPPED: -upgrade.from names no version; make test-upgrade does")
	}
	folder := t.TempDir()
	command := exec.CommandContext(t.Context(), "bash", "-o", "pipefail", "-c", `git archive "$0" | tar -x -C "$1"`, *from, folder)
	command.Dir = repository
	if output, err := command.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: the repository has no commit %s, as after a shallow clone: %s", *from, output)
	}
	return build(t, folder)
}

// build builds a version's programs as `make build` does, so that Go's cache has most of them, whatever the folder.
func build(t *testing.T, folder string) version {
	t.Helper()
	programs := t.TempDir()
	for name, source := range map[string]string{"manager": ".", "factory": "./cmd/factory"} {
		command := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags=disable_grpc_modules,grpcnotrace", "-ldflags=-s -w",
			"-o", filepath.Join(programs, name), source)
		command.Dir, command.Env = folder, append(os.Environ(), "CGO_ENABLED=0")
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	return version{folder, filepath.Join(programs, "manager"), filepath.Join(programs, "factory")}
}

// cluster is an API server, and what survives an upgrade.
type cluster struct {
	*testing.T
	plane *envtest.Environment
	// kubeconfig is an administrator's, factory the address and data the directory of the factory.
	kubeconfig, factory, data string
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	plane := &envtest.Environment{ControlPlaneStartTimeout: 3 * time.Minute, ControlPlaneStopTimeout: 2 * time.Minute}
	c := &cluster{T: t, plane: plane, factory: processes.FreeAddress(t), data: t.TempDir()}
	if _, err := c.plane.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	c.kubeconfig = c.write("kubeconfig", c.plane.KubeConfig)
	return c
}

func (c *cluster) install(version version) {
	c.Helper()
	c.kubectl("", "apply", "--server-side", "-k", filepath.Join(version.folder, "config", "default"))
	c.kubectl("", "wait", "--for=condition=Established", "--timeout=1m", "crds", "--all")
}

// startOperator starts a version's with the rights that the manifests give, and gives how it ends.
func (c *cluster) startOperator(version version) (end func()) {
	c.Helper()
	user, err := c.plane.AddUser(envtest.User{
		Name:   "system:serviceaccount:" + system + ":classifier-factory-controller-manager",
		Groups: []string{"system:serviceaccounts", "system:authenticated"},
	}, nil)
	if err != nil {
		c.Fatal(err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		c.Fatal(err)
	}
	probes := processes.FreeAddress(c.T)
	operator := processes.Start(c.T, version.manager, probes,
		[]string{"MISTRAL_API_KEY=" + apiKey, "KUBECONFIG=" + c.write("kubeconfig", kubeconfig)},
		"--server-url=http://"+c.factory, "--min-poll-interval=50ms", "--max-poll-interval=1s", "--health-probe-bind-address="+probes)
	return func() { operator.End(c.T, syscall.SIGTERM) }
}

func (c *cluster) startFactory(version version) (end func()) {
	c.Helper()
	server := processes.Start(c.T, version.factory, c.factory, []string{"FACTORY_API_KEY=" + apiKey},
		"--listen="+c.factory, "--metrics-listen=127.0.0.1:0", "--data-dir="+c.data)
	return func() { server.End(c.T, syscall.SIGTERM) }
}

func (c *cluster) write(name string, content []byte) string {
	c.Helper()
	path := filepath.Join(c.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		c.Fatal(err)
	}
	return path
}

// makeSamples makes all but those that come late.
func (c *cluster) makeSamples() {
	c.Helper()
	c.kubectl("", "create", "namespace", team)
	c.makeConfigMap("small", short(0))
	c.makeConfigMap("long", long())
}

func (c *cluster) makeConfigMap(name, rows string) {
	c.Helper()
	c.kubectl("", "create", "configmap", name, "--namespace", team, "--from-file=train.jsonl="+c.write("train.jsonl", []byte(rows)))
}

// short are samples that differ by the number.
func short(number int) string {
	var rows strings.Builder
	for i := range 40 {
		fmt.Fprintf(&rows, `{"text": "a good day, number %d of %d", "labels": {"mood": "good"}}`+"\n", i, number)
		fmt.Fprintf(&rows, `{"text": "a bad night, number %d of %d", "labels": {"mood": "bad"}}`+"\n", i, number)
	}
	return rows.String()
}

// long are samples that take their time to learn: thousands with a hundred labels.
func long() string {
	random := rand.New(rand.NewPCG(1, 1))
	var rows strings.Builder
	for rows.Len() < 300_000 {
		label := random.IntN(100)
		fmt.Fprintf(&rows, `{"text": "word%d of %d in %x", "labels": {"kind": "label-%d"}}`+"\n",
			label*10+random.IntN(20), random.IntN(1000), random.IntN(1<<30), label)
	}
	return rows.String()
}

func (c *cluster) kubectl(stdin string, arguments ...string) string {
	c.Helper()
	command := exec.CommandContext(c.Context(), filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), arguments...)
	command.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig)
	command.Stdin = strings.NewReader(stdin)
	output, err := command.CombinedOutput()
	if err != nil {
		c.Fatalf("kubectl %q: %v\n%s", arguments, err, output)
	}
	return string(output)
}

// until waits until the column STATUS of an object tells this.
func (c *cluster) until(object, state string) {
	c.Helper()
	command := exec.CommandContext(c.Context(), filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"),
		"wait", object, "--namespace", team, "--timeout=3m", "--for=jsonpath={.status.state}="+state)
	command.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig)
	if output, err := command.CombinedOutput(); err != nil {
		c.Fatalf("%s does not become %s: %s\n%s", object, state, output, c.kubectl("", "describe", object, "--namespace", team))
	}
}

func (c *cluster) stateOf(object string) string {
	c.Helper()
	return c.kubectl("", "get", object, "--namespace", team, "-o", "jsonpath={.status.state}")
}

func (c *cluster) client(key, namespace string) *mistral.Client {
	c.Helper()
	client, err := mistral.NewClient(mistral.Config{BaseURL: "http://" + c.factory, Key: mistral.NewKey(key), Namespace: namespace})
	if err != nil {
		c.Fatal(err)
	}
	return client
}

// mustClassify uses published models, each with the key of its Secret.
func (c *cluster) mustClassify(names ...string) {
	c.Helper()
	for _, name := range names {
		secret := c.kubectl("", "get", ctj+name, "--namespace", team, "-o", "jsonpath={.status.binding.name}")
		value := func(key string) string {
			decoded, err := base64.StdEncoding.DecodeString(c.kubectl("", "get", "secret", secret, "--namespace", team, "-o", "jsonpath={.data."+key+"}"))
			if err != nil {
				c.Fatal(err)
			}
			return string(decoded)
		}
		_, err := c.client(value("api-key"), "").Classify(c.Context(), mistral.ClassifyRequest{Model: value("model"), Input: []string{"a good day"}})
		if err != nil {
			c.Errorf("the model of %s does not serve: %v", name, err)
		}
	}
}
