package upgrade

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Objects are named as kubectl takes them.
const (
	cds = "ClassifierDataset/"
	ctj = "ClassifierTrainingJob/"
)

// state is one in which an object can be for long.
type state struct {
	object, spec string
	// is what the column STATUS tells of it.
	is string
}

// states are those of before the upgrade, in an order in which they are reached.
var states = []state{
	{cds + "small", `{source: {configMaps: [{name: small, key: train.jsonl}]}}`, "Uploaded"},
	{cds + "split", `{source: {configMaps: [{name: small, key: train.jsonl}]}, preparation: {split: {testPercent: 20}}}`, "Uploaded"},
	{cds + "long", `{source: {configMaps: [{name: long, key: train.jsonl}]}}`, "Uploaded"},
	{cds + "suspended", `{suspend: true, source: {configMaps: [{name: small, key: train.jsonl}]}}`, "Suspended"},
	{cds + "late", `{source: {configMaps: [{name: late, key: train.jsonl}]}}`, "SourceNotFound"},
	{cds + "invalid", `{source: {inline: {data: '{"text": "a sample without labels"}'}}}`, "InvalidSamples"},
	{cds + "unconnected", `{connectionSecretRef: {name: none}, source: {configMaps: [{name: small, key: train.jsonl}]}}`, "ConnectionNotFound"},
	{ctj + "done", `{training: {datasets: [{name: small}]}}`, "SUCCESS"},
	{ctj + "measured", `{training: {datasets: [{name: split}]}}`, "SUCCESS"},
	{ctj + "waiting", `{training: {datasets: [{name: late}]}}`, "DatasetNotReady"},
	{ctj + "useless", `{training: {datasets: [{name: invalid}]}}`, "DatasetNotReady"},
	{ctj + "mismatched", `{connectionSecretRef: {name: none}, training: {datasets: [{name: small}]}}`, "ConnectionMismatch"},
	{ctj + "refused", `{training: {model: none, datasets: [{name: small}]}}`, "Rejected"},
	{ctj + "unimportable", `{importJobID: 00000000-0000-4000-8000-000000000000, training: {datasets: [{name: small}]}}`, "ImportNotFound"},
	{ctj + "unapproved", `{suspend: true, training: {datasets: [{name: small}]}}`, "VALIDATED"},
	{ctj + "late", `{activeDeadlineSeconds: 1, training: {datasets: [{name: long}]}}`, "DeadlineExceeded"},
	{ctj + "running", `{training: {datasets: [{name: long}]}}`, "RUNNING"},
	{ctj + "queued", `{training: {datasets: [{name: small}]}}`, "QUEUED"},
}

// unfinished are those that go on by themselves.
var unfinished = []string{ctj + "running", ctj + "queued"}

// reach makes the objects one after the other, each when the one before is as it stays.
func (c *cluster) reach(states ...state) {
	c.Helper()
	for _, s := range states {
		kind, name, _ := strings.Cut(s.object, "/")
		c.kubectl(fmt.Sprintf("{apiVersion: classifierfactory.dev/v1alpha1, kind: %s, metadata: {name: %s}, spec: %s}", kind, name, s.spec),
			"apply", "--namespace", team, "-f", "-")
		c.until(s.object, s.is)
	}
}

// kept is what of a status has to be the same whatever version the operator has.
const kept = `{range .items[*]}{.kind}/{.metadata.name} is {.status.state}, job {.status.remoteJob.id}, attempt {.status.attempt.number}, ` +
	`model {.status.model.id}, Secret {.status.binding.name}, inputs {.status.inputs[*].fileID}, ` +
	`files {.status.files[*].id}, digests {.status.files[*].digest}{"\n"}{end}`

// look has the operator look at everything anew, and gives what is kept of each object.
func (c *cluster) look(request string) (found map[string]string) {
	c.Helper()
	c.kubectl("", "annotate", "classifiers", "--all", "--overwrite", "--namespace", team, "reconcile.classifierfactory.dev/requestedAt="+request)
	c.kubectl("", "wait", "classifiers", "--all", "--namespace", team, "--timeout=2m", "--for=jsonpath={.status.lastHandledReconcileAt}="+request)
	found = map[string]string{}
	for line := range strings.Lines(c.kubectl("", "get", "classifiers", "--namespace", team, "-o", "jsonpath="+kept)) {
		object, is, _ := strings.Cut(strings.TrimSpace(line), " ")
		found[object] = is
	}
	return found
}

// mustKeep compares what is kept, but of objects that went on.
func (c *cluster) mustKeep(before, after map[string]string, wentOn ...string) {
	c.Helper()
	for _, object := range slices.Sorted(maps.Keys(before)) {
		if !slices.Contains(wentOn, object) && after[object] != before[object] {
			c.Errorf("%s, which before\n\t%s\nnow\n\t%s", object, before[object], after[object])
		}
	}
}
