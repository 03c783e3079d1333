package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// TestLeaving takes everything away in each order. What is done is what the how-to page says to
// do; each command ends within a minute, and nothing is left.
func TestLeaving(t *testing.T) {
	for _, order := range []struct {
		first   string
		install func(*testing.T)
		leave   func(*testing.T)
	}{
		{"the objects", installManifest, func(t *testing.T) {
			kubectl(t, "", "delete", "classifiers", "--namespace", "leaving", "--all", "--timeout=1m")
			deleteManifest(t)
			deleteKinds(t)
		}},
		{"the kinds", installManifest, func(t *testing.T) {
			deleteKinds(t)
			deleteManifest(t)
		}},
		{"the manifest", installManifest, func(t *testing.T) {
			deleteManifest(t)
			letGo(t)
			deleteKinds(t)
		}},
		{"the namespace", installManifest, func(t *testing.T) {
			kubectl(t, "", "delete", "namespace", system, "--timeout=1m")
			letGo(t)
			deleteKinds(t)
			deleteManifest(t)
		}},
		{"the operator", installManifest, func(t *testing.T) {
			kubectl(t, "", "delete", "deployment", "classifier-factory-controller-manager", "--namespace", system, "--timeout=1m")
			kubectl(t, "", "delete", "crds", "--wait=false", "classifierdatasets.classifierfactory.dev", "classifiertrainingjobs.classifierfactory.dev")
			letGo(t)
			deleteManifest(t)
			kubectl(t, "", "wait", "--for=delete", "--timeout=1m", "crds/classifierdatasets.classifierfactory.dev")
		}},
		{"the chart", installChart, func(t *testing.T) {
			helm(t, "test", release, "--namespace", system, "--timeout=2m")
			helm(t, "uninstall", release, "--namespace", system, "--timeout=1m")
			deleteKinds(t)
			kubectl(t, "", "delete", "namespace", system, "--timeout=1m")
		}},
	} {
		t.Run(order.first, func(t *testing.T) {
			order.install(t)
			team(t, "leaving")
			begin := time.Now()
			order.leave(t)
			nothingIsLeft(t, "leaving")
			t.Logf("nothing is left after %.0f s", time.Since(begin).Seconds())
		})
	}
}

var freeing = regexp.MustCompile("(?ms)^```sh\n(kubectl get .*?kubectl patch.*?)^```$")

// letGo is the page's command for objects without an operator.
func letGo(t *testing.T) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(repository, "docs", "how-to", "uninstall.md"))
	if err != nil {
		t.Fatal(err)
	}
	commands := freeing.FindSubmatch(page)
	if commands == nil {
		t.Fatal("the page does not say how")
	}
	script := "set -e; PATH=" + filepath.Dir(kubectlProgram()) + ":$PATH\n" + string(commands[1])
	if output, err := try(t, "", "bash", "-c", script); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}
