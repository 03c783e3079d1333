// Package hack has the tests of the scripts beside it.
package hack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// repository is a copy of the scripts in a repository of a test's own, with a `go` that
// does what the test says.
type repository struct {
	*testing.T
	root, tools string
}

func newRepository(t *testing.T, goScript string, scripts ...string) *repository {
	t.Helper()
	r := &repository{T: t, root: t.TempDir(), tools: t.TempDir()}
	for _, script := range scripts {
		content, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		r.write(filepath.Join(r.root, "hack", script), string(content))
	}
	r.write(filepath.Join(r.tools, "go"), "#!/bin/sh\n"+goScript)
	return r
}

func (r *repository) write(path, content string) {
	r.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
		r.Fatal(err)
	}
}

// run runs a script with nothing but these variables, and gives what it printed.
func (r *repository) run(script string, environment ...string) (output string, succeeded bool) {
	r.Helper()
	command := exec.CommandContext(r.Context(), filepath.Join(r.root, "hack", script))
	command.Env = append(environment, "PATH="+r.tools+":"+os.Getenv("PATH"))
	printed, err := command.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		r.Fatal(err)
	}
	return string(printed), err == nil
}

// TestVulncheckIsSkippedOnlyWhereThatIsAllowed holds that a CI cannot go on for months
// without the check and nobody knowing.
func TestVulncheckIsSkippedOnlyWhereThatIsAllowed(t *testing.T) {
	const (
		reached     = "#!/bin/sh\ncase \"$*\" in *-version*) echo 'DB updated: today';; *) echo \"looked with $*\";; esac\n"
		vulnerable  = "#!/bin/sh\ncase \"$*\" in *-version*) echo 'DB updated: today';; *) echo 'GO-1'; exit 3;; esac\n"
		unreachable = "#!/bin/sh\necho 'dial tcp: no route to host' >&2; exit 1\n"
		allowed     = "VULNCHECK_MAY_SKIP=true"
	)
	for _, test := range []struct {
		reason, govulncheck string
		environment         []string
		want                string // printed
		succeeds            bool
	}{
		{"nothing is found", reached, []string{"CI=true"}, "looked with -db https://vuln.go.dev ./...", true},
		{"another database", reached, []string{"CI=true", "GOVULNDB=file:///db"}, "looked with -db file:///db ./...", true},
		{"something is found", vulnerable, nil, "GO-1", false},
		{"something is found on CI", vulnerable, []string{"CI=true"}, "GO-1", false},
		{"something is found where a skip is allowed", vulnerable, []string{"CI=true", allowed}, "GO-1", false},
		{"no database, on somebody's own machine", unreachable, nil, "SKIPPED", true},
		{"no database on CI", unreachable, []string{"CI=true"}, "VULNCHECK_MAY_SKIP=true", false},
		{"no database on CI, and a variable that says no", unreachable, []string{"CI=true", "VULNCHECK_MAY_SKIP=false"}, "FAILED", false},
		{"no database on a CI that allows that", unreachable, []string{"CI=true", allowed}, "SKIPPED", true},
		{"no tool, on a CI that allows a skip", "", []string{"CI=true", allowed}, "cannot be built", false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			r := newRepository(t, `test -x "$(dirname "$0")/govulncheck" || { echo "cannot be built" >&2; exit 1; }; echo "$(dirname "$0")/govulncheck"`, "vulncheck.sh")
			if test.govulncheck != "" {
				r.write(filepath.Join(r.tools, "govulncheck"), test.govulncheck)
			}
			output, succeeded := r.run("vulncheck.sh", test.environment...)
			if succeeded != test.succeeds || !strings.Contains(output, test.want) {
				t.Errorf("succeeded: %t; printed: %s", succeeded, output)
			}
		})
	}
}

// TestFuzzRunsEveryTarget holds that a new target needs no line anywhere, in whatever
// module it is, and that a finding ends the run.
func TestFuzzRunsEveryTarget(t *testing.T) {
	const target = "package x\n\nfunc FuzzNAME(f *testing.F) {}\n"
	r := newRepository(t, `echo "$(basename "$PWD"): $*"; case "$*" in *FuzzBad*) exit 1;; esac`, "fuzz.sh")
	if output, succeeded := r.run("fuzz.sh"); succeeded {
		t.Errorf("it is content with no target at all: %s", output)
	}
	for path, name := range map[string]string{"one/a_test.go": "A", "one/b_test.go": "B2", "module/two/c_test.go": "C_D", "one/no.go": "No"} {
		r.write(filepath.Join(r.root, path), strings.ReplaceAll(target, "NAME", name))
	}
	output, succeeded := r.run("fuzz.sh", "FUZZTIME=7s")
	for _, want := range []string{
		"one: test -run ^$ -fuzz ^FuzzA$ -fuzztime 7s",
		"one: test -run ^$ -fuzz ^FuzzB2$ -fuzztime 7s",
		"two: test -run ^$ -fuzz ^FuzzC_D$ -fuzztime 7s",
	} {
		if !strings.Contains(output, want) {
			t.Errorf("%q is not run", want)
		}
	}
	if !succeeded || strings.Contains(output, "FuzzNo") {
		t.Errorf("succeeded: %t; printed: %s", succeeded, output)
	}
	r.write(filepath.Join(r.root, "one", "bad_test.go"), strings.ReplaceAll(target, "NAME", "Bad"))
	if output, succeeded := r.run("fuzz.sh"); succeeded {
		t.Errorf("a finding does not end the run: %s", output)
	}
}

// TestKrew holds that the manifest names each archive with its digest, and that there is
// none without a release's version.
func TestKrew(t *testing.T) {
	r := newRepository(t, `for argument; do [ "$previous" != -o ] || echo "a plug-in for $GOOS/$GOARCH" > "$argument"; previous=$argument; done`, "krew.sh")
	r.write(filepath.Join(r.root, "LICENSE"), "Apache-2.0")
	if output, succeeded := r.run("krew.sh", "VERSION=66f499d-dirty"); succeeded || !strings.Contains(output, "VERSION=v1.2.3") {
		t.Errorf("without a release: %s", output)
	}
	if output, succeeded := r.run("krew.sh", "VERSION=v1.2.3", "RELEASES=https://example.com"); !succeeded {
		t.Fatal(output)
	}
	content, err := os.ReadFile(filepath.Join(r.root, "dist", "krew", "classifier.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Spec struct {
			Version   string
			Platforms []struct{ URI, SHA256, Bin string }
		}
	}
	if err := yaml.Unmarshal(content, &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Spec.Version != "v1.2.3" || len(manifest.Spec.Platforms) != 5 {
		t.Errorf("the manifest is\n%s", content)
	}
	for _, platform := range manifest.Spec.Platforms {
		archive, err := os.ReadFile(filepath.Join(r.root, "dist", "krew", filepath.Base(platform.URI)))
		if err != nil {
			t.Fatal(err)
		}
		if digest := sha256.Sum256(archive); hex.EncodeToString(digest[:]) != platform.SHA256 || !strings.HasPrefix(platform.URI, "https://example.com/v1.2.3/") {
			t.Errorf("%+v is not the archive's", platform)
		}
	}
}
