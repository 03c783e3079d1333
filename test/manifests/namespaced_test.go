package manifests

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/factory"
	"github.com/classifier-factory/classifier-factory/internal/factory/api"
	"github.com/classifier-factory/classifier-factory/test/installer"
)

// TestRolesOfANamespaceAreTheClusterRole holds that both have the rules that the markers
// are generated into, and that kube-system's Role has the one that is about it.
func TestRolesOfANamespaceAreTheClusterRole(t *testing.T) {
	rules := func(path string) []rbacv1.PolicyRule {
		t.Helper()
		role := rbacv1.ClusterRole{} // a Role has the same rules
		if err := yaml.Unmarshal([]byte(read(t, config(path))), &role); err != nil || len(role.Rules) == 0 {
			t.Fatalf("%s: %v", path, err)
		}
		return role.Rules
	}
	cluster := rules("rbac/role.yaml")
	if watched := rules("namespaced/watched/role.yaml"); fmt.Sprint(watched) != fmt.Sprint(cluster) {
		t.Errorf("a watched namespace's rules are %v, the cluster's %v", watched, cluster)
	}
	ofKubeSystem := slices.DeleteFunc(cluster, func(rule rbacv1.PolicyRule) bool { return !slices.Contains(rule.ResourceNames, "kube-system") })
	if got := rules("namespaced/kube_system_role.yaml"); fmt.Sprint(got) != fmt.Sprint(ofKubeSystem) {
		t.Errorf("the rules in kube-system are %v, and generated are %v", got, ofKubeSystem)
	}
}

// TestOperatorOfTwoNamespaces installs what `make build-installer WATCH_NAMESPACES=` writes,
// and runs the operator as that says, with the rights that it gives and no others.
func TestOperatorOfTwoNamespaces(t *testing.T) {
	plane := controllertest.StartForTest(t, filepath.Join("..", ".."))
	admin := client(t, plane.KubeConfig)
	for _, namespace := range []string{"team-a", "team-b", "team-c"} {
		admin.must("", "create", "namespace", namespace)
	}
	install := installer.New(t).Build("WATCH_NAMESPACES=team-a,team-b")
	if strings.Contains(install, "kind: ClusterRoleBinding") {
		t.Error("something is bound in the whole cluster")
	}
	admin.must(install, "apply", "--server-side", "-f", "-")
	kubeconfig, err := plane.KubeConfigOf(systemNamespace, "classifier-factory-controller-manager")
	if err != nil {
		t.Fatal(err)
	}
	operator := client(t, kubeconfig)
	log := operator.start(arguments(t, install))

	for _, namespace := range []string{"team-c", "team-a", "team-b"} {
		admin.must(twoObjects, "apply", "--namespace", namespace, "-f", "-")
	}
	for _, namespace := range []string{"team-a", "team-b"} {
		admin.must("", "wait", "--namespace", namespace, "--for=condition=Ready", "--timeout=2m", "classifierdataset/data", "classifiertrainingjob/job")
		admin.must("", "get", "secret", "--namespace", namespace, "job")
		const writers = `jsonpath={range .items[*]}{.reason}={.metadata.managedFields[*].manager} {end}`
		if events := admin.must("", "get", "events.events.k8s.io", "--namespace", namespace, "-o", writers); !strings.Contains(events, "Published=classifier-factory") {
			t.Errorf("the events in %s are %s", namespace, events)
		}
	}
	if finalizers := admin.must("", "get", "classifiers", "--namespace", "team-c", "-o", `jsonpath={.items[*].metadata.finalizers}{.items[*].status.state}`); finalizers != "Pending Pending" {
		t.Errorf("in another namespace the operator was at work: %s", finalizers)
	}
	// What is refused would be asked for again and again.
	if log := read(t, log); strings.Contains(log, "forbidden") || !strings.Contains(log, "Starting workers") {
		t.Errorf("the operator asks for what it may not have:\n%s", log)
	}

	for _, test := range []struct {
		allowed bool
		request []string
	}{
		{true, []string{"get", "namespace", "kube-system"}},
		{true, []string{"get", "classifiertrainingjobs", "--namespace", "team-a"}},
		{true, []string{"get", "secret", "job", "--namespace", "team-b"}},
		{false, []string{"get", "namespace", "team-a"}},
		{false, []string{"get", "namespaces"}},
		{false, []string{"get", "secrets", "--namespace", "team-a"}},
		{false, []string{"get", "secret", "job", "--namespace", "team-c"}},
		{false, []string{"get", "configmaps", "--namespace", "kube-system"}},
		{false, []string{"get", "classifierdatasets", "--namespace", "team-c"}},
		{false, []string{"get", "classifierdatasets", "--all-namespaces"}},
		{false, []string{"get", "classifiertrainingjobs", "--all-namespaces"}},
		{false, []string{"get", "configmaps", "--all-namespaces"}},
		{false, []string{"annotate", "classifierdataset", "data", "a=b", "--namespace", "team-c"}},
	} {
		output, err := operator.run("", test.request...)
		if (err == nil) != test.allowed || !test.allowed && !strings.Contains(output, "forbidden") {
			t.Errorf("%q: %v\n%s", test.request, err, output)
		}
	}
}

