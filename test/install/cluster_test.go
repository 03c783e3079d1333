package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// monitoring stands for the Prometheus operator's own kinds.
const monitoring = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: servicemonitors.monitoring.coreos.com, annotations: {api-approved.kubernetes.io: unapproved}}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {kind: ServiceMonitor, listKind: ServiceMonitorList, plural: servicemonitors, singular: servicemonitor}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: prometheusrules.monitoring.coreos.com, annotations: {api-approved.kubernetes.io: unapproved}}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {kind: PrometheusRule, listKind: PrometheusRuleList, plural: prometheusrules, singular: prometheusrule}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`

const everything = `
watchNamespaces: [team-a, team-b]
imageRegistry: registry.example.com/mirror
imagePullSecrets: [{name: mirror}]
operator:
  replicas: 2
  args: [--storage-private-hosts=minio.storage.svc]
  serviceAccountAnnotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::0:role/texts"}
  nodeSelector: {kubernetes.io/os: linux}
  tolerations: [{key: dedicated, operator: Exists}]
  podDisruptionBudget: {enabled: true}
factory:
  image: {digest: "sha256:0000000000000000000000000000000000000000000000000000000000000000"}
  args: [--api-keys-file=/keys/keys]
  volumes: [{name: keys, secret: {secretName: factory-api-keys}}]
  volumeMounts: [{name: keys, mountPath: /keys, readOnly: true}]
  storage: {className: fast, size: 50Gi}
  nodeSelector: {kubernetes.io/os: linux}
  tolerations: [{key: dedicated, operator: Exists}]
  podDisruptionBudget: {enabled: true}
  ingress:
    enabled: true
    className: nginx
    host: classifiers.example.com
    annotations: {cert-manager.io/cluster-issuer: letsencrypt}
    tls: {secretName: classifiers-tls}
networkPolicies: {enabled: true}
monitors: {enabled: true, labels: {release: prometheus}}
alerts: {enabled: true, labels: {release: prometheus}}
dashboards: {enabled: true, labels: {grafana_dashboard: "1", folder: classifiers}}
`

// TestInstallingAndLeaving is the life of a release on a real API server: Helm applies it
// server-side, changes it, and takes it away but for what crds.keep keeps.
func TestInstallingAndLeaving(t *testing.T) {
	kubectl(t, monitoring, "apply", "-f", "-")
	for _, name := range []string{"team-a", "team-b"} {
		kubectl(t, "", "create", "namespace", name)
	}
	upgrade := func(name, namespace, values string) {
		t.Helper()
		mustHelm(t, values, "upgrade", "--install", name, chart, "--namespace", namespace, "--create-namespace", "--server-side=true")
	}
	key := func() string {
		t.Helper()
		return kubectl(t, "", "get", "secret", "factory-api-key", "--namespace", namespace, "-o", "jsonpath={.data.api-key}")
	}

	upgrade(release, namespace, "")
	made := key()
	if len(made) < 40 {
		t.Errorf("the key is %d characters", len(made))
	}
	// What `helm test` applies needs a node to end; the API server takes it.
	test := mustHelm(t, "", "template", release, chart, "--namespace", namespace, "--show-only", "templates/tests/training.yaml")
	kubectl(t, test, "apply", "--dry-run=server", "-f", "-")

	upgrade("another", "elsewhere", "factory: {enabled: false}\nserverURL: https://factory.example.com\ncrds: {enabled: false}\nwatchNamespaces: [team-b]")
	if sets := kubectl(t, "", "get", "statefulsets", "--namespace", "elsewhere"); !strings.Contains(sets, "No resources") {
		t.Errorf("without a factory there is\n%s", sets)
	}
	uninstall(t, "another", "elsewhere")

	uninstall(t, release, namespace)
	kubectl(t, "", "get", "crds", "classifierdatasets.classifierfactory.dev", "classifiertrainingjobs.classifierfactory.dev")
	upgrade(release, namespace, everything)
	made = key()
	upgrade(release, namespace, everything)
	if key() != made {
		t.Error("an upgrade made another key")
	}
	if bindings := kubectl(t, "", "get", "clusterrolebindings", "-o", "name"); strings.Contains(bindings, "/"+release) {
		t.Errorf("something is bound in the whole cluster:\n%s", bindings)
	}
	uninstall(t, release, namespace)
}

// TestAnUpgradeUpgradesTheKinds, which what is in Helm's folder crds/ would not be.
func TestAnUpgradeUpgradesTheKinds(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "classifier-factory")
	if err := os.CopyFS(folder, os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	values := "crds: {keep: false}"
	mustHelm(t, values, "upgrade", "--install", release, folder, "--namespace", namespace, "--create-namespace")
	path := filepath.Join(folder, "files", "crds", "classifierfactory.dev_classifierdatasets.yaml")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	next := strings.Replace(string(content), "    - cds\n", "    - cds\n    - newname\n", 1)
	if err := os.WriteFile(path, []byte(next), 0o600); err != nil {
		t.Fatal(err)
	}
	mustHelm(t, values, "upgrade", release, folder, "--namespace", namespace)
	if names := kubectl(t, "", "get", "crd", "classifierdatasets.classifierfactory.dev", "-o", "jsonpath={.spec.names.shortNames}"); !strings.Contains(names, "newname") {
		t.Errorf("after the upgrade the short names are %s", names)
	}
	uninstall(t, release, namespace)
	kubectl(t, "", "wait", "--for=delete", "--timeout=1m", "crds/classifierdatasets.classifierfactory.dev", "crds/classifiertrainingjobs.classifierfactory.dev")
}

// uninstall leaves the hooks out, which need a node to run on.
func uninstall(t *testing.T, name, namespace string) {
	t.Helper()
	mustHelm(t, "", "uninstall", name, "--namespace", namespace, "--no-hooks")
}
