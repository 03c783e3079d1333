// Package upgrade holds that whoever upgrades from an older version loses nothing and trains
// nothing twice: manifests, operator and factory are first the old ones and then those of this
// repository, on one API server with the same objects.
package upgrade

import (
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/test/installer"
	"github.com/classifier-factory/classifier-factory/test/processes"
)

const (
	system = "classifier-factory-system"
	team   = "team"
	apiKey = "the-key-of-the-operator-and-the-factory"
)

var (
	from       = flag.String("upgrade.from", "88714c8", "the commit from which is upgraded")
	repository = filepath.Join("..", "..")
)

// objects are in every state that lasts, once the old version has seen them.
const objects = `
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierDataset
metadata: {name: small}
spec: {source: {configMaps: [{name: small, key: train.jsonl}]}}
---
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierDataset
metadata: {name: large}
spec: {source: {configMaps: [{name: large, key: train.jsonl}]}}
---
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierDataset
metadata: {name: late}
spec: {source: {configMaps: [{name: late, key: train.jsonl}]}}
---
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierDataset
metadata: {name: invalid}
spec: {source: {inline: {data: '{"text": "a sample without labels"}'}}}
---
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierTrainingJob
metadata: {name: done}
spec: {training: {datasets: [{name: small}]}}
---
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierTrainingJob
metadata: {name: suspended}
spec: {suspend: true, training: {datasets: [{name: small}]}}
---
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierTrainingJob
metadata: {name: waiting}
spec: {training: {datasets: [{name: late}]}}
---
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierTrainingJob
metadata: {name: useless}
spec: {training: {datasets: [{name: invalid}]}}
`

const running = `
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierTrainingJob
metadata: {name: running}
spec: {training: {datasets: [{name: large}]}}
`

func TestUpgrade(t *testing.T) {
	old := checkOut(t)
	c := startCluster(t)
	c.kubectl("", "apply", "--server-side", "-k", filepath.Join(old, "config", "default"))
	ended := c.start("old", build(t, old, "manager", "."), build(t, old, "factory", "./cmd/factory"))
	c.makeObjects()
	c.kubectl(running, "apply", "--namespace", team, "-f", "-")
	c.until("running", "{.status.remoteJob.state}", string(mistral.JobRunning))
	before := c.jobs()
	ended()

	c.kubectl(installer.New(t).Build(), "apply", "--server-side", "-f", "-")
	c.start("new", build(t, repository, "manager", "."), build(t, repository, "factory", "./cmd/factory"))
	c.until("running", succeeded, "True")
	for _, name := range []string{"running", "done"} {
		if c.status(name, "{.status.remoteJob.id}") != before[name] {
			t.Errorf("%s is another job at the factory now", name)
		}
	}
	// What an older engine trained may be refused, by a sentence that says what to do.
	if err := c.classify("done"); err != nil && !strings.Contains(err.Error(), "train the model again") {
		t.Errorf("the model of before does not serve: %v", err)
	}
	if state := c.status("suspended", "{.status.state}"); state != "Suspended" {
		t.Errorf("what was suspended is %s", state)
	}
	c.kubectl("", "patch", "ctj", "suspended", "--namespace", team, "--type=merge", "-p", `{"spec": {"suspend": false}}`)
	c.makeSamples("late", 1)
	for _, name := range []string{"suspended", "waiting"} {
		c.until(name, succeeded, "True")
	}
	for _, name := range []string{"running", "suspended", "waiting"} {
		if err := c.classify(name); err != nil {
			t.Errorf("the model of %s does not serve: %v", name, err)
		}
	}
	if state := c.status("useless", "{.status.conditions[?(@.type==\"Ready\")].status}"); state != "False" {
		t.Errorf("the job on invalid data is Ready: %s", state)
	}
	if after := c.jobs(); len(after) != 4 || c.countJobs() != 4 {
		t.Errorf("for four trained objects the factory has %d jobs: %v", c.countJobs(), after)
	}
	c.kubectl("", "delete", "classifiers", "--all", "--namespace", team, "--timeout=1m")
}

const succeeded = `{.status.conditions[?(@.type=="Ready")].status}`

// checkOut gives a folder with the old version.
func checkOut(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	script := fmt.Sprintf("git archive %s | tar -x -C %s", *from, folder)
	command := exec.CommandContext(t.Context(), "bash", "-o", "pipefail", "-c", script)
	command.Dir = repository
	if output, err := command.CombinedOutput(); err != nil {
		t.Skipf("the repository has no commit %s, as after a shallow clone: %s", *from, output)
	}
	return folder
}

func build(t *testing.T, source, name, folder string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), name)
	// As `make build` does, so that Go's cache has most of it, whatever the folder.
	command := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, folder)
	command.Dir, command.Env = source, append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return binary
}

