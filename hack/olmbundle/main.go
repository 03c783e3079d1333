// The bundle by which the Operator Lifecycle Manager installs the operator, in operator-sdk's
// layout. `make bundle` runs it with what it installs otherwise on standard input.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

const (
	packageName = "classifier-factory"
	channel     = "alpha"
	group       = "classifierfactory.dev"
)

type object = map[string]any

type options struct {
	version        string // semantic, without a v
	scorecardImage string
	config, out    string // folders
}

func main() {
	var o options
	flag.StringVar(&o.version, "version", "", "semantic version of the bundle")
	flag.StringVar(&o.scorecardImage, "scorecard-image", "", "image of the scorecard's tests")
	flag.StringVar(&o.config, "config", "config", "folder of the manifests")
	flag.StringVar(&o.out, "out", "dist", "folder to write to")
	flag.Parse()
	if err := run(o, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "olmbundle:", err)
		os.Exit(1)
	}
}

func run(o options, manifests io.Reader) error {
	content, err := io.ReadAll(manifests)
	if err != nil {
		return err
	}
	objects, err := parse(content)
	if err != nil {
		return err
	}
	parts, err := sortOut(objects)
	if err != nil {
		return err
	}
	csv, err := newCSV(o, parts)
	if err != nil {
		return err
	}
	folder := filepath.Join(o.out, "bundle")
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	written := []error{write(filepath.Join(folder, "manifests", packageName+".clusterserviceversion.yaml"), csv)}
	for _, other := range parts.others {
		written = append(written, write(filepath.Join(folder, "manifests", fileName(other)), other))
	}
	return errors.Join(append(written,
		write(filepath.Join(o.out, "factory.yaml"), parts.factory...),
		write(filepath.Join(folder, "metadata", "annotations.yaml"), object{"annotations": annotations}),
		writeText(filepath.Join(o.out, "bundle.Dockerfile"), dockerfile()),
		writeScorecard(o, filepath.Join(folder, "tests", "scorecard", "config.yaml")))...)
}

// parts are what is installed, by who installs it.
type parts struct {
	deployment *appsv1.Deployment // in the ClusterServiceVersion, with its rights
	rights     []granted
	others     []object // beside it
	factory    []object // whoever wants one: OLM makes no StatefulSets
}

// granted are rules that the operator's account has, in its namespace or everywhere.
type granted struct {
	everywhere bool
	rules      []any
}

func sortOut(objects []object) (*parts, error) {
	p := &parts{}
	bound := map[string]bool{} // roles of the operator's account, by kind and name
	for _, o := range objects {
		if role, ok := o["roleRef"].(object); ok {
			bound[fmt.Sprint(role["kind"], " ", role["name"])] = true
		}
	}
	for _, o := range objects {
		metadata := o["metadata"].(object)
		delete(metadata, "namespace") // that of the subscription
		labels, _ := metadata["labels"].(object)
		isRole := bound[fmt.Sprint(o["kind"], " ", metadata["name"])]
		switch kind := o["kind"]; {
		case kind == "Namespace", kind == "ServiceAccount", kind == "RoleBinding", kind == "ClusterRoleBinding":
			// OLM makes them of the ClusterServiceVersion.
		case labels["app.kubernetes.io/component"] == "factory":
			p.factory = append(p.factory, o)
		case kind == "Deployment":
			p.deployment = &appsv1.Deployment{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o, p.deployment); err != nil {
				return nil, err
			}
		case isRole:
			p.rights = append(p.rights, granted{everywhere: kind == "ClusterRole", rules: o["rules"].([]any)})
		default:
			p.others = append(p.others, o)
		}
	}
	if p.deployment == nil || len(p.rights) == 0 {
		return nil, errors.New("the manifests have no operator")
	}
	return p, nil
}

