package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// consumer has nothing but the published Secret.
const consumer = `
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: consumer
    image: IMAGE
    env:
    - {name: TEXT, value: "Where is my parcel?"}
    - {name: URI, valueFrom: {secretKeyRef: {name: intents-model, key: uri}}}
    - {name: MODEL, valueFrom: {secretKeyRef: {name: intents-model, key: model}}}
    - {name: API_KEY, valueFrom: {secretKeyRef: {name: intents-model, key: api-key}}}
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
`

// consume tells what a pod prints that has the Secret, or that it failed.
func consume(t *testing.T, namespace, name string) (printed string, works bool) {
	t.Helper()
	pod := strings.NewReplacer("NAME", name, "IMAGE", under.consumer).Replace(consumer)
	kubectl(t, pod, "apply", "--namespace", namespace, "-f", "-")
	_, err := try(t, "", kubectlProgram(), "wait", "--namespace", namespace, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s", "pod/"+name)
	printed, _ = try(t, "", kubectlProgram(), "logs", "--namespace", namespace, name)
	return printed, err == nil
}

func mustConsume(t *testing.T, namespace, name string) {
	t.Helper()
	printed, works := consume(t, namespace, name)
	if !works || !strings.Contains(printed, "intent track_order") {
		t.Fatalf("the consumer prints %q\n%s", printed, kubectl(t, "", "describe", "pod", "--namespace", namespace, name))
	}
	t.Log(printed)
}

// long takes its time: thousands of texts with a hundred labels.
const long = `
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierDataset
metadata: {name: long}
spec:
  source:
    configMaps:
    - {name: long-0, key: train.jsonl}
    - {name: long-1, key: train.jsonl}
    - {name: long-2, key: train.jsonl}
---
apiVersion: classifierfactory.dev/v1alpha1
kind: ClassifierTrainingJob
metadata: {name: long}
spec:
  training:
    datasets: [{name: long}]
    hyperparameters: {trainingSteps: 10000}
`

// startLongTraining gives the ID of the job at the factory, once it runs there.
func startLongTraining(t *testing.T, namespace string) (id string) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 3 {
		var rows strings.Builder
		for rows.Len() < 900_000 {
			label := random.IntN(100)
			fmt.Fprintf(&rows, `{"text": "word%d of %d in %x with %d", "labels": {"kind": "label-%d"}}`+"\n",
				label*10+random.IntN(20), random.IntN(1000), random.IntN(1<<30), random.IntN(100), label)
		}
		path := filepath.Join(t.TempDir(), "train.jsonl")
		if err := os.WriteFile(path, []byte(rows.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		kubectl(t, "", "create", "configmap", fmt.Sprintf("long-%d", i), "--namespace", namespace, "--from-file="+path)
	}
	kubectl(t, long, "apply", "--namespace", namespace, "-f", "-")
	kubectl(t, "", "wait", "--namespace", namespace, "--for=condition=Started", "--timeout=3m", "ctj/long")
	if over := ofLong(t, namespace, "completionTime"); over != "" {
		t.Fatal("the long training is over: it needs more rows")
	}
	return ofLong(t, namespace, "remoteJob.id")
}

func ofLong(t *testing.T, namespace, field string) string {
	t.Helper()
	return kubectl(t, "", "get", "ctj/long", "--namespace", namespace, "-o", "jsonpath={.status."+field+"}")
}

// TestLife is what a team sees: from the manifest to a classification, through a new version
// and through everything's being killed.
func TestLife(t *testing.T) {
	installManifest(t)
	team(t, "team-a")
	mustConsume(t, "team-a", "first")

	running := startLongTraining(t, "team-a")
	kubectl(t, manifest(t, under.later), "apply", "--server-side", "-f", "-")
	kubectl(t, "", "rollout", "restart", "--namespace", system, "deployments,statefulsets") // where the images are the same
	waitDeployed(t)
	mustConsume(t, "team-a", "upgraded")

	kubectl(t, "", "delete", "pods", "--namespace", system, "--all", "--force", "--grace-period=0")
	waitDeployed(t)
	mustConsume(t, "team-a", "killed")

	reboot(t)
	mustConsume(t, "team-a", "rebooted")
	kubectl(t, "", "wait", "--namespace", "team-a", "--for=condition=Complete", "--timeout=5m", "ctj/long")
	if id := ofLong(t, "team-a", "remoteJob.id"); id != running {
		t.Errorf("the job %s was trained instead of %s", id, running)
	}

	kubectl(t, "", "apply", "-k", filepath.Join(repository, "config", "network-policy"))
	if _, works := consume(t, "team-a", "fenced"); works {
		t.Log("NOT TESTED: network policies are not enforced on this cluster")
	} else {
		kubectl(t, "", "label", "namespace", "team-a", "classifierfactory.dev/client=true")
		mustConsume(t, "team-a", "let-in")
	}
	deleteKinds(t)
	deleteManifest(t)
	nothingIsLeft(t, "team-a")
}

// reboot has the node lose its power, where it is ours to cut.
func reboot(t *testing.T) {
	t.Helper()
	if under.own == nil {
		t.Log("NOT TESTED: a reboot, of a node that is not ours")
		return
	}
	containers := func() string {
		return kubectl(t, "", "get", "pods", "--namespace", system, "-o", "jsonpath={.items[*].status.containerStatuses[*].containerID}")
	}
	before := containers()
	if err := under.own.reboot(); err != nil {
		t.Fatalf("%v\n%v", err, under.own.logs())
	}
	// The API server tells of what was until the kubelet has looked.
	err := eventually(2*time.Minute, func() error {
		if now := containers(); now == before || strings.Count(now, "//") != 2 {
			return fmt.Errorf("the containers are %q", now)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%v\n%v", err, under.own.logs())
	}
	waitDeployed(t)
}
