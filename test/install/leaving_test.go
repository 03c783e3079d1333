package install

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/classifier-factory/classifier-factory/test/installer"
	"github.com/classifier-factory/classifier-factory/test/processes"
)

const held = `
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierDataset
metadata: {name: held, namespace: NAMESPACE, finalizers: [classifierfactory.dev/factory-cleanup, example.com/other]}
spec: {source: {inline: {data: x}}}
---
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierTrainingJob
metadata: {name: held, namespace: NAMESPACE, finalizers: [classifierfactory.dev/factory-cleanup]}
spec: {training: {datasets: [{name: held}]}}
`

// TestUninstallingLetsObjectsGo does what the hook of an uninstallation does, with the rights
// that it gives and no others: objects that hang without an operator are gone, a finalizer of
// somebody else's is not ours to take, and the kinds can be deleted.
func TestUninstallingLetsObjectsGo(t *testing.T) {
	operator, err := processes.Build(t.TempDir(), "manager", ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, values string
		namespaces   []string // in which objects are freed
		held         []string // in which they are not
	}{
		{"everywhere", "", []string{"freed-1", "freed-2"}, nil},
		{"some namespaces", "watchNamespaces: [watched-1, watched-2]", []string{"watched-1", "watched-2"}, []string{"unwatched"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, name := range append(test.namespaces, test.held...) {
				kubectl(t, "", "create", "namespace", name)
			}
			mustHelm(t, test.values, "upgrade", "--install", release, chart, "--namespace", namespace, "--create-namespace")
			for _, name := range append(test.namespaces, test.held...) {
				kubectl(t, strings.ReplaceAll(held, "NAMESPACE", name), "apply", "-f", "-")
			}
			kubectl(t, "", "delete", "classifiers", "--all", "--all-namespaces", "--wait=false")

			account, arguments := hook(t, test.values)
			for range 2 { // a hook may be tried again
				if output, err := programAs(t, account, "", operator, arguments...); err != nil {
					t.Fatalf("%v\n%s", err, output)
				}
			}
			for _, name := range test.namespaces {
				if left := kubectl(t, "", "get", "classifiers", "--namespace", name, "-o", "jsonpath={.items[*].metadata.finalizers}"); left != `["example.com/other"]` {
					t.Errorf("in %s there are objects with the finalizers %s", name, left)
				}
			}
			for _, name := range test.held {
				if left := kubectl(t, "", "get", "classifiers", "--namespace", name, "-o", "name"); strings.Count(left, "held") != 2 {
					t.Errorf("in %s there are the objects %s", name, left)
				}
			}
			if deployments := kubectl(t, "", "get", "deployments", "--namespace", namespace); !strings.Contains(deployments, "No resources") {
				t.Errorf("the operator is there:\n%s", deployments)
			}
			uninstall(t, release, namespace)
			for _, name := range append(test.namespaces, test.held...) {
				kubectl(t, "", "patch", "classifierdataset", "held", "--namespace", name, "--type=merge", "-p", `{"metadata": {"finalizers": null}}`)
			}
			for _, name := range test.held {
				kubectl(t, "", "patch", "classifiertrainingjob", "held", "--namespace", name, "--type=merge", "-p", `{"metadata": {"finalizers": null}}`)
			}
			kubectl(t, "", "delete", "crds", "classifierdatasets.classifierfactory.dev", "classifiertrainingjobs.classifierfactory.dev", "--timeout=1m")
		})
	}
}