func newCSV(o options, p *parts) (object, error) {
	if o.version == "" {
		return nil, errors.New("-version is missing")
	}
	bases, err := readObjects(filepath.Join(o.config, "manifests", "bases", packageName+".clusterserviceversion.yaml"))
	if err != nil {
		return nil, err
	}
	examples, err := samples(filepath.Join(o.config, "samples"))
	if err != nil {
		return nil, err
	}
	csv := bases[0]
	container := &p.deployment.Spec.Template.Spec.Containers[0]
	metadata, spec := csv["metadata"].(object), csv["spec"].(object)
	metadata["name"] = packageName + ".v" + o.version
	metadata["annotations"].(object)["alm-examples"] = examples
	metadata["annotations"].(object)["containerImage"] = container.Image
	spec["version"] = o.version
	// Without a factory of its own the operator works for those who name another.
	for _, variable := range container.Env {
		if source := variable.ValueFrom; source != nil && source.SecretKeyRef != nil {
			source.SecretKeyRef.Optional = new(true)
		}
	}
	spec["install"].(object)["spec"] = object{
		"deployments":        []any{object{"name": p.deployment.Name, "label": p.deployment.Labels, "spec": p.deployment.Spec}},
		"permissions":        p.permissions(false),
		"clusterPermissions": p.permissions(true),
	}
	return csv, nil
}

func (p *parts) permissions(everywhere bool) []any {
	var rules []any
	for _, right := range p.rights {
		if right.everywhere == everywhere {
			rules = append(rules, right.rules...)
		}
	}
	return []any{object{"serviceAccountName": p.deployment.Spec.Template.Spec.ServiceAccountName, "rules": rules}}
}

// samples are what consoles offer to start from.
func samples(folder string) (string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return "", err
	}
	var all []object
	for _, file := range files {
		objects, err := readObjects(file)
		if err != nil {
			return "", err
		}
		all = append(all, slices.DeleteFunc(objects, func(o object) bool { return !strings.HasPrefix(fmt.Sprint(o["apiVersion"]), group) })...)
	}
	encoded, err := json.MarshalIndent(all, "", "  ")
	return string(encoded), err
}

var annotations = map[string]string{
	"operators.operatorframework.io.bundle.mediatype.v1":       "registry+v1",
	"operators.operatorframework.io.bundle.manifests.v1":       "manifests/",
	"operators.operatorframework.io.bundle.metadata.v1":        "metadata/",
	"operators.operatorframework.io.bundle.package.v1":         packageName,
	"operators.operatorframework.io.bundle.channels.v1":        channel,
	"operators.operatorframework.io.bundle.channel.default.v1": channel,
	"operators.operatorframework.io.test.mediatype.v1":         "scorecard+v1",
	"operators.operatorframework.io.test.config.v1":            "tests/scorecard/",
}

// dockerfile is of the bundle's image, which nothing runs. Its labels are the annotations.
func dockerfile() string {
	lines := []string{"FROM scratch"}
	for name, value := range annotations {
		lines = append(lines, fmt.Sprintf("LABEL %s=%s", name, value))
	}
	slices.Sort(lines[1:])
	lines = append(lines, "COPY bundle/manifests /manifests/", "COPY bundle/metadata /metadata/", "COPY bundle/tests/scorecard /tests/scorecard/")
	return strings.Join(lines, "\n") + "\n"
}

func writeScorecard(o options, path string) error {
	configurations, err := readObjects(filepath.Join(o.config, "scorecard", "config.yaml"))
	if err != nil {
		return err
	}
	for _, stage := range configurations[0]["stages"].([]any) {
		for _, test := range stage.(object)["tests"].([]any) {
			test.(object)["image"] = o.scorecardImage
		}
	}
	return write(path, configurations[0])
}

// fileName is as operator-sdk has it.
func fileName(o object) string {
	name := o["metadata"].(object)["name"].(string)
	if o["kind"] == "CustomResourceDefinition" {
		plural, group, _ := strings.Cut(name, ".")
		return group + "_" + plural + ".yaml"
	}
	version := strings.ReplaceAll(fmt.Sprint(o["apiVersion"]), "/", "_")
	return fmt.Sprintf("%s_%s_%s.yaml", name, version, strings.ToLower(fmt.Sprint(o["kind"])))
}

func readObjects(path string) ([]object, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	objects, err := parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return objects, nil
}

func parse(content []byte) (objects []object, err error) {
	for _, document := range strings.Split(string(content), "\n---\n") {
		var parsed object
		if err := yaml.Unmarshal([]byte(document), &parsed); err != nil {
			return nil, err
		}
		if parsed != nil {
			objects = append(objects, parsed)
		}
	}
	return objects, nil
}

func write(path string, objects ...object) error {
	var documents []string
	for _, o := range objects {
		encoded, err := yaml.Marshal(o)
		if err != nil {
			return err
		}
		documents = append(documents, string(encoded))
	}
	return writeText(path, strings.Join(documents, "---\n"))
}

func writeText(path, content string) error {
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)) //nolint:gosec // they are published
}
