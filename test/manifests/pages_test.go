package manifests

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

var (
	root      = filepath.Join("..", "..")
	link      = regexp.MustCompile(`\]\(([^)#: ]*)(?:#([^)]*))?\)`)
	heading   = regexp.MustCompile(`(?m)^#+ (.*)$`)
	codeBlock = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	place     = regexp.MustCompile("`((?:api|charts|cmd|config|hack|internal|test)/[\\w./-]*)`")
	shBlock   = regexp.MustCompile("(?ms)^( *)```sh\n(.*?)^ *```$")
)

// pages are all that users and contributors read, without examples of code.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*/*.md", "charts/*/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(paths) == 0 {
			t.Fatalf("there are no pages %s: %v", pattern, err)
		}
		for _, path := range paths {
			found[path] = codeBlock.ReplaceAllString(read(t, path), "")
		}
	}
	return found
}

// TestLinksLeadSomewhere: each link between the pages finds its page, and its heading.
func TestLinksLeadSomewhere(t *testing.T) {
	for page, content := range pages(t) {
		for _, found := range link.FindAllStringSubmatch(content, -1) {
			target, anchor := page, found[2]
			if found[1] != "" {
				target = filepath.Join(filepath.Dir(page), filepath.FromSlash(found[1]))
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", page, err)
			} else if anchor != "" && strings.HasSuffix(target, ".md") && !hasHeading(read(t, target), anchor) {
				t.Errorf("%s: %s has no heading #%s", page, target, anchor)
			}
		}
	}
}

// hasHeading looks for a heading by the name that renderers of Markdown give it.
func hasHeading(page, anchor string) bool {
	for _, found := range heading.FindAllStringSubmatch(page, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(found[1]), "")
		if strings.ReplaceAll(name, " ", "-") == anchor {
			return true
		}
	}
	return false
}

// TestPlacesThatPagesName are there: what moves takes along who speaks of it.
func TestPlacesThatPagesName(t *testing.T) {
	const kubebuilders = "cmd/main.go" // which CONTRIBUTING.md says is elsewhere here
	for page, content := range pages(t) {
		for _, found := range place.FindAllStringSubmatch(content, -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(found[1]))); err != nil && found[1] != kubebuilders {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

// TestEveryReasonHasASymptom: whoever meets a reason finds it on the page that is there for it.
func TestEveryReasonHasASymptom(t *testing.T) {
	page := read(t, filepath.Join(root, "docs", "how-to", "troubleshoot.md"))
	reasons := codesOf(t, filepath.Join(root, "api", "v1alpha1", "conditions.go"), "Condition types")
	for _, reason := range reasons {
		if !strings.Contains(page, "`"+reason+"`") {
			t.Errorf("%s is not on the page", reason)
		}
	}
	if len(reasons) < 50 {
		t.Errorf("only %d reasons are looked for", len(reasons))
	}
}

const moving = `
apiVersion: v1
kind: Secret
metadata: {name: link, namespace: moving}
stringData: {uri: "https://factory.example.com", api-key: key}
---
apiVersion: v1
kind: Secret
metadata:
  name: published
  namespace: moving
  ownerReferences: [{apiVersion: classifierfactory.dev/v1alpha1, kind: ClassifierTrainingJob, name: intents, uid: 0b6d2c5e-7a3f-4b0e-9c41-1f2d3a4b5c6d, controller: true}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: texts, namespace: moving}
data: {train.jsonl: "texts"}
---
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierDataset
metadata: {name: intents, namespace: moving, finalizers: [classifierfactory.dev/factory-cleanup]}
spec: {connectionSecretRef: {name: link}, source: {configMaps: [{name: texts, key: train.jsonl}]}}
---
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierTrainingJob
metadata: {name: intents, namespace: moving, finalizers: [classifierfactory.dev/factory-cleanup]}
spec: {connectionSecretRef: {name: link}, training: {datasets: [{name: intents}]}}
`

const movingStatus = `{"status": {"observedGeneration": 1, "remoteJob": {"id": "job-1", "state": "RUNNING"},
  "attempt": {"number": 1, "marker": "abcdefgh", "pendingSince": "2026-01-02T03:04:05Z"}, "conditions": [
    {"type": "Ready", "status": "False", "reason": "Training", "message": "RUNNING", "observedGeneration": 1, "lastTransitionTime": "2026-01-02T03:04:05Z"},
    {"type": "Reconciling", "status": "True", "reason": "Training", "message": "RUNNING", "observedGeneration": 1, "lastTransitionTime": "2026-01-02T03:04:05Z"}]}}`

// TestMoveAndRestore does what the page says, to a namespace that is lost in between: specs and
// statuses are as they were, and what the operator has to make anew is not in the backup.
func TestMoveAndRestore(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("the page's commands need jq")
	}
	blocks := shBlock.FindAllStringSubmatch(read(t, filepath.Join(root, "docs", "how-to", "move-and-restore.md")), -1)
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of commands, want the backup and the restore", len(blocks))
	}
	directory := t.TempDir()
	kubeconfig := filepath.Join(directory, "kubeconfig")
	if err := os.WriteFile(kubeconfig, []byte(read(t, kubectl.kubeconfig)), 0o600); err != nil {
		t.Fatal(err)
	}
	shell := func(script string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
		command.Dir = directory
		command.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "PATH="+filepath.Dir(kubectl.binary)+":"+os.Getenv("PATH"))
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, script, output)
		}
		return string(output)
	}
	objects := func() (all struct {
		Items []struct{ Spec, Status map[string]any }
	}) {
		t.Helper()
		if err := yaml.Unmarshal([]byte(shell("kubectl get classifiers -o json")), &all); err != nil {
			t.Fatal(err)
		}
		return all
	}

	shell("kubectl create namespace moving; kubectl config set-context --current --namespace=moving; kubectl create -f - <<'END'\n" + moving + "END\n" +
		"kubectl patch classifiertrainingjob intents --subresource=status --type=merge -p '" + movingStatus + "'")
	before := objects()
	shell(blocks[0][2])
	shell(`kubectl patch classifierdataset intents --type=merge -p '{"metadata": {"finalizers": null}}'
kubectl patch classifiertrainingjob intents --type=merge -p '{"metadata": {"finalizers": null}}'
kubectl delete classifiers,secrets,configmaps --all`)
	shell(blocks[1][2])
	if after := objects(); len(after.Items) != 2 || !reflect.DeepEqual(after, before) {
		t.Errorf("the objects are\n%v\nand were\n%v", after, before)
	}
	if secrets := shell("kubectl get secrets,configmaps -o name"); !strings.Contains(secrets, "secret/link") || strings.Contains(secrets, "published") || !strings.Contains(secrets, "configmap/texts") {
		t.Errorf("there are\n%s", secrets)
	}
}