// hook applies the account and the rights of the hook, and gives the account's kubeconfig
// and the arguments of the Job's container.
func hook(t *testing.T, values string) (account string, arguments []string) {
	t.Helper()
	rendered := mustHelm(t, values, "template", release, chart, "--namespace", namespace, "--show-only", "templates/let_go.yaml")
	kubectl(t, rendered, "delete", "--ignore-not-found", "-f", "-") // of an earlier uninstallation
	kubectl(t, rendered, "apply", "-f", "-")
	job := parse(t, rendered)["Job "+namespace+"/"+release+"-let-go"]
	pod := job["spec"].(object)["template"].(object)["spec"].(object)
	for _, argument := range pod["containers"].([]any)[0].(object)["args"].([]any) {
		arguments = append(arguments, argument.(string))
	}
	user, err := plane.AddUser(envtest.User{
		Name:   "system:serviceaccount:" + namespace + ":" + pod["serviceAccountName"].(string),
		Groups: []string{"system:serviceaccounts", "system:authenticated"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	content, err := user.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	account = filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(account, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return account, arguments
}

// TestDeletingTheManifestKeepsObjects: whoever deletes what install.yaml installed is done in no time, and
// has every object yet. Were the kinds in it, each object would wait for the operator that goes with it.
func TestDeletingTheManifestKeepsObjects(t *testing.T) {
	kinds, rest := installer.New(t).BuildParts()
	if strings.Contains(rest, "kind: CustomResourceDefinition") || strings.Count(kinds, "kind: CustomResourceDefinition") != 2 {
		t.Fatal("the kinds are not apart")
	}
	for range 2 { // installed again, it works with what is there
		kubectl(t, kinds+"---\n"+rest, "apply", "--server-side", "--force-conflicts", "-f", "-")
		kubectl(t, "", "wait", "--for=condition=Established", "--timeout=1m", "crds", "--all")
		kubectl(t, strings.ReplaceAll(held, "NAMESPACE", "default"), "apply", "-f", "-")
		// A namespace needs a controller to go.
		for _, object := range strings.Split(rest, "\n---\n") {
			if !strings.Contains(object, "\nkind: Namespace\n") {
				kubectl(t, object, "delete", "--timeout=30s", "-f", "-")
			}
		}
		deleted := kubectl(t, "", "get", "classifiers", "--namespace", "default", "-o", "jsonpath={.items[*].metadata.deletionTimestamp}")
		if names := kubectl(t, "", "get", "classifiers", "--namespace", "default", "-o", "name"); strings.Count(names, "held") != 2 || deleted != "" {
			t.Fatalf("there are\n%s\ndeleted at %q", names, deleted)
		}
	}
	for _, kind := range []string{"classifierdataset", "classifiertrainingjob"} {
		kubectl(t, "", "patch", kind, "held", "--namespace", "default", "--type=merge", "-p", `{"metadata": {"finalizers": null}}`)
	}
	kubectl(t, kinds, "delete", "--timeout=1m", "-f", "-")
}

var freeing = regexp.MustCompile("(?ms)^```sh\n(kubectl get .*?kubectl patch.*?)^```$")

// TestThePageLetsObjectsGo runs what the how-to page says where the operator went first and
// the kinds hang.
func TestThePageLetsObjectsGo(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(repository, "docs", "how-to", "uninstall.md"))
	if err != nil {
		t.Fatal(err)
	}
	commands := freeing.FindSubmatch(page)
	if commands == nil {
		t.Fatal("the page does not say how")
	}
	kinds := []string{"crds", "classifierdatasets.classifierfactory.dev", "classifiertrainingjobs.classifierfactory.dev"}
	kubectl(t, "", "apply", "--server-side", "--force-conflicts", "-k", filepath.Join(repository, "config", "crd"))
	kubectl(t, "", append([]string{"wait", "--for=condition=Established", "--timeout=1m"}, kinds...)...)
	kubectl(t, strings.ReplaceAll(held, "NAMESPACE", "default"), "apply", "-f", "-")
	kubectl(t, "", append([]string{"delete", "--wait=false"}, kinds...)...)
	script := "set -e; PATH=" + os.Getenv("KUBEBUILDER_ASSETS") + ":$PATH\n" + string(commands[1])
	if output, err := program(t, "", "bash", "-c", script); err != nil || strings.Count(output, "patched") != 2 {
		t.Fatalf("%v\n%s", err, output)
	}
	kubectl(t, "", append([]string{"wait", "--for=delete", "--timeout=1m"}, kinds...)...)
}