// cluster is an API server, and what survives an upgrade.
type cluster struct {
	*testing.T
	plane               *envtest.Environment
	kubeconfig, factory string
	data                string
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{T: t, plane: &envtest.Environment{ControlPlaneStopTimeout: 2 * time.Minute}, factory: processes.FreeAddress(t), data: t.TempDir()}
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

// start starts a version, with the rights that its manifests give, and gives how it ends.
func (c *cluster) start(version, manager, factory string) (end func()) {
	c.Helper()
	user, err := c.plane.AddUser(envtest.User{
		Name:   "system:serviceaccount:" + system + ":classifier-factory-controller-manager",
		Groups: []string{"system:serviceaccounts", "system:authenticated"},
	}, nil)
	if err != nil {
		c.Fatal(err)
	}
	content, err := user.KubeConfig()
	if err != nil {
		c.Fatal(err)
	}
	server := processes.Start(c.T, factory, c.factory, []string{"FACTORY_API_KEY=" + apiKey},
		"--listen="+c.factory, "--metrics-listen=127.0.0.1:0", "--data-dir="+c.data)
	probes := processes.FreeAddress(c.T)
	operator := processes.Start(c.T, manager, probes, []string{"MISTRAL_API_KEY=" + apiKey, "KUBECONFIG=" + c.write(version, content)},
		"--server-url=http://"+c.factory, "--min-poll-interval=50ms", "--max-poll-interval=1s", "--health-probe-bind-address="+probes)
	return func() {
		operator.End(c.T, syscall.SIGTERM)
		server.End(c.T, syscall.SIGTERM)
	}
}

func (c *cluster) write(name string, content []byte) string {
	c.Helper()
	path := filepath.Join(c.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		c.Fatal(err)
	}
	return path
}

// makeObjects makes all but what runs, and waits until they are as they stay.
func (c *cluster) makeObjects() {
	c.Helper()
	c.kubectl("", "create", "namespace", team)
	c.makeSamples("small", 1)
	c.makeSamples("large", 20)
	c.kubectl("", "wait", "--for=condition=Established", "--timeout=1m", "crds", "--all")
	c.kubectl(objects, "apply", "--namespace", team, "-f", "-")
	c.until("done", succeeded, "True")
	c.kubectl("", "wait", "--for=condition=Ready", "--timeout=2m", "--namespace", team, "cds/large")
	c.until("suspended", "{.status.state}", "Suspended")
	c.until("useless", succeeded, "False")
	c.until("waiting", succeeded, "False")
}

// makeSamples makes a ConfigMap of the quickstart's samples, each so many times and a little different.
func (c *cluster) makeSamples(name string, times int) {
	c.Helper()
	content, err := os.ReadFile(filepath.Join(repository, "config", "samples", "quickstart", "data", "intents-train.jsonl"))
	if err != nil {
		c.Fatal(err)
	}
	var rows strings.Builder
	for i := range times {
		for row := range strings.Lines(string(content)) {
			rows.WriteString(strings.Replace(row, `"text": "`, fmt.Sprintf(`"text": "no. %d `, i), 1))
		}
	}
	c.kubectl("", "create", "configmap", name, "--namespace", team, "--from-file=train.jsonl="+c.write("train.jsonl", []byte(rows.String())))
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

func (c *cluster) until(job, path, value string) {
	c.Helper()
	c.kubectl("", "wait", "--namespace", team, "--timeout=3m", "--for=jsonpath="+path+"="+value, "ctj/"+job)
}

func (c *cluster) status(job, path string) string {
	c.Helper()
	return c.kubectl("", "get", "ctj", job, "--namespace", team, "-o", "jsonpath="+path)
}

// jobs are the IDs at the factory, by their objects.
func (c *cluster) jobs() map[string]string {
	c.Helper()
	ids := map[string]string{}
	for line := range strings.Lines(c.kubectl("", "get", "ctj", "--namespace", team, "-o",
		`jsonpath={range .items[*]}{.metadata.name} {.status.remoteJob.id}{"\n"}{end}`)) {
		if name, id, _ := strings.Cut(strings.TrimSpace(line), " "); id != "" {
			ids[name] = id
		}
	}
	return ids
}

func (c *cluster) client(key, namespace string) *mistral.Client {
	c.Helper()
	client, err := mistral.NewClient(mistral.Config{BaseURL: "http://" + c.factory, Key: mistral.NewKey(key), Namespace: namespace})
	if err != nil {
		c.Fatal(err)
	}
	return client
}

// countJobs counts all that the factory was ever told to train.
func (c *cluster) countJobs() int {
	c.Helper()
	jobs, err := c.client(apiKey, team).ListJobs(c.Context(), mistral.JobFilter{})
	if err != nil {
		c.Fatal(err)
	}
	return len(jobs.Data)
}

// classify uses a published model, with the key of its Secret.
func (c *cluster) classify(job string) error {
	c.Helper()
	secret := c.status(job, "{.status.binding.name}")
	value := func(key string) string {
		// A Secret of before gets its key when the new operator comes to it.
		c.kubectl("", "wait", "--namespace", team, "--timeout=1m", "--for=jsonpath={.data."+key+"}", "secret/"+secret)
		decoded, err := base64.StdEncoding.DecodeString(c.kubectl("", "get", "secret", secret, "--namespace", team, "-o", "jsonpath={.data."+key+"}"))
		if err != nil {
			c.Fatal(err)
		}
		return string(decoded)
	}
	_, err := c.client(value("api-key"), "").Classify(c.Context(), mistral.ClassifyRequest{Model: value("model"), Input: []string{"Where is my parcel?"}})
	return err
}
