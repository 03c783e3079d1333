package install

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/classifier-factory/classifier-factory/test/installer"
)

// sameImages are those that the installer is told, and what the chart has of its own turned off.
const sameImages = `
imageRegistry: registry.example.com
operator: {image: {tag: v1}}
factory: {image: {tag: v1}}
apiKey: {create: false}
crds: {keep: false}
`

// TestTheChartIsTheManifests holds that both ways to install make the same objects, with the
// same names, so that a page about one is true of the other.
func TestTheChartIsTheManifests(t *testing.T) {
	for _, test := range []struct {
		name, values string
		environment  []string
		folders      []string // of config/, besides what is installed
		changes      []string // pages whose component is in deploy/
	}{
		{name: "everywhere"},
		{name: "some namespaces", values: "watchNamespaces: [team-a, team-b]", environment: []string{"WATCH_NAMESPACES=team-a,team-b"}},
		{name: "policies with monitors and dashboards", folders: []string{"network-policy", "prometheus", "grafana"},
			values: "networkPolicies: {enabled: true}\nmonitors: {enabled: true}\nalerts: {enabled: true}\ndashboards: {enabled: true}"},
		{name: "what pages change", changes: []string{"rotate-a-key.md", "use-object-storage.md", "trace-requests.md"}, values: `
operator:
  args: [--storage-private-hosts=minio.storage.svc]
  env: &env [{name: OTEL_EXPORTER_OTLP_ENDPOINT, value: "http://collector.observability.svc:4318"}]
factory:
  args: [--api-keys-file=/keys/keys]
  env: *env
  volumeMounts: [{name: keys, mountPath: /keys, readOnly: true}]
  volumes: [{name: keys, secret: {secretName: factory-api-keys}}]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			install := installer.New(t)
			for _, page := range test.changes {
				install.Write(filepath.Join("deploy", page, "kustomization.yaml"), installer.Component(t, page))
			}
			manifests := []string{install.Build(test.environment...)}
			for _, folder := range test.folders {
				manifests = append(manifests, install.Kustomize(filepath.Join("config", folder)))
			}
			want := parse(t, manifests...)
			delete(want, "Namespace <nil>/"+namespace) // `helm install --create-namespace` makes it
			got := parse(t, template(t, test.values))
			for key, object := range want {
				comparable(object)
				if got[key] == nil {
					t.Errorf("the chart has no %s", key)
				}
			}
			for key, object := range got {
				comparable(object)
				if !reflect.DeepEqual(object, want[key]) {
					t.Errorf("%s is\n%s\nin the chart, and in the manifests\n%s", key, show(t, object), show(t, want[key]))
				}
			}
			if len(got) < 15 {
				t.Errorf("only %d objects are rendered", len(got))
			}
		})
	}
}

// template renders the chart with the images of the installer.
func template(t *testing.T, values string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "images.yaml")
	if err := os.WriteFile(file, []byte(sameImages), 0o600); err != nil {
		t.Fatal(err)
	}
	return mustHelm(t, values, "template", release, chart, "--namespace", namespace, "--no-hooks", "--values", file)
}

// comparable leaves out who made an object.
func comparable(object object) {
	metadata := object["metadata"].(map[string]any)
	labels, _ := metadata["labels"].(map[string]any)
	for _, label := range []string{"app.kubernetes.io/part-of", "app.kubernetes.io/managed-by", "helm.sh/chart"} {
		delete(labels, label)
	}
	if len(labels) == 0 {
		delete(metadata, "labels")
	}
	if rules, ok := object["rules"].([]any); ok && object["kind"] != "NetworkPolicy" {
		slices.SortFunc(rules, func(a, b any) int { return strings.Compare(compact(a), compact(b)) })
	}
}

func compact(value any) string {
	encoded, _ := json.Marshal(value)
	return string(encoded)
}

func show(t *testing.T, object any) string {
	t.Helper()
	shown, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(shown)
}

func TestLint(t *testing.T) {
	if output := mustHelm(t, "", "lint", "--strict", chart); strings.Contains(output, "[WARNING]") {
		t.Error(output)
	}
}

// TestValuesThatCannotBe are refused before anything is installed, by a sentence that names the value.
func TestValuesThatCannotBe(t *testing.T) {
	for _, test := range []struct{ reason, values, want string }{
		{"a slip", "operater: {replicas: 2}", "operater"},
		{"a slip further down", "factory: {storage: {class: fast}}", "class"},
		{"a number that is none", "operator: {replicas: two}", "/operator/replicas"},
		{"a digest that is a tag", "factory: {image: {digest: v1}}", "/factory/image/digest"},
		{"a size without a unit", "factory: {storage: {size: 10}}", "/factory/storage/size"},
		{"a namespace with a comma", `watchNamespaces: ["team-a,team-b"]`, "/watchNamespaces/0"},
		{"no factory at all", "factory: {enabled: false}", "serverURL must name the factory"},
		{"an ingress for any host", "factory: {ingress: {enabled: true}}", "factory.ingress.host must name the host"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			output, err := helm(t, test.values, "template", release, chart)
			if err == nil || !strings.Contains(output, test.want) {
				t.Errorf("%v\n%.2000s", err, output)
			}
		})
	}
}

// TestTheSchemaIsOfTheValues: the schema refuses what it does not know, and knows nothing
// that is not in values.yaml, where it is explained.
func TestTheSchemaIsOfTheValues(t *testing.T) {
	var values, schema map[string]any
	for name, into := range map[string]*map[string]any{"values.yaml": &values, "values.schema.json": &schema} {
		content, err := os.ReadFile(filepath.Join(chart, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(content, into); err != nil {
			t.Fatal(err)
		}
	}
	definitions := schema["$defs"].(map[string]any)
	var compare func(path string, values, schema map[string]any)
	compare = func(path string, values, schema map[string]any) {
		if name, ok := schema["$ref"].(string); ok {
			schema = definitions[strings.TrimPrefix(name, "#/$defs/")].(map[string]any)
		}
		properties, _ := schema["properties"].(map[string]any)
		for name, property := range properties {
			value, there := values[name]
			if !there && path+name != "global" { // that one is Helm's
				t.Errorf("%s%s is in the schema alone", path, name)
			}
			inner, _ := value.(map[string]any)
			compare(path+name+".", inner, property.(map[string]any))
		}
	}
	compare("", values, schema)
}

var image = regexp.MustCompile(`(?m)^\s*(?:- )?image: (.+)$`)

// TestImagesOfAnotherRegistry: where there is no way to the public registry, no image is of it.
func TestImagesOfAnotherRegistry(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	rendered := mustHelm(t, `
imageRegistry: registry.example.com/mirror
imagePullSecrets: [{name: mirror}]
operator: {image: {digest: "`+digest+`"}}
factory: {image: {digest: "`+digest+`"}}
`, "template", release, chart)
	images := image.FindAllStringSubmatch(rendered, -1)
	for _, found := range images {
		if got := found[1]; got != "registry.example.com/mirror/operator@"+digest && got != "registry.example.com/mirror/factory@"+digest {
			t.Errorf("the image %s is used", got)
		}
	}
	if pulls := strings.Count(rendered, "- name: mirror\n"); len(images) != 4 || pulls != len(images) {
		t.Errorf("%d images are pulled, %d with the Secret; want those of operator, factory and two hooks", len(images), pulls)
	}
}
