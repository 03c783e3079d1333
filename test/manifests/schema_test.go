package manifests

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// TestTheSchemaRefusesWhatCannotWork holds the rules of the schema: what is wrong
// is refused when it is applied, with a message that says why.
func TestTheSchemaRefusesWhatCannotWork(t *testing.T) {
	for _, test := range []struct {
		name, kind, spec string
		want             string // in the message; empty: accepted
	}{
		{"one source", "ClassifierDataset", `{source: {inline: {data: x}}}`, ""},
		{"no source", "ClassifierDataset", `{source: {}}`, "exactly one"},
		{"two sources", "ClassifierDataset", `{source: {inline: {data: x}, configMaps: [{name: a, key: b}]}}`, "exactly one"},
		{"a bucket", "ClassifierDataset", `{source: {objectStorage: {url: "s3://bucket/prefix/"}}}`, ""},
		{"a web page for a bucket", "ClassifierDataset", `{source: {objectStorage: {url: "https://example.com/data"}}}`, "url"},
		{"a split", "ClassifierDataset", `{source: {inline: {data: x}}, preparation: {split: {validationPercent: 10, testPercent: 10}}}`, ""},
		{"a split that leaves nothing", "ClassifierDataset", `{source: {inline: {data: x}}, preparation: {split: {validationPercent: 60, testPercent: 40}}}`, "must leave samples"},
		{"a mapping", "ClassifierDataset", mapped(`text: a, labels: [{target: b, field: c, names: {0: d, "1": e}}]`), ""},
		{"a mapping of CSV", "ClassifierDataset", `{source: {inline: {data: x}}, format: CSV, mapping: {text: a, labels: [{target: b, field: c}]}}`, ""},
		{"a mapping of CSV with semicolons", "ClassifierDataset", `{source: {inline: {data: x}}, csv: {delimiter: ";"}, mapping: {text: a, labels: [{target: b, field: c}]}}`, ""},
		{"CSV of which nothing is known", "ClassifierDataset", `{source: {inline: {data: x}}, format: CSV}`, "needs mapping or csv"},
		{"semicolons alone", "ClassifierDataset", `{source: {inline: {data: x}}, csv: {delimiter: ";"}}`, "set one of them"},
		{"columns by both", "ClassifierDataset", `{source: {inline: {data: x}}, csv: {textColumn: a, labelColumns: [{column: b}]}, mapping: {text: a, labels: [{target: b, field: c}]}}`, "set one of them"},
		{"a text column alone", "ClassifierDataset", `{source: {inline: {data: x}}, csv: {textColumn: a}}`, "go together"},
		{"columns of Parquet", "ClassifierDataset", `{source: {inline: {data: x}}, format: Parquet, csv: {delimiter: ";"}, mapping: {text: a, labels: [{target: b, field: c}]}}`, "no meaning"},
		{"a tab", "ClassifierDataset", `{source: {inline: {data: x}}, csv: {delimiter: "\t", textColumn: a, labelColumns: [{column: b}]}}`, ""},
		{"a quote between fields", "ClassifierDataset", `{source: {inline: {data: x}}, csv: {delimiter: "\"", textColumn: a, labelColumns: [{column: b}]}}`, "delimiter"},
		{"a letter between fields", "ClassifierDataset", `{source: {inline: {data: x}}, csv: {delimiter: a, textColumn: a, labelColumns: [{column: b}]}}`, "delimiter"},
		{"a line break between fields", "ClassifierDataset", `{source: {inline: {data: x}}, csv: {delimiter: "\n", textColumn: a, labelColumns: [{column: b}]}}`, "delimiter"},
		{"text and messages", "ClassifierDataset", mapped(`text: a, messages: b, labels: [{target: b, field: c}]`), "exactly one"},
		{"neither text nor messages", "ClassifierDataset", mapped(`labels: [{target: b, field: c}]`), "exactly one"},
		{"no labels", "ClassifierDataset", mapped(`text: a`), "labels"},
		{"a target twice", "ClassifierDataset", mapped(`text: a, labels: [{target: b, field: c}, {target: b, field: d}]`), "Duplicate"},
		{"a field for two targets", "ClassifierDataset", mapped(`text: a, labels: [{target: b, field: c}, {target: d, field: c}]`), ""},
		{"labels from nowhere", "ClassifierDataset", mapped(`text: a, labels: [{target: b}]`), "exactly one"},
		{"labels from two places", "ClassifierDataset", mapped(`text: a, labels: [{target: b, field: c, fields: [d, e]}]`), "exactly one"},
		{"one field of many", "ClassifierDataset", mapped(`text: a, labels: [{target: b, fields: [d]}]`), "at least 2"},
		{"a field twice", "ClassifierDataset", mapped(`text: a, labels: [{target: b, fields: [d, d]}]`), "Duplicate"},
		{"fields and what none of them is", "ClassifierDataset", mapped(`text: a, labels: [{target: b, fields: [d, e], none: f}]`), ""},
		{"none of one field", "ClassifierDataset", mapped(`text: a, labels: [{target: b, field: c, none: f}]`), "none goes with fields"},
		{"a separator of fields", "ClassifierDataset", mapped(`text: a, labels: [{target: b, fields: [d, e], separator: "|"}]`), "separator goes with field"},
		{"the last message", "ClassifierDataset", mapped(`messages: a, labels: [{target: b, lastMessage: Assistant}]`), ""},
		{"the last message of a text", "ClassifierDataset", mapped(`text: a, labels: [{target: b, lastMessage: Assistant}]`), "lastMessage goes with messages"},
		{"the last message twice", "ClassifierDataset", mapped(`messages: a, labels: [{target: b, lastMessage: Assistant}, {target: c, lastMessage: Assistant}]`), "one target only"},
		{"the user's last message", "ClassifierDataset", mapped(`messages: a, labels: [{target: b, lastMessage: User}]`), "lastMessage"},
		{"a label without a name", "ClassifierDataset", mapped(`text: a, labels: [{target: b, field: c, names: {"0": ""}}]`), "names"},
		{"a filter", "ClassifierDataset", mapped(`text: a, labels: [{target: b, field: c}], filters: [{field: d, values: [e]}]`), ""},
		{"a filter that lets nothing through", "ClassifierDataset", mapped(`text: a, labels: [{target: b, field: c}], filters: [{field: d, values: []}]`), "values"},
		{"a job", "ClassifierTrainingJob", `{training: {datasets: [{name: a}]}}`, ""},
		{"patterns under a prefix", "ClassifierDataset", `{source: {objectStorage: {url: "s3://bucket/a/", include: ["**/*.csv"], exclude: ["b/**"]}}}`, ""},
		{"patterns in a whole bucket", "ClassifierDataset", `{source: {objectStorage: {url: "gs://bucket/", include: ["*"]}}}`, ""},
		{"a pattern beside one object", "ClassifierDataset", `{source: {objectStorage: {url: "s3://bucket/a.csv", include: ["*"]}}}`, "end url with a slash"},
		{"what to leave out of one object", "ClassifierDataset", `{source: {objectStorage: {url: "s3://bucket/a", exclude: ["*"]}}}`, "end url with a slash"},
		{"an empty pattern", "ClassifierDataset", `{source: {objectStorage: {url: "s3://bucket/a/", include: [""]}}}`, "include"},
		{"a job without data", "ClassifierTrainingJob", `{training: {datasets: []}}`, "datasets"},
		{"a dataset twice", "ClassifierTrainingJob", `{training: {datasets: [{name: a}, {name: a}]}}`, "Duplicate"},
		{"the weight of nothing", "ClassifierTrainingJob", `{training: {datasets: [{name: a, weight: "0"}]}}`, "greater than 0"},
		{"a word for a weight", "ClassifierTrainingJob", `{training: {datasets: [{name: a, weight: heavy}]}}`, "weight"},
		{"a target with one label", "ClassifierTrainingJob", `{training: {datasets: [{name: a}], targets: [{name: b, labels: [c]}]}}`, "at least 2"},
		{"the hosted recipe", "ClassifierTrainingJob", `{training: {datasets: [{name: a}], hyperparameters: {trainingSteps: 100, learningRate: "4e-5"}}}`, ""},
		{"a learning rate above 1", "ClassifierTrainingJob", `{training: {datasets: [{name: a}], hyperparameters: {learningRate: "1.5"}}}`, "between 1e-8 and 1"},
		{"a learning rate of 0", "ClassifierTrainingJob", `{training: {datasets: [{name: a}], hyperparameters: {learningRate: "0"}}}`, "between 1e-8 and 1"},
		{"no epochs", "ClassifierTrainingJob", `{training: {datasets: [{name: a}], hyperparameters: {epochs: "0.0"}}}`, "greater than 0"},
		{"a short sequence", "ClassifierTrainingJob", `{training: {datasets: [{name: a}], hyperparameters: {sequenceLength: 99}}}`, "greater than or equal to 100"},
		{"more than half skipped", "ClassifierTrainingJob", `{training: {datasets: [{name: a}], invalidSampleSkipFraction: "0.6"}}`, "between 0 and 0.5"},
		{"a suffix of 19 characters", "ClassifierTrainingJob", `{training: {datasets: [{name: a}], suffix: abcdefghijklmnopqrs}}`, "suffix"},
		{"an import", "ClassifierTrainingJob", `{training: {datasets: [{name: a}]}, importJobID: b}`, ""},
		{"an import that would be cancelled", "ClassifierTrainingJob", `{training: {datasets: [{name: a}]}, importJobID: b, activeDeadlineSeconds: 5}`, "only observes"},
		{"an import that would be tried again", "ClassifierTrainingJob", `{training: {datasets: [{name: a}]}, importJobID: b, backoffLimit: 1}`, "only observes"},
		{"an import that would be held back", "ClassifierTrainingJob", `{training: {datasets: [{name: a}]}, importJobID: b, suspend: true}`, "only observes"},
		{"an import with a budget", "ClassifierTrainingJob", `{training: {datasets: [{name: a}]}, importJobID: b, maxCost: {amount: "5", currency: EUR}}`, "only observes"},
		{"an import whose model would be deleted", "ClassifierTrainingJob", `{training: {datasets: [{name: a}]}, importJobID: b, deletionPolicy: CancelAndDeleteModel}`, "only observes"},
		{"a lower-case currency", "ClassifierTrainingJob", `{training: {datasets: [{name: a}]}, maxCost: {amount: "5", currency: eur}}`, "currency"},
	} {
		t.Run(test.name, func(t *testing.T) {
			output, err := run(t, manifest(test.kind, "schema", test.spec), "create", "--dry-run=server", "-f", "-")
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %s", output)
			case test.want != "" && err == nil:
				t.Error("accepted")
			case !strings.Contains(output, test.want):
				t.Errorf("the message does not say %q: %s", test.want, output)
			}
		})
	}
}

