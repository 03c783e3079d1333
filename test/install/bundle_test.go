package install

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/classifier-factory/classifier-factory/test/installer"
)

// TestBundleIsValid has OLM's own rules judge it, and the API server what stands beside the operator.
func TestBundleIsValid(t *testing.T) {
	folder, _ := bundle(t)
	verify := installer.Tool(t, "hack/tools/olm/go.mod", "operator-verify")
	output, err := program(t, "", verify, "manifests", filepath.Join(folder, "bundle"))
	if err != nil || strings.Contains(output, "rror") || strings.Contains(output, "arning") { // it exits 0 in any case
		t.Errorf("%v\n%s", err, output)
	}
	for key, object := range parse(t, readFolder(t, filepath.Join(folder, "bundle", "manifests"))...) {
		if key != csvKey {
			kubectl(t, show(t, object), "apply", "--server-side", "--dry-run=server", "--namespace", "default", "-f", "-")
		}
	}
	kubectl(t, "", "apply", "--namespace", "default", "--dry-run=server", "-f", filepath.Join(folder, "factory.yaml"))
}

const csvKey = "ClusterServiceVersion placeholder/classifier-factory.v1.2.3"

// TestBundleGivesTheOperatorItsRights: those of the manifests, where it has them there, and no others.
func TestBundleGivesTheOperatorItsRights(t *testing.T) {
	folder, installed := bundle(t)
	csv := parse(t, readFolder(t, filepath.Join(folder, "bundle", "manifests"))...)[csvKey]
	strategy := csv["spec"].(object)["install"].(object)["spec"].(object)
	for permission, roles := range map[string][]string{
		"clusterPermissions": {"ClusterRole <nil>/classifier-factory-manager-role", "ClusterRole <nil>/classifier-factory-metrics-auth-role"},
		"permissions":        {"Role " + namespace + "/classifier-factory-leader-election-role"},
	} {
		var want []any
		for _, role := range roles {
			want = append(want, installed[role]["rules"].([]any)...)
		}
		got := strategy[permission].([]any)[0].(object)
		if got["serviceAccountName"] != "classifier-factory-controller-manager" || !reflect.DeepEqual(got["rules"], want) {
			t.Errorf("the %s are\n%s\nwant\n%s", permission, show(t, got), show(t, want))
		}
	}
}

// TestBundleLosesNothing: what is installed otherwise is in the bundle, beside it, or made by OLM.
func TestBundleLosesNothing(t *testing.T) {
	folder, installed := bundle(t)
	files := append(readFolder(t, filepath.Join(folder, "bundle", "manifests")), readFolder(t, folder)...)
	there := parse(t, files...)
	madeByOLM := []string{"Namespace", "ServiceAccount", "Deployment", "RoleBinding", "ClusterRoleBinding"}
	rights := []string{"classifier-factory-manager-role", "classifier-factory-metrics-auth-role", "classifier-factory-leader-election-role"}
	for key := range installed {
		kind, name, _ := strings.Cut(key, " ")
		_, name, _ = strings.Cut(name, "/")
		if there[kind+" <nil>/"+name] == nil && !slices.Contains(madeByOLM, kind) && !slices.Contains(rights, name) {
			t.Errorf("%s is neither in the bundle nor beside it", key)
		}
	}
}

// TestBundleNamesNoOtherRegistry: all images are those that the release was told.
func TestBundleNamesNoOtherRegistry(t *testing.T) {
	folder, _ := bundle(t)
	all := strings.Join(append(readFolder(t, filepath.Join(folder, "bundle", "manifests")), readFolder(t, filepath.Join(folder, "bundle", "tests", "scorecard"))...), "\n")
	images := image.FindAllStringSubmatch(all, -1)
	for _, found := range images {
		if !strings.HasPrefix(found[1], "registry.example.com/") {
			t.Errorf("the image %s is used", found[1])
		}
	}
	if len(images) < 2 {
		t.Errorf("there are %d images", len(images))
	}
}

// TestBundleLabels: the image says of itself what its metadata say, or a catalogue does not find them.
func TestBundleLabels(t *testing.T) {
	folder, _ := bundle(t)
	dockerfile, err := os.ReadFile(filepath.Join(folder, "bundle.Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	var metadata struct{ Annotations map[string]string }
	if err := yaml.Unmarshal([]byte(readFolder(t, filepath.Join(folder, "bundle", "metadata"))[0]), &metadata); err != nil {
		t.Fatal(err)
	}
	for name, value := range metadata.Annotations {
		if !strings.Contains(string(dockerfile), "LABEL "+name+"="+value+"\n") {
			t.Errorf("the image has no label %s=%s", name, value)
		}
	}
	if labels := strings.Count(string(dockerfile), "LABEL "); labels != len(metadata.Annotations) || labels < 8 {
		t.Errorf("%d labels, %d annotations", labels, len(metadata.Annotations))
	}
	if output, err := makeBundle(t, folder, "kind: Namespace\nmetadata: {}\n"); err == nil || !strings.Contains(output, "no operator") {
		t.Errorf("of a namespace alone: %v\n%s", err, output)
	}
}

// bundle makes the bundle of what is installed, and gives its folder and that.
func bundle(t *testing.T) (folder string, installed map[string]object) {
	t.Helper()
	kinds, rest := installer.New(t).BuildParts()
	folder = t.TempDir()
	if output, err := makeBundle(t, folder, kinds+"---\n"+rest); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return folder, parse(t, kinds, rest)
}

// makeBundle runs what `make bundle` runs.
func makeBundle(t *testing.T, folder, manifests string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "run", "./hack/olmbundle",
		"-version", "1.2.3", "-scorecard-image", "registry.example.com/scorecard-test:v1", "-out", folder)
	command.Dir = repository
	command.Stdin = strings.NewReader(manifests)
	output, err := command.CombinedOutput()
	return string(output), err
}

func readFolder(t *testing.T, folder string) (files []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s has no manifests: %v", folder, err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, string(content))
	}
	return files
}
