package install

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/test/installer"
	"github.com/classifier-factory/classifier-factory/test/processes"
)

// TestBillOfMaterials holds what a scanner needs of it: each module by the name and version that
// databases of vulnerabilities have, with its hash, and the standard library.
func TestBillOfMaterials(t *testing.T) {
	operator, err := processes.Build(t.TempDir(), "manager", ".")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "manager.cdx.json")
	tool := installer.Tool(t, "hack/tools/sbom/go.mod", "cyclonedx-gomod")
	if output, err := program(t, "", tool, "bin", "-json", "-std", "-version", "v1.2.3", "-output", path, operator); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		BOMFormat string
		Metadata  struct {
			Component struct{ Name, Version string }
		}
		Components []struct {
			Name, Version, PURL string
			Hashes              []struct{ Alg, Content string }
		}
	}
	if err := json.Unmarshal(content, &bill); err != nil {
		t.Fatal(err)
	}
	if of := bill.Metadata.Component; bill.BOMFormat != "CycloneDX" || of.Version != "v1.2.3" || !strings.HasSuffix(of.Name, "classifier-factory") {
		t.Errorf("it is a %s of %+v", bill.BOMFormat, of)
	}
	there := map[string]bool{}
	for _, component := range bill.Components {
		there[component.Name] = true
		if component.Name != "std" && (len(component.Hashes) == 0 || !strings.HasPrefix(component.PURL, "pkg:golang/"+component.Name+"@"+component.Version)) {
			t.Errorf("%+v is not to be found", component)
		}
	}
	for _, name := range []string{"std", "sigs.k8s.io/controller-runtime", "code.dny.dev/ssrf"} {
		if !there[name] {
			t.Errorf("%s is not in it", name)
		}
	}
}