// mapped is the spec of a dataset with the mapping.
func mapped(mapping string) string {
	return "{source: {inline: {data: x}}, mapping: {" + mapping + "}}"
}

// TestARunCannotBeChanged holds that a finished run never looks as if it had been
// another one.
func TestARunCannotBeChanged(t *testing.T) {
	spec := `{training: {datasets: [{name: a}]}, importJobID: b, connectionSecretRef: {name: c}}`
	if output, err := run(t, manifest("ClassifierTrainingJob", "immutable", spec), "create", "-f", "-"); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, test := range []struct {
		name, patch string
		want        string // in the message; empty: accepted
	}{
		{"a field is changed", `{"spec":{"training":{"model":"another"}}}`, "training is immutable"},
		{"an optional field is added", `{"spec":{"training":{"suffix":"x"}}}`, "training is immutable"},
		{"another job is imported", `{"spec":{"importJobID":"c"}}`, "importJobID is immutable"},
		{"none is imported any more", `{"spec":{"importJobID":null}}`, "importJobID is immutable"},
		{"it is moved to another factory", `{"spec":{"connectionSecretRef":{"name":"d"}}}`, "connectionSecretRef is immutable"},
		{"it is moved to the operator's own factory", `{"spec":{"connectionSecretRef":null}}`, "connectionSecretRef is immutable"},
		{"it is kept longer", `{"spec":{"ttlSecondsAfterFinished":60}}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			output, err := run(t, "", "patch", "classifiertrainingjob", "immutable", "--type=merge", "--patch", test.patch)
			if (err == nil) != (test.want == "") || !strings.Contains(output, test.want) {
				t.Errorf("%v: %s", err, output)
			}
		})
	}
}

// TestNothingOfARunCanBeChanged tries each field of training, whether it was there or not.
// That an absent weight may be written as "1", and "1" be left out, is for objects of the
// time when it was a default of the schema.
func TestNothingOfARunCanBeChanged(t *testing.T) {
	fields := trainingFields(t)
	full := `{model: m, datasets: [{name: a, weight: "2"}, {name: b}, {name: c, weight: "1"}], validationDatasets: [{name: v}],
		targets: [{name: t, labels: [p, q], weight: "2", lossFunction: MultiClass}, {name: u, labels: [p, q]}],
		hyperparameters: {trainingSteps: 5}, suffix: s, invalidSampleSkipFraction: "0.1",
		weightsAndBiases: {project: p, apiKeySecretRef: {name: a, key: b}}}`
	for name, training := range map[string]string{"full": full, "bare": `{datasets: [{name: a}]}`} {
		manifest := strings.ReplaceAll(manifest("ClassifierTrainingJob", name, "{training: "+training+"}"), "\t", "")
		if output, err := run(t, manifest, "create", "-f", "-"); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	datasets := func(items string) string { return `{"datasets":[` + items + `]}` }
	targets := func(items string) string { return `{"targets":[` + items + `]}` }
	const b, c, u = `{"name":"b"}`, `{"name":"c"}`, `{"name":"u","labels":["p","q"]}`
	for _, test := range []struct {
		job, reason, training string
		accepted              bool
	}{
		{"full", "model", `{"model":"n"}`, false},
		{"full", "another dataset", datasets(`{"name":"x","weight":"2"},` + b + "," + c), false},
		{"full", "one dataset more", datasets(`{"name":"a","weight":"2"},{"name":"x"},` + b + "," + c), false},
		{"full", "one dataset fewer", datasets(`{"name":"a","weight":"2"},` + b), false},
		{"full", "another weight", datasets(`{"name":"a","weight":"3"},` + b + "," + c), false},
		{"full", "a weight less", datasets(`{"name":"a"},` + b + "," + c), false},
		{"full", "a weight more", datasets(`{"name":"a","weight":"2"},{"name":"b","weight":"2"},` + c), false},
		{"full", "a default that is left out", datasets(`{"name":"a","weight":"2"},` + b + "," + c), true},
		{"full", "a default that is written down", datasets(`{"name":"a","weight":"2"},{"name":"b","weight":"1"},` + c), true},
		{"full", "validationDatasets", `{"validationDatasets":[{"name":"x"}]}`, false},
		{"full", "validationDatasets removed", `{"validationDatasets":null}`, false},
		{"full", "another target", targets(`{"name":"x","labels":["p","q"]},` + u), false},
		{"full", "a target less", targets(u), false},
		{"full", "a target's labels", targets(`{"name":"t","labels":["p","x"],"weight":"2","lossFunction":"MultiClass"},` + u), false},
		{"full", "a target's weight", targets(`{"name":"t","labels":["p","q"],"lossFunction":"MultiClass"},` + u), false},
		{"full", "a target's loss function", targets(`{"name":"t","labels":["p","q"],"weight":"2"},` + u), false},
		{"full", "a target's default weight", targets(`{"name":"t","labels":["p","q"],"weight":"2","lossFunction":"MultiClass"},{"name":"u","labels":["p","q"],"weight":"1"}`), true},
		{"full", "targets removed", `{"targets":null}`, false},
		{"full", "hyperparameters", `{"hyperparameters":{"trainingSteps":6}}`, false},
		{"full", "hyperparameters more", `{"hyperparameters":{"epochs":"1"}}`, false},
		{"full", "hyperparameters removed", `{"hyperparameters":null}`, false},
		{"full", "suffix", `{"suffix":"x"}`, false},
		{"full", "suffix removed", `{"suffix":null}`, false},
		{"full", "invalidSampleSkipFraction", `{"invalidSampleSkipFraction":"0.2"}`, false},
		{"full", "invalidSampleSkipFraction removed", `{"invalidSampleSkipFraction":null}`, false},
		{"full", "weightsAndBiases", `{"weightsAndBiases":{"name":"x"}}`, false},
		{"full", "weightsAndBiases removed", `{"weightsAndBiases":null}`, false},
		{"bare", "model", `{"model":"n"}`, false},
		{"bare", "datasets", datasets(`{"name":"x"}`), false},
		{"bare", "validationDatasets", `{"validationDatasets":[{"name":"x"}]}`, false},
		{"bare", "targets", targets(u), false},
		{"bare", "hyperparameters", `{"hyperparameters":{"trainingSteps":6}}`, false},
		{"bare", "suffix", `{"suffix":"x"}`, false},
		{"bare", "invalidSampleSkipFraction", `{"invalidSampleSkipFraction":"0.2"}`, false},
		{"bare", "weightsAndBiases", `{"weightsAndBiases":{"project":"p","apiKeySecretRef":{"name":"a","key":"b"}}}`, false},
	} {
		t.Run(test.job+" "+test.reason, func(t *testing.T) {
			output, err := run(t, "", "patch", "classifiertrainingjob", test.job, "--type=merge", "--dry-run=server", "--patch", `{"spec":{"training":`+test.training+`}}`)
			if (err == nil) != test.accepted || err != nil && !strings.Contains(output, "training is immutable") {
				t.Errorf("%v: %s", err, output)
			}
		})
		if test.job == "bare" {
			fields = slices.DeleteFunc(fields, func(field string) bool { return strings.HasPrefix(test.training, `{"`+field+`"`) })
		}
	}
	if len(fields) > 0 {
		t.Errorf("these fields of training are not tried: %q", fields)
	}
}

func trainingFields(t *testing.T) []string {
	t.Helper()
	output, err := run(t, "", "get", "crd", "classifiertrainingjobs.classifierfactory.dev", "-o",
		"jsonpath={.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.training.properties}")
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	properties := map[string]any{}
	if err := yaml.Unmarshal([]byte(output), &properties); err != nil || len(properties) == 0 {
		t.Fatal(err)
	}
	return slices.Collect(maps.Keys(properties))
}

// TestAFreshObjectIsNotTakenForReady holds what keeps `kubectl wait`, Flux and
// Argo CD from going on before the operator has seen an object, and that its line of
// `kubectl get` says so.
func TestAFreshObjectIsNotTakenForReady(t *testing.T) {
	for kind, spec := range map[string]string{
		"ClassifierDataset":     `{source: {inline: {data: x}}}`,
		"ClassifierTrainingJob": `{training: {datasets: [{name: a}]}}`,
	} {
		if output, err := run(t, manifest(kind, "fresh", spec), "create", "-f", "-"); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		if output, err := run(t, "", "get", kind, "fresh", "-o", "jsonpath={.status.observedGeneration}"); err != nil || output != "-1" {
			t.Errorf("a fresh %s has observed generation %s: %v", kind, output, err)
		}
		output, err := run(t, "", "get", kind, "fresh", "--no-headers")
		if err != nil || !strings.HasPrefix(strings.Join(strings.Fields(output), " "), "fresh Unknown Pending ") {
			t.Errorf("a fresh %s is shown as %q: %v", kind, output, err)
		}
		output, err = run(t, "", "get", kind, "fresh", "-o", "json")
		if err != nil {
			t.Fatal(err)
		}
		result, err := status.Compute(&unstructured.Unstructured{Object: parse(t, output)})
		if err != nil || result.Status != status.InProgressStatus {
			t.Errorf("Flux sees a fresh %s as %v: %v", kind, result, err)
		}
	}
}

// TestColumnsSayWhatPeopleAskFirst holds the columns of `kubectl get`.
func TestColumnsSayWhatPeopleAskFirst(t *testing.T) {
	for kind, test := range map[string]struct{ spec, columns, wide string }{
		"ClassifierDataset": {`{source: {inline: {data: x}}}`,
			"NAME READY STATUS SAMPLES LABELS AGE", "MESSAGE"},
		"ClassifierTrainingJob": {`{training: {datasets: [{name: a}]}}`,
			"NAME READY STATUS PROGRESS SCORE AGE", "MODEL COST LOSS JOB MESSAGE"},
	} {
		if output, err := run(t, manifest(kind, "columns", test.spec), "create", "-f", "-"); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		for want, arguments := range map[string][]string{
			test.columns:                   {"get", kind},
			test.columns + " " + test.wide: {"get", kind, "-o", "wide"},
		} {
			output, err := run(t, "", arguments...)
			heading, _, _ := strings.Cut(output, "\n")
			if got := strings.Join(strings.Fields(heading), " "); err != nil || got != want {
				t.Errorf("%v: got %s, want %s: %v", arguments, got, want, err)
			}
		}
	}
}

func manifest(kind, name, spec string) string {
	return fmt.Sprintf("{apiVersion: classifierfactory.dev/v1alpha1, kind: %s, metadata: {name: %s}, spec: %s}", kind, name, spec)
}
