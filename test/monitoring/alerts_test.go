package monitoring

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const page = "https://github.com/classifier-factory/classifier-factory/blob/main/docs/how-to/respond-to-alerts.md#"

// TestEveryAlertHasARunbook: whoever is woken finds a section on it.
func TestEveryAlertHasARunbook(t *testing.T) {
	runbooks := string(read(t, "docs", "how-to", "respond-to-alerts.md"))
	sections := strings.Count(runbooks, "\n## ")
	for _, component := range components {
		for _, alert := range alerts(t, component) {
			sections--
			if !strings.Contains(runbooks, "\n## "+alert.Alert+"\n") {
				t.Errorf("%s has no section", alert.Alert)
			}
			if got := alert.Annotations["runbook_url"]; got != page+strings.ToLower(alert.Alert) {
				t.Errorf("%s names %s", alert.Alert, got)
			}
			if !slices.Contains([]string{"critical", "warning", "info"}, alert.Labels["severity"]) || alert.Annotations["summary"] == "" {
				t.Errorf("%s is of severity %q, summary %q", alert.Alert, alert.Labels["severity"], alert.Annotations["summary"])
			}
		}
	}
	if sections != 0 {
		t.Errorf("there are %d sections too many", sections)
	}
}

// TestAlerts has Prometheus play what testdata tells, where each alert fires and keeps silent.
func TestAlerts(t *testing.T) {
	promtool := os.Getenv("PROMTOOL")
	if promtool == "" && os.Getenv("CI") == "" {
		t.Skip("PROMTOOL is not set: run `make test-monitoring`, or set it to the output of hack/promtool.sh")
	}
	for _, component := range components {
		folder := t.TempDir()
		rules := alerts(t, component)
		for _, rule := range rules { // the tests are of what differs from time to time
			maps.DeleteFunc(rule.Annotations, func(name, _ string) bool { return name != "description" })
		}
		file, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": component, "rules": rules}}})
		if err != nil {
			t.Fatal(err)
		}
		scenes, err := os.ReadFile(filepath.Join("testdata", component+"_alerts.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string][]byte{"rules.yaml": file, "test.yaml": scenes} {
			if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if output, err := exec.CommandContext(t.Context(), promtool, "test", "rules", filepath.Join(folder, "test.yaml")).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
		everyAlertIsPlayed(t, rules, scenes)
	}
}

// everyAlertIsPlayed: a scene in which it fires, and one in which it does not.
func everyAlertIsPlayed(t *testing.T, rules []alert, scenes []byte) {
	t.Helper()
	var file struct {
		Tests []struct {
			Checks []struct {
				Alert    string `json:"alertname"`
				Expected []any  `json:"exp_alerts"`
			} `json:"alert_rule_test"`
		} `json:"tests"`
	}
	if err := yaml.Unmarshal(scenes, &file); err != nil {
		t.Fatal(err)
	}
	type scene struct {
		alert string
		fires bool
	}
	played := map[scene]bool{}
	for _, test := range file.Tests {
		for _, check := range test.Checks {
			played[scene{check.Alert, len(check.Expected) > 0}] = true
		}
	}
	for _, rule := range rules {
		for _, fires := range []bool{true, false} {
			if !played[scene{rule.Alert, fires}] {
				t.Errorf("there is no scene in which %s fires: %v", rule.Alert, fires)
			}
		}
	}
}
