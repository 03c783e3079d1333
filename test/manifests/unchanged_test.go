package manifests

import (
	"fmt"
	"strings"
	"testing"
)

// TestApplyingAgainChangesNothing applies the samples, and lists of every kind, twice.
// Where nothing has changed GitOps tools must see nothing to do: a default that the schema
// puts into an element of a list is a difference to those who apply on the client's side.
func TestApplyingAgainChangesNothing(t *testing.T) {
	for _, test := range []struct {
		name      string
		manifests []string // arguments of kubectl
		stdin     string
	}{
		{"samples", []string{"-k", config("samples")}, ""},
		{"quickstart", []string{"-k", config("samples/quickstart")}, ""},
		{"lists", []string{"-f", "-"}, strings.Join([]string{
			manifest("ClassifierTrainingJob", "lists", `{training: {
				datasets: [{name: a}, {name: b, weight: "0.5"}],
				validationDatasets: [{name: c}],
				targets: [{name: d, labels: [good, bad]}, {name: e, labels: [late, lost], weight: "2", lossFunction: MultiClass}]}}`),
			manifest("ClassifierDataset", "config-maps", `{source: {configMaps: [{name: a, key: b}, {name: c, key: d}]}}`),
			manifest("ClassifierDataset", "columns", `{source: {inline: {data: x}}, format: CSV,
				csv: {textColumn: a, labelColumns: [{column: b}, {column: c, target: d, separator: "|"}]}}`),
		}, "\n---\n")},
	} {
		for _, how := range []string{"client", "server"} {
			t.Run(test.name+" by the "+how, func(t *testing.T) {
				namespace := "unchanged-" + test.name + "-" + how
				if output, err := run(t, "", "create", "namespace", namespace); err != nil {
					t.Fatalf("%v\n%s", err, output)
				}
				kubectl := func(verb string) string {
					t.Helper()
					arguments := append([]string{verb, "--namespace", namespace, fmt.Sprintf("--server-side=%t", how == "server")}, test.manifests...)
					output, err := run(t, strings.ReplaceAll(test.stdin, "\t", " "), arguments...)
					if err != nil {
						t.Fatalf("%s: %v\n%s", verb, err, output)
					}
					return output
				}
				kubectl("apply")
				if difference := kubectl("diff"); difference != "" {
					t.Errorf("kubectl diff finds\n%s", difference)
				}
				if how == "server" {
					kubectl("apply") // the API server writes down the status that is the schema's default
				}
				versions := resourceVersions(t, namespace)
				for _, line := range strings.Split(strings.TrimSpace(kubectl("apply")), "\n") {
					if how == "client" && !strings.HasSuffix(line, " unchanged") {
						t.Error(line)
					}
				}
				if after := resourceVersions(t, namespace); after != versions {
					t.Errorf("the objects were written\n%s\nand now are\n%s", versions, after)
				}
			})
		}
	}
}

func resourceVersions(t *testing.T, namespace string) string {
	t.Helper()
	output, err := run(t, "", "get", "classifierdatasets,classifiertrainingjobs,configmaps", "--namespace", namespace,
		"-o", `jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{"\n"}{end}`)
	if err != nil || output == "" {
		t.Fatalf("%v\n%s", err, output)
	}
	return output
}
