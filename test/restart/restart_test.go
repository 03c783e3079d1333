// Package restart holds that the factory may end at any time, gently or not: what it
// was training, it trains again, and the operator starts no other job. Operator,
// factory and API server are the processes that they are on a cluster.
package restart

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const namespace = "default"

// rows take the engine more than a second, and fit into a ConfigMap.
const rows = 6000

// patience is many times what anything here takes on a busy machine.
const patience = 2 * time.Minute

func TestTrainingSurvivesRestartOfTheFactory(t *testing.T) {
	plane, err := controllertest.Start(t.Context(), filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	monitor, err := controllertest.StartMonitor(t.Context(), plane.Admin)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	factory := startFactory(t, directory)
	startOperator(t, directory, factory, plane.KubeConfig)

	create(t, plane.Admin, &corev1.ConfigMap{ObjectMeta: named("samples"), Data: map[string]string{"train.jsonl": samples(t)}})
	dataset := &classifierv1alpha1.ClassifierDataset{ObjectMeta: named("samples")}
	dataset.Spec.Source.ConfigMaps = []classifierv1alpha1.ConfigMapSource{{Name: "samples", Key: "train.jsonl"}}
	create(t, plane.Admin, dataset)

	cases := []struct {
		name, reason string
		signal       syscall.Signal
	}{
		{"terminated", "a node is drained", syscall.SIGTERM},
		{"killed", "a node fails", syscall.SIGKILL},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			job := &classifierv1alpha1.ClassifierTrainingJob{ObjectMeta: named(test.name)}
			job.Spec.Training.Datasets = []classifierv1alpha1.TrainingDataset{{Name: "samples"}}
			create(t, plane.Admin, job)
			await(t, plane.Admin, job, "it runs", func() bool {
				if job.Status.CompletionTime != nil {
					t.Fatal("the job was over before it was seen to run: it needs more rows")
				}
				return job.Status.RemoteJob != nil && job.Status.RemoteJob.State == string(mistral.JobRunning)
			})

			factory.end(t, test.signal)
			await(t, plane.Admin, job, "the operator notices", func() bool {
				return meta.IsStatusConditionFalse(job.Status.Conditions, classifierv1alpha1.ConditionFactoryReachable)
			})
			factory.start(t)

			await(t, plane.Admin, job, test.reason+", and it is ready", func() bool {
				if failed := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionFailed); failed != nil && failed.Status == metav1.ConditionTrue {
					t.Fatalf("the job failed: %s", failed.Message)
				}
				return meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionReady)
			})
			classify(t, plane.Admin, factory, job)
		})
	}

	jobs, err := factory.client(t).ListJobs(t.Context(), mistral.JobFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(jobs.Data) != len(cases) {
		t.Errorf("the factory has %d jobs; want one for each of %d objects", len(jobs.Data), len(cases))
	}
	if err := monitor.Verdict(); err != nil {
		t.Error(err)
	}
}

// classify uses the model that the job's Secret names, as an application would.
func classify(t *testing.T, cluster client.Client, factory *factory, job *classifierv1alpha1.ClassifierTrainingJob) {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: named(job.Status.Binding.Name)}
	if err := cluster.Get(t.Context(), client.ObjectKeyFromObject(secret), secret); err != nil {
		t.Fatal(err)
	}
	answer, err := factory.client(t).Classify(t.Context(), mistral.ClassifyRequest{Model: string(secret.Data["model"]), Input: []string{"Where is my parcel?"}})
	if err != nil {
		t.Fatal(err)
	}
	best := mistral.Score{}
	for _, score := range answer.Results[0]["intent"].Scores {
		if score.Score > best.Score {
			best = score
		}
	}
	if best.Label != "track_order" {
		t.Errorf("the model says %+v", best)
	}
}

// samples are the quickstart's, many times and each a little different.
func samples(t *testing.T) string {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "config", "samples", "quickstart", "data", "intents-train.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var quickstart []map[string]any
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var row map[string]any
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		quickstart = append(quickstart, row)
	}
	var text strings.Builder
	for i := range rows {
		row := quickstart[i%len(quickstart)]
		encoded, err := json.Marshal(map[string]any{"text": fmt.Sprintf("%s order %d", row["text"], i), "labels": row["labels"]})
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(encoded, '\n'))
	}
	return text.String()
}

func named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

func create(t *testing.T, cluster client.Client, object client.Object) {
	t.Helper()
	if err := cluster.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

// await looks at a job until what is awaited has come.
func await(t *testing.T, cluster client.Client, job *classifierv1alpha1.ClassifierTrainingJob, awaited string, come func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if err := cluster.Get(t.Context(), client.ObjectKeyFromObject(job), job); err != nil {
			t.Fatal(err)
		}
		if come() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited for: %s; the job's status is %+v", awaited, job.Status)
		}
	}
}
