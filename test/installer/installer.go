// Package installer runs what `make build-installer` runs, on a copy of the manifests.
package installer

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const script = "hack/build-installer.sh"

// Installer is a copy of the manifests and of the script that puts them together.
type Installer struct {
	*testing.T
	folder, kustomize string
}

// New copies them from the repository, which is two folders up from every test.
func New(t *testing.T) *Installer {
	t.Helper()
	repository := filepath.Join("..", "..")
	i := &Installer{T: t, folder: t.TempDir(), kustomize: Tool(t, "hack/tools/go.mod", "kustomize")}
	content, err := os.ReadFile(filepath.Join(repository, script))
	if err := errors.Join(err, os.CopyFS(filepath.Join(i.folder, "config"), os.DirFS(filepath.Join(repository, "config")))); err != nil {
		t.Fatal(err)
	}
	i.Write(script, string(content))
	return i
}

// Write writes a file of the copy.
func (i *Installer) Write(path, content string) {
	i.Helper()
	path = filepath.Join(i.folder, path)
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o700)) //nolint:gosec // scripts are run
	if err != nil {
		i.Fatal(err)
	}
}

// Build gives all that is installed with these variables, the kinds first.
func (i *Installer) Build(environment ...string) string {
	i.Helper()
	kinds, rest := i.BuildParts(environment...)
	return kinds + "---\n" + rest
}

// BuildParts gives crds.yaml and install.yaml.
func (i *Installer) BuildParts(environment ...string) (kinds, rest string) {
	i.Helper()
	command := exec.CommandContext(i.Context(), filepath.Join(i.folder, script))
	command.Env = append(os.Environ(), "KUSTOMIZE="+i.kustomize,
		"IMG=registry.example.com/operator:v1", "FACTORY_IMG=registry.example.com/factory:v1")
	command.Env = append(command.Env, environment...)
	if output, err := command.CombinedOutput(); err != nil {
		i.Fatalf("%v\n%s", err, output)
	}
	return i.read("dist/crds.yaml"), i.read("dist/install.yaml")
}

func (i *Installer) read(path string) string {
	i.Helper()
	content, err := os.ReadFile(filepath.Join(i.folder, path))
	if err != nil {
		i.Fatal(err)
	}
	return string(content)
}

// Tool builds a tool of a module of the repository, and tells where it is.
func Tool(t *testing.T, module, name string) string {
	t.Helper()
	tool := exec.CommandContext(t.Context(), "go", "tool", "-modfile="+module, "-n", name)
	tool.Dir = filepath.Join("..", "..")
	tool.Stderr = os.Stderr
	path, err := tool.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(path))
}

// Kustomize builds a folder of the copy.
func (i *Installer) Kustomize(folder string) string {
	i.Helper()
	built, err := exec.CommandContext(i.Context(), i.kustomize, "build", filepath.Join(i.folder, folder)).Output()
	if err != nil {
		i.Fatal(err)
	}
	return string(built)
}

var component = regexp.MustCompile("(?ms)^```yaml\n(apiVersion: kustomize.config.k8s.io/v1alpha1\n.*?)^```$")

// Component is what a how-to page tells to put into deploy/.
func Component(t *testing.T, page string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "how-to", page))
	if err != nil {
		t.Fatal(err)
	}
	found := component.FindSubmatch(content)
	if found == nil {
		t.Fatalf("%s has no component", page)
	}
	return string(found[1])
}
