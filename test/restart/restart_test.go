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

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// rows take the engine more than a second, and fit into a ConfigMap.
const rows = 2500

func TestTrainingSurvivesRestartOfTheFactory(t *testing.T) {
	plane := controllertest.StartForTest(t, filepath.Join("..", ".."))
	directory := t.TempDir()
	factory := startFactory(t, directory)
	startOperator(t, directory, factory, plane.KubeConfig)

	cases := []struct {
		name, reason string
		signal       syscall.Signal
	}{
		{"terminated", "a node is drained", syscall.SIGTERM},
		{"killed", "a node fails", syscall.SIGKILL},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			namespace := plane.NewNamespace(t)
			namespace.Create(&corev1.ConfigMap{ObjectMeta: namespace.ObjectMeta("samples"), Data: map[string]string{"train.jsonl": samples(t)}})
			dataset := &classifierv1alpha1.ClassifierDataset{ObjectMeta: namespace.ObjectMeta("samples")}
			dataset.Spec.Source.ConfigMaps = []classifierv1alpha1.ConfigMapSource{{Name: "samples", Key: "train.jsonl"}}
			namespace.Create(dataset)
			job := &classifierv1alpha1.ClassifierTrainingJob{ObjectMeta: namespace.ObjectMeta("job")}
			job.Spec.Training.Datasets = []classifierv1alpha1.TrainingDataset{{Name: "samples"}}
			namespace.Create(job)
			namespace.Await(job, "the training", func() bool {
				if job.Status.CompletionTime != nil {
					t.Fatal("the job was over before it was seen to run: it needs more rows")
				}
				return job.Status.RemoteJob != nil && job.Status.RemoteJob.State == string(mistral.JobRunning)
			})

			factory.end(t, test.signal)
			namespace.Await(job, "the operator to notice", func() bool {
				return controllertest.Condition(job, classifierv1alpha1.ConditionFactoryReachable).Status == metav1.ConditionFalse
			})
			factory.start()

			namespace.Await(job, "the model, although "+test.reason, func() bool {
				if failed := controllertest.Condition(job, classifierv1alpha1.ConditionFailed); failed.Status == metav1.ConditionTrue {
					t.Fatalf("the job failed: %s", failed.Message)
				}
				return controllertest.Condition(job, classifierv1alpha1.ConditionReady).Status == metav1.ConditionTrue
			})
			secret := &corev1.Secret{}
			namespace.Get(job.Status.Binding.Name, secret)
			classify(t, factory, secret)
			jobs, err := factory.client(t, factory.apiKey, namespace.Name).ListJobs(t.Context(), mistral.JobFilter{})
			if err != nil {
				t.Fatal(err)
			}
			if len(jobs.Data) != 1 {
				t.Errorf("the factory has %d jobs; want one for the object", len(jobs.Data))
			}
		})
	}
}

// classify uses a published model as an application would.
func classify(t *testing.T, factory *factory, secret *corev1.Secret) {
	t.Helper()
	client := factory.client(t, string(secret.Data["api-key"]), "")
	answer, err := client.Classify(t.Context(), mistral.ClassifyRequest{Model: string(secret.Data["model"]), Input: []string{"Where is my parcel?"}})
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
