package monitoring

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// dashboard is what of a dashboard asks for something.
type dashboard struct {
	UID    string `json:"uid"`
	Panels []struct {
		ID      int `json:"id"`
		Targets []struct {
			Expr string `json:"expr"`
		} `json:"targets"`
	} `json:"panels"`
}

// queries are those of a component's dashboard and alerts, by where they stand.
func queries(t *testing.T, component string) map[string]string {
	t.Helper()
	found := map[string]string{}
	var shown dashboard
	if err := json.Unmarshal(read(t, "config", "grafana", component+".json"), &shown); err != nil {
		t.Fatal(err)
	}
	for _, panel := range shown.Panels {
		for i, target := range panel.Targets {
			found[fmt.Sprintf("panel %d, query %d of the dashboard", panel.ID, i)] = target.Expr
		}
	}
	for _, alert := range alerts(t, component) {
		found[alert.Alert] = alert.Expr
	}
	return found
}

// alert is a rule of a PrometheusRule.
type alert struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func alerts(t *testing.T, component string) []alert {
	t.Helper()
	var rule struct {
		Spec struct {
			Groups []struct {
				Rules []alert `json:"rules"`
			} `json:"groups"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(read(t, "config", "prometheus", component+"_alerts.yaml"), &rule); err != nil {
		t.Fatal(err)
	}
	return rule.Spec.Groups[0].Rules
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// asked is what Prometheus takes a query for.
type asked struct {
	Selectors []struct {
		Metric string   `json:"metric"`
		Labels []string `json:"labels"`
	} `json:"selectors"`
	Error string `json:"error"`
}

// understand has Prometheus read queries. Its reader is a program of a module of its own.
func understand(t *testing.T, texts ...string) []asked {
	t.Helper()
	for i := range texts { // what Grafana puts in
		texts[i] = strings.ReplaceAll(texts[i], "$__rate_interval", "5m")
	}
	input, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", "run", "./queries")
	command.Dir = filepath.Join(root, "hack", "tools", "prometheus")
	command.Stdin, command.Stderr = bytes.NewReader(input), os.Stderr
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var understood []asked
	if err := json.Unmarshal(output, &understood); err != nil {
		t.Fatal(err)
	}
	return understood
}

// ofTheTarget are labels that Prometheus adds to what it scrapes.
var ofTheTarget = []string{"instance", "job", "namespace", "pod"}

// lacks says what a query asks for that nobody tells.
func lacks(query asked, told metrics) []string {
	if query.Error != "" {
		return []string{query.Error}
	}
	var problems []string
	for _, selector := range query.Selectors {
		labels, there := told[selector.Metric]
		if !there {
			problems = append(problems, "there is no metric "+selector.Metric)
			continue
		}
		for _, label := range selector.Labels {
			if !slices.Contains(labels, label) && !slices.Contains(ofTheTarget, label) {
				problems = append(problems, fmt.Sprintf("%s has no label %s but %v", selector.Metric, label, labels))
			}
		}
	}
	return problems
}

// lookFor looks for what dashboards and alerts ask for in what the programs tell.
func lookFor(t *testing.T, told map[string]metrics) {
	t.Helper()
	type place struct{ component, name string }
	var places []place
	var texts []string
	for _, component := range components {
		for name, text := range queries(t, component) {
			places, texts = append(places, place{component, name}), append(texts, text)
		}
	}
	if len(texts) < 30 {
		t.Errorf("there are only %d queries", len(texts))
	}
	for i, query := range understand(t, texts...) {
		for _, problem := range lacks(query, told[places[i].component]) {
			t.Errorf("%s, of the %s: %s in\n%s", places[i].name, places[i].component, problem, texts[i])
		}
	}
}

// TestAWrongNameIsFound shows that the test above can fail.
func TestAWrongNameIsFound(t *testing.T) {
	told := metrics{"jobs": {"status"}, "seconds_bucket": {"le", "route"}}
	tests := []struct{ reason, query, want string }{
		{"all is there", `sum by (status, instance) (jobs{status="FAILED"})`, ""},
		{"and in a histogram", `histogram_quantile(0.9, sum by (le) (rate(seconds_bucket[$__rate_interval])))`, ""},
		{"a slip in a metric", `sum(jbos)`, "there is no metric jbos"},
		{"and in the second of two", `jobs / on () sum(job)`, "there is no metric job"},
		{"a label that it has not", `jobs{state="FAILED"}`, "jobs has no label state"},
		{"a group that there is not", `sum by (state) (jobs)`, "jobs has no label state"},
		{"no query", `sum(jobs`, "parse error"},
	}
	texts := make([]string, len(tests))
	for i, test := range tests {
		texts[i] = test.query
	}
	for i, query := range understand(t, texts...) {
		problems := strings.Join(lacks(query, told), "; ")
		if (problems == "") != (tests[i].want == "") || !strings.Contains(problems, tests[i].want) {
			t.Errorf("%s: %q of %s, want %q", tests[i].reason, problems, tests[i].query, tests[i].want)
		}
	}
}

var row = regexp.MustCompile("(?m)^\\| `(classifier_factory_[a-z_]+)` \\| ([^|]*)\\|")

// thePagesTell holds the reference complete and true: every metric of ours and its labels.
func thePagesTell(t *testing.T, told map[string]metrics) {
	t.Helper()
	for component, page := range map[string]string{"operator": "metrics.md", "factory": "factory.md"} {
		written := metrics{}
		for _, found := range row.FindAllStringSubmatch(string(read(t, "docs", "reference", page)), -1) {
			written[found[1]] = strings.FieldsFunc(found[2], func(r rune) bool { return r == ',' || r == ' ' })
		}
		for name, labels := range told[component] {
			name, histogram := strings.CutSuffix(name, "_count")
			_, part := told[component][strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_bucket")+"_count"]
			if !strings.HasPrefix(name, "classifier_factory_") || strings.HasSuffix(name, "_build_info") || part && !histogram {
				continue
			}
			slices.Sort(written[name])
			if on, there := written[name]; !there || !slices.Equal(on, labels) {
				t.Errorf("%s has %s with the labels %v; the program tells %v", page, name, on, labels)
			}
			delete(written, name)
		}
		for name := range written {
			if !strings.HasSuffix(name, "_build_info") {
				t.Errorf("%s is on %s alone", name, page)
			}
		}
	}
}
