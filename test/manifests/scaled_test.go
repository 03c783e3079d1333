package manifests

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// built is what deploy/scaled/kustomization.yaml makes of the default, with components beside its own.
func built(t *testing.T, components ...string) map[string]map[string]any {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(filepath.Join(folder, "config"), os.DirFS(config(""))); err != nil {
		t.Fatal(err)
	}
	content := "resources: [config/default]\ncomponents: [config/factory-scaled/component"
	for _, component := range components {
		content += ", config/factory-scaled/samples/" + component
	}
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(content+"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := run(t, "", "kustomize", folder)
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	found := map[string]map[string]any{}
	for _, object := range objects(t, output) {
		name, _, _ := unstructured.NestedString(object, "metadata", "name")
		found[object["kind"].(string)+"/"+strings.TrimPrefix(name, "classifier-factory-")] = object
	}
	return found
}

func podOf(t *testing.T, object map[string]any, path ...string) (pod corev1.PodTemplateSpec) {
	t.Helper()
	template, ok, _ := unstructured.NestedMap(object, append(path, "spec", "template")...)
	if !ok {
		t.Fatalf("no pods in %v", object)
	}
	convert(t, template, &pod)
	return pod
}

var secretCommand = regexp.MustCompile("(?ms)^```sh\n(kubectl create secret generic factory-storage .*?)^```$")

// TestThePageHasWhatServersAndWorkersNeed: its Secret has what the pods take from it, on the API server.
func TestThePageHasWhatServersAndWorkersNeed(t *testing.T) {
	command := secretCommand.FindStringSubmatch(read(t, filepath.Join("..", "..", "docs", "how-to", "run-several-factories.md")))
	if command == nil {
		t.Fatal("the page does not say how to make the Secret")
	}
	words := strings.Fields(strings.ReplaceAll(inDefaultNamespace(command[1]), "\\\n", " "))
	output, err := run(t, "", append(words[1:], "--dry-run=server", "-o", "yaml")...)
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	var secret corev1.Secret
	if err := yaml.Unmarshal([]byte(output), &secret); err != nil {
		t.Fatal(err)
	}
	scaled, taken := built(t), 0
	for _, name := range []string{"factory-server", "factory-worker"} {
		container := podOf(t, scaled["Deployment/"+name]).Spec.Containers[0]
		if len(container.EnvFrom) != 1 || container.EnvFrom[0].SecretRef.Name != secret.Name {
			t.Errorf("%s has no credentials: %v", name, container.EnvFrom)
		}
		for _, variable := range container.Env {
			if from := variable.ValueFrom.SecretKeyRef; from != nil && from.Name == secret.Name {
				taken++
				if len(secret.Data[from.Key]) == 0 || !slices.ContainsFunc(container.Args, func(a string) bool { return strings.HasSuffix(a, "=$("+from.Key+")") }) {
					t.Errorf("%s takes %s, which it does not use, or the page's Secret does not have", name, from.Key)
				}
			}
		}
	}
	if taken != 4 {
		t.Errorf("%d keys of the Secret are named", taken)
	}
}

// TestServersAndWorkersTakeThePlaceOfTheOnePod: what was there before is not behind the Service, were it not yet deleted.
func TestServersAndWorkersTakeThePlaceOfTheOnePod(t *testing.T) {
	scaled := built(t)
	if scaled["StatefulSet/factory"] != nil {
		t.Error("the StatefulSet is there")
	}
	pods := map[string]map[string]string{
		"server": podOf(t, scaled["Deployment/factory-server"]).Labels,
		"worker": podOf(t, scaled["Deployment/factory-worker"]).Labels,
	}
	for _, object := range rendered(t, "default") {
		if object["kind"] == "StatefulSet" {
			pods["the one pod"] = podOf(t, object).Labels
		}
	}
	for _, test := range []struct{ object, want string }{
		{"Service/factory", "server"},
		{"Service/factory-worker", "worker"},
		{"PodDisruptionBudget/factory-server", "server"},
	} {
		selector, _, _ := unstructured.NestedStringMap(scaled[test.object], "spec", "selector")
		if len(selector) == 0 {
			selector, _, _ = unstructured.NestedStringMap(scaled[test.object], "spec", "selector", "matchLabels")
		}
		for name, labels := range pods {
			selects := len(selector) > 0
			for key, value := range selector {
				selects = selects && labels[key] == value
			}
			if selects != (name == test.want) {
				t.Errorf("%s, of %v, selects %s: %t", test.object, selector, name, selects)
			}
		}
	}
}

// TestNoRequestIsLostWhileServersAreReplaced holds the times of a pod's end together.
func TestNoRequestIsLostWhileServersAreReplaced(t *testing.T) {
	var server appsv1.Deployment
	convert(t, built(t)["Deployment/factory-server"], &server)
	rolling := server.Spec.Strategy.RollingUpdate
	if rolling == nil || rolling.MaxUnavailable.IntValue() != 0 || rolling.MaxSurge.IntValue() < 1 {
		t.Errorf("servers are missing while others start: %v", rolling)
	}
	pod := server.Spec.Template.Spec
	probe := pod.Containers[0].ReadinessProbe
	const delay, requests, traces = 10, 20, 5
	if !slices.Contains(pod.Containers[0].Args, "--shutdown-delay=10s") || *pod.TerminationGracePeriodSeconds < delay+requests+traces {
		t.Errorf("%v is killed after %d s", pod.Containers[0].Args, *pod.TerminationGracePeriodSeconds)
	}
	if probe.PeriodSeconds >= delay {
		t.Errorf("it is asked every %d s, and ends after %d", probe.PeriodSeconds, delay)
	}
}

// TestKEDAScalesWhatIsThere holds what no API server here knows the kind of.
func TestKEDAScalesWhatIsThere(t *testing.T) {
	found := built(t, "keda")
	scaler := found["ScaledObject/factory-worker"]
	target, _, _ := unstructured.NestedString(scaler, "spec", "scaleTargetRef", "name")
	triggers, _, _ := unstructured.NestedSlice(scaler, "spec", "triggers")
	if target != "classifier-factory-factory-worker" || len(triggers) != 1 {
		t.Fatalf("it scales %q by %v", target, triggers)
	}
	if _, fixed, _ := unstructured.NestedFieldNoCopy(found["Deployment/factory-worker"], "spec", "replicas"); fixed {
		t.Error("each deployment sets the number of workers back")
	}
	query, _, _ := unstructured.NestedString(triggers[0].(map[string]any), "metadata", "query")
	metric := regexp.MustCompile(`classifier_factory_\w+`).FindString(query)
	if metric == "" || !strings.Contains(read(t, reference("factory.md")), "\n| `"+metric+"` | status |") {
		t.Errorf("its query %s has no metric of the factory", query)
	}
}

// TestKueueAdmitsWorkers: its Jobs are workers as the others are, but for their end, and the queue has a quota
// for all that they ask for.
func TestKueueAdmitsWorkers(t *testing.T) {
	found := built(t, "kueue")
	job := found["CronJob/factory-worker"]
	local, _, _ := unstructured.NestedString(job, "spec", "jobTemplate", "metadata", "labels", "kueue.x-k8s.io/queue-name")
	cluster, _, _ := unstructured.NestedString(found["LocalQueue/"+local], "spec", "clusterQueue")
	groups, _, _ := unstructured.NestedSlice(found["ClusterQueue/"+cluster], "spec", "resourceGroups")
	if len(groups) != 1 {
		t.Fatalf("the queue %q leads to %q with %v", local, cluster, groups)
	}
	covered, _, _ := unstructured.NestedStringSlice(groups[0].(map[string]any), "coveredResources")
	pod, worker := podOf(t, job, "spec", "jobTemplate"), podOf(t, found["Deployment/factory-worker"])
	asked, usual := pod.Spec.Containers[0], worker.Spec.Containers[0]
	for name := range asked.Resources.Requests {
		if !slices.Contains(covered, string(name)) {
			t.Errorf("there is no quota for %s", name)
		}
	}
	if want := append(usual.Args, "--until-idle=1m"); !slices.Equal(asked.Args, want) {
		t.Errorf("it is told %q, want %q", asked.Args, want)
	}
	for _, test := range []struct {
		what      string
		got, want any
	}{
		{"labels", pod.Labels, worker.Labels},
		{"image", asked.Image, usual.Image},
		{"environment", asked.EnvFrom, usual.EnvFrom},
		{"resources", asked.Resources, usual.Resources},
		{"volumes", pod.Spec.Volumes, worker.Spec.Volumes},
		{"rights", asked.SecurityContext, usual.SecurityContext},
		{"account", pod.Spec.ServiceAccountName, worker.Spec.ServiceAccountName},
	} {
		if !equality.Semantic.DeepEqual(test.got, test.want) {
			t.Errorf("its %s are %v, want %v", test.what, test.got, test.want)
		}
	}
}
