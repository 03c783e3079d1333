package version

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestModuleVersion(t *testing.T) {
	for _, test := range []struct {
		reason  string
		version string
		ok      bool
		want    string
	}{
		{"installed by go install", "v1.2.3", true, "v1.2.3"},
		{"built from a commit", "v0.0.0-20260101000000-0123456789ab+dirty", true, "v0.0.0-20260101000000-0123456789ab+dirty"},
		{"built without a repository", "(devel)", true, "devel"},
		{"a test", "", true, "devel"},
		{"built by another toolchain", "", false, "devel"},
	} {
		if got := moduleVersion(&debug.BuildInfo{Main: debug.Module{Version: test.version}}, test.ok); got != test.want {
			t.Errorf("%s: %q, want %q", test.reason, got, test.want)
		}
	}
}

func TestCollector(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(Collector("program"))
	problems, err := testutil.GatherAndLint(registry)
	if count, counted := testutil.GatherAndCount(registry, "program_build_info"); count != 1 || counted != nil || err != nil || len(problems) > 0 {
		t.Errorf("%d metrics, %v, %v, %v", count, counted, problems, err)
	}
}

// TestLinkedVersion: both programs print what the Makefile has the linker set.
func TestLinkedVersion(t *testing.T) {
	root := filepath.Join("..", "..")
	build := exec.CommandContext(t.Context(), "make", "--silent", "--dry-run", "build", "VERSION=v1.2.3", "COMMIT=abc123")
	build.Dir = root
	commands, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, commands)
	}
	flags := `-X github.com/prometheus/common/version.Version=v1.2.3 -X github.com/prometheus/common/version.Revision=abc123`
	if count := strings.Count(string(commands), flags); count != 2 {
		t.Errorf("%d programs are linked with both:\n%s", count, commands)
	}
	image, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil || !strings.Contains(string(image), `-X $BUILT_FROM.Version=$VERSION -X $BUILT_FROM.Revision=$COMMIT`) || strings.Count(string(image), `-ldflags="$LDFLAGS"`) != 2 {
		t.Errorf("%v: the images' programs are not linked with them", err)
	}
	program := filepath.Join(t.TempDir(), "factory")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags", flags, "-o", program, filepath.Join(root, "cmd", "factory")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	printed, err := exec.CommandContext(t.Context(), program, "--version").Output()
	if err != nil || !strings.HasPrefix(string(printed), "v1.2.3, commit abc123, go") {
		t.Errorf("--version: %q, %v", printed, err)
	}
}