var twoObjects = manifest("ClassifierDataset", "data", fmt.Sprintf(`{source: {inline: {data: %q}}}`, controllertest.Sentiments(20))) +
	"\n---\n" + manifest("ClassifierTrainingJob", "job", `{training: {datasets: [{name: data}]}}`)

// arguments are those of the operator's container, in which the kubelet puts the namespace.
func arguments(t *testing.T, install string) []string {
	t.Helper()
	for _, document := range strings.Split(install, "\n---\n") {
		var deployment appsv1.Deployment
		if err := yaml.Unmarshal([]byte(document), &deployment); err == nil && deployment.Kind == "Deployment" {
			return deployment.Spec.Template.Spec.Containers[0].Args
		}
	}
	t.Fatal("there is no Deployment")
	return nil
}

// account is somebody who uses kubectl.
type account struct {
	*testing.T
	kubeconfig string
}

func client(t *testing.T, kubeconfig []byte) account {
	t.Helper()
	a := account{t, filepath.Join(t.TempDir(), "kubeconfig")}
	if err := os.WriteFile(a.kubeconfig, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a account) run(stdin string, arguments ...string) (string, error) {
	a.Helper()
	command := exec.CommandContext(a.Context(), kubectl.binary, append([]string{"--kubeconfig", a.kubeconfig}, arguments...)...)
	command.Stdin = strings.NewReader(stdin)
	output, err := command.CombinedOutput()
	return string(output), err
}

func (a account) must(stdin string, arguments ...string) string {
	a.Helper()
	output, err := a.run(stdin, arguments...)
	if err != nil {
		a.Fatalf("kubectl %q: %v\n%s", arguments, err, output)
	}
	return output
}

// start runs the operator with a factory of its own until the test ends, and tells where
// it logs to. What depends on being in a cluster, and fixed ports, are said otherwise: the
// last of two flags counts.
func (a account) start(arguments []string) (log string) {
	a.Helper()
	binary := filepath.Join(a.TempDir(), "manager")
	build := exec.CommandContext(a.Context(), "go", "build", "-ldflags=-s -w", "-o", binary, ".")
	build.Dir = filepath.Join("..", "..")
	if output, err := build.CombinedOutput(); err != nil {
		a.Fatalf("%v\n%s", err, output)
	}
	key := rand.Text()
	operators := api.NewKey("test", key)
	var err error
	if operators.Scopes, err = factory.ParseScopes([]string{"classify", "train", "act-for"}); err != nil {
		a.Fatal(err)
	}
	server, err := factory.Open(a.Context(), factory.Config{Directory: a.TempDir(), APIKeys: []api.Key{operators}})
	if err != nil {
		a.Fatal(err)
	}
	front := httptest.NewServer(server.Handler())
	output, err := os.Create(filepath.Join(a.TempDir(), "log"))
	if err != nil {
		a.Fatal(err)
	}
	operator := exec.Command(binary, append(arguments, "--server-url="+front.URL, "--health-probe-bind-address=0", "--leader-election-namespace="+systemNamespace)...)
	operator.Env = append(os.Environ(), "KUBECONFIG="+a.kubeconfig, "MISTRAL_API_KEY="+key)
	operator.Stdout, operator.Stderr = output, output
	if err := operator.Start(); err != nil {
		a.Fatal(err)
	}
	a.Cleanup(func() {
		if err := errors.Join(operator.Process.Signal(syscall.SIGTERM), operator.Wait()); err != nil {
			a.Errorf("the operator ended with %v", err)
		}
		front.Close()
		if err := errors.Join(server.Close(), output.Close()); err != nil {
			a.Error(err)
		}
	})
	return output.Name()
}
