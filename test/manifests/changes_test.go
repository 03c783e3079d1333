package manifests

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/test/installer"
)

// TestDeployingAgainKeepsChanges follows two how-to pages and installs twice: neither page
// takes the other's flag away, nor does the next installation.
func TestDeployingAgainKeepsChanges(t *testing.T) {
	install := installer.New(t)
	if before := install.Build(); strings.Contains(before, "--api-keys-file") {
		t.Fatal("the flag is there without its page")
	}
	for _, page := range []string{"rotate-a-key.md", "use-object-storage.md"} {
		install.Write(filepath.Join("deploy", strings.TrimSuffix(page, ".md"), "kustomization.yaml"), installer.Component(t, page))
	}
	for _, environment := range []string{"", "", "WATCH_NAMESPACES=team-a"} {
		built := install.Build(environment)
		for _, flag := range []string{"--api-keys-file=/keys/keys", "--storage-private-hosts=minio.storage.svc"} {
			if strings.Count(built, flag) != 1 {
				t.Errorf("with %q %s is there %d times", environment, flag, strings.Count(built, flag))
			}
		}
	}
}
