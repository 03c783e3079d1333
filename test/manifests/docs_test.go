package manifests

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

func reference(page string) string { return filepath.Join("..", "..", "docs", "reference", page) }

// TestTheAPIServerAcceptsTheDocumentation applies every example as it stands.
func TestTheAPIServerAcceptsTheDocumentation(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "*", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("there are no pages: %v", err)
	}
	for _, page := range pages {
		content := read(t, page)
		blocks := yamlBlock.FindAllStringSubmatchIndex(content, -1)
		if isOfKind := strings.HasPrefix(filepath.Base(page), "classifier"); isOfKind && len(blocks) == 0 {
			t.Errorf("%s has no example", page)
		}
		for _, block := range blocks {
			start, end := block[2], block[3]
			line := 1 + strings.Count(content[:start], "\n")
			t.Run(fmt.Sprintf("%s:%d", filepath.Base(page), line), func(t *testing.T) {
				output, err := accept(t, content[start:end])
				if err != nil {
					t.Errorf("%v\n%s", err, output)
				}
			})
		}
	}
}

// accept asks the API server about objects. A component of a kustomization is built beside
// the install.yaml that it changes, and applied in a namespace that is there.
func accept(t *testing.T, example string) (string, error) {
	t.Helper()
	if strings.HasPrefix(example, "apiVersion: snapshot.storage.k8s.io/") {
		t.Skip("the API server has no snapshots")
	}
	const ofKustomize = "apiVersion: kustomize.config.k8s.io/"
	switch {
	case strings.HasPrefix(example, ofKustomize+"v1beta1"):
		t.Skip("it names the components of other examples")
	case !strings.HasPrefix(example, ofKustomize) && strings.Contains(example, "apiVersion:"):
		return run(t, inDefaultNamespace(example), "create", "--dry-run=server", "-f", "-")
	case !strings.HasPrefix(example, ofKustomize):
		t.Skip("it is values of the chart")
	}
	install, err := run(t, "", "kustomize", config("default"))
	if err != nil {
		return install, err
	}
	folder := t.TempDir()
	if err := os.CopyFS(filepath.Join(folder, "config"), os.DirFS(config(""))); err != nil { // what some components name
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"install.yaml":                     install,
		"kustomization.yaml":               "resources: [install.yaml]\ncomponents: [deploy/change]",
		"deploy/change/kustomization.yaml": example,
	} {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	built, err := run(t, "", "kustomize", folder)
	if err != nil {
		return built, err
	}
	if built == install {
		return "", errors.New("the kustomization changes nothing")
	}
	return run(t, inDefaultNamespace(built), "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-")
}

// inDefaultNamespace puts what belongs into the system's namespace into one that is there.
func inDefaultNamespace(objects string) string {
	return strings.ReplaceAll(objects, systemNamespace, "default")
}

// TestThePagesExplainEveryCode holds the pages complete: a condition, a reason or a
// warning that a user meets is found on the page of its kind.
func TestThePagesExplainEveryCode(t *testing.T) {
	for _, page := range []struct {
		name  string
		other string // the kind whose codes are not on it
		files []string
	}{
		{"classifierdataset.md", "ClassifierTrainingJob",
			[]string{"api/v1alpha1/conditions.go", "internal/dataset/reasons.go", "internal/dataset/warnings.go"}},
		{"classifiertrainingjob.md", "ClassifierDataset", []string{"api/v1alpha1/conditions.go"}},
	} {
		content := read(t, reference(page.name))
		for _, file := range page.files {
			codes := codesOf(t, filepath.Join("..", "..", filepath.FromSlash(file)), page.other)
			if len(codes) == 0 {
				t.Errorf("%s has no codes", file)
			}
			for _, code := range codes {
				// Each is explained in a row of a table.
				if !strings.Contains(content, "\n| `"+code+"` |") {
					t.Errorf("%s of %s is not on %s", code, file, page.name)
				}
			}
		}
	}
}

// codesOf are the string constants of a file, but for the groups of the other kind.
func codesOf(t *testing.T, path, other string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, declaration := range file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST || strings.Contains(group.Doc.Text(), other) {
			continue
		}
		ast.Inspect(group, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				code, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				codes = append(codes, code)
			}
			return true
		})
	}
	return codes
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
