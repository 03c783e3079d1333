// Package monitoring holds dashboards and alerts to the metrics that a real operator and a real factory tell.
package monitoring

import (
	"crypto/rand"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/factory/embeddings/embeddingstest"
	"github.com/classifier-factory/classifier-factory/test/processes"
)

var root = filepath.Join("..", "..")

// components have a dashboard and alerts each.
var components = []string{"operator", "factory"}

// metrics are names of series, with the labels that they have.
type metrics map[string][]string

// TestWhatTheProgramsTell leads a classifier through both programs, and holds to what they tell of it the dashboards,
// the alerts, the reference and what is said of traces.
func TestWhatTheProgramsTell(t *testing.T) {
	plane, directory, key, collector := controllertest.StartForTest(t, root), t.TempDir(), rand.Text(), startCollector(t)
	kubeconfig := filepath.Join(directory, "kubeconfig")
	if err := os.WriteFile(kubeconfig, plane.KubeConfig, 0o600); err != nil {
		t.Fatal(err)
	}
	addresses := map[string]string{"operator": processes.FreeAddress(t), "factory": processes.FreeAddress(t)}
	api, probes := processes.FreeAddress(t), processes.FreeAddress(t)
	tracing := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.url, "OTEL_BSP_SCHEDULE_DELAY=100"}
	factory := processes.Start(t, build(t, directory, "factory", "./cmd/factory"), api, append(tracing, "FACTORY_API_KEY="+key),
		"--listen="+api, "--metrics-listen="+addresses["factory"], "--data-dir="+filepath.Join(directory, "data"),
		"--base-models=ministral-3b-latest,encoder=embeddings:"+embeddingstest.Start(t).URL)
	operator := processes.Start(t, build(t, directory, "manager", "."), probes,
		append(tracing, "MISTRAL_API_KEY="+key, "KUBECONFIG="+kubeconfig),
		"--server-url=http://"+api, "--health-probe-bind-address="+probes,
		"--metrics-bind-address="+addresses["operator"], "--metrics-secure=false")
	kubectl := func(arguments ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), arguments...)
		command.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("kubectl %q: %v\n%s", arguments, err, output)
		}
	}
	kubectl("apply", "-k", filepath.Join(root, "config", "samples", "quickstart"))
	kubectl("wait", "--for=condition=Ready", "--timeout=3m", "ctj/intents")
	told := map[string]metrics{}
	for component, address := range addresses {
		told[component] = scrape(t, address)
	}
	lookFor(t, told)
	thePagesTell(t, told)
	operator.End(t, syscall.SIGTERM) // which sends the spans that are left
	factory.End(t, syscall.SIGTERM)
	collector.followACreation(t)
	collector.holdsNothingOf(t, key, "parcel", "track_order", api)
}

func build(t *testing.T, directory, name, folder string) string {
	t.Helper()
	binary, err := processes.Build(directory, name, folder)
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// scrape reads the metrics that a server tells.
func scrape(t *testing.T, address string) metrics {
	t.Helper()
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := metrics{}
	for name, family := range families {
		labels := map[string]bool{}
		for _, metric := range family.Metric {
			for _, label := range metric.Label {
				labels[label.GetName()] = true
			}
		}
		names := slices.Sorted(maps.Keys(labels))
		if family.GetType() != dto.MetricType_HISTOGRAM {
			found[name] = names
			continue
		}
		found[name+"_sum"], found[name+"_count"] = names, names
		found[name+"_bucket"] = append(slices.Clone(names), "le")
	}
	return found
}
