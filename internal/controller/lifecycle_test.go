package controller

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestTextClassifierIsTrainedAndPublished(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.configMap("intents", map[string]string{
		"train.jsonl":      quickstart(t, "intents-train.jsonl"),
		"validation.jsonl": quickstart(t, "intents-validation.jsonl"),
	})
	dataset, validation := f.dataset("intents", "intents", "train.jsonl"), f.dataset("intents-validation", "intents", "validation.jsonl")
	f.Create(dataset)
	f.Create(validation)
	job := f.trainingJob("intents", "intents")
	job.Spec.Training.ValidationDatasets = []classifierv1alpha1.DatasetReference{{Name: "intents-validation"}}
	job.Spec.Output = &classifierv1alpha1.TrainingOutput{SecretName: "intents-model"}
	f.Create(job)
	f.waitUntilReady(job)

	f.Get("intents", dataset)
	if got := dataset.Status; got.InputType != classifierv1alpha1.InputText || got.Samples.Total != 420 || *got.LabelCount != 10 ||
		len(got.Targets) != 1 || got.Targets[0].Type != classifierv1alpha1.SingleLabel || got.Targets[0].Labels[0].Samples != 42 {
		t.Errorf("the dataset's status does not describe the samples: %+v", got)
	}
	status := job.Status
	if !strings.HasPrefix(status.Model.ID, mistral.ClassifierModelPrefix) || status.RemoteJob.State != string(mistral.JobSuccess) ||
		status.State != string(mistral.JobSuccess) || status.Score == "" || status.Progress.Percent != 100 || status.StartTime == nil || status.CompletionTime == nil || len(status.LossHistory) < 2 {
		t.Errorf("the job's status does not tell how the training went: %+v", status)
	}
	if first, last := status.LossHistory[0], status.LossHistory[len(status.LossHistory)-1]; first.Train <= last.Train {
		t.Errorf("the loss did not fall: %s at first, %s at last", first.Train, last.Train)
	}
	for _, kind := range []string{classifierv1alpha1.ConditionComplete, classifierv1alpha1.ConditionFinished} {
		f.waitFor(job, kind, metav1.ConditionTrue, classifierv1alpha1.ReasonSucceeded)
	}

	secret := &corev1.Secret{}
	f.Get("intents-model", secret)
	for key, want := range map[string]string{
		"type":           "classifier-factory",
		"provider":       "classifier-factory",
		"uri":            f.factory.URL,
		"model":          status.Model.ID,
		"base-model":     "ministral-3b-latest",
		"job-id":         status.RemoteJob.ID,
		"dataset-digest": dataset.Status.Files[0].Digest,
	} {
		if got := string(secret.Data[key]); got != want {
			t.Errorf("the Secret's %s is %q, want %q", key, got, want)
		}
	}
	if status.Binding.Name != secret.Name || !metav1.IsControlledBy(secret, job) || secret.Type != outputSecretType {
		t.Errorf("the Secret is not what Service Binding and garbage collection need: %+v", secret.ObjectMeta)
	}
	for key, value := range secret.Data {
		if strings.Contains(string(value), f.apiKey) {
			t.Errorf("the Secret's %s has the API key", key)
		}
	}

	answer, err := f.api.Classify(f.ctx, mistral.ClassifyRequest{
		Model: string(secret.Data["model"]),
		Input: []string{"The app won't let me sign in with my new password"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if best := best(answer.Results[0]["intent"]); best != "account_access" {
		t.Errorf("the model takes a login problem for %s", best)
	}

	f.Eventually("waiting for the job's story", func() error {
		return containsAll(f.eventReasons("intents"), "Uploaded", "Submitted", "Started", "Succeeded", "Published")
	})
}

func TestChatClassifierWithSeveralTargets(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.configMap("tickets", map[string]string{"train.jsonl": quickstart(t, "tickets-train.jsonl")})
	dataset := f.dataset("tickets", "tickets", "train.jsonl")
	f.Create(dataset)
	job := f.trainingJob("tickets", "tickets")
	f.Create(job)
	f.waitUntilReady(job)

	f.Get("tickets", dataset)
	types := map[string]classifierv1alpha1.TargetType{}
	for _, target := range dataset.Status.Targets {
		types[target.Name] = target.Type
	}
	if dataset.Status.InputType != classifierv1alpha1.InputChat || types["topic"] != classifierv1alpha1.MultiLabel || types["urgency"] != classifierv1alpha1.SingleLabel {
		t.Errorf("the dataset is described as %s with the targets %v", dataset.Status.InputType, types)
	}
	secret := &corev1.Secret{}
	f.Get("tickets", secret)
	var targets []publishedTarget
	if err := json.Unmarshal(secret.Data["targets"], &targets); err != nil {
		t.Fatal(err)
	}
	losses := map[string]string{}
	for _, target := range targets {
		losses[target.Name] = target.LossFunction
	}
	if losses["topic"] != mistral.LossMultiClass || losses["urgency"] != mistral.LossSingleClass {
		t.Errorf("the Secret's targets are %s", secret.Data["targets"])
	}
	answer, err := f.api.ClassifyChat(f.ctx, mistral.ClassifyChatRequest{
		Model: job.Status.Model.ID,
		Input: []mistral.Chat{{Messages: []mistral.Message{{Role: "user", Content: "I was charged twice on my last invoice, please fix this right now!"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if topic := best(answer.Results[0]["topic"]); topic != "billing" {
		t.Errorf("the model takes a wrong invoice for %s", topic)
	}
}

func TestSeveralConfigMapsAreOneDatasetInTheirOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	rows := strings.SplitAfter(strings.TrimSpace(sentiments(6)), "\n")
	// The first part ends without a line break, as files often do.
	f.configMap("parts", map[string]string{"a": strings.TrimSpace(strings.Join(rows[:3], "")), "b": strings.Join(rows[3:], "")})
	dataset := f.dataset("parts", "parts", "b", "a")
	f.Create(dataset)
	f.waitUntilReady(dataset)
	if got := dataset.Status.Samples.Total; got != 6 {
		t.Errorf("%d samples of 6 were read", got)
	}
}

func TestInvalidLineIsNamedAndNothingIsUploaded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	rows := strings.Split(strings.TrimSpace(sentiments(4)), "\n")
	rows[2] = `{"text": "a secret that must not be shown", "labels": {"sentiment": 1}}`
	configMap := f.configMap("bad", map[string]string{"data": strings.Join(rows, "\n")})
	dataset := f.dataset("bad", "bad", "data")
	f.Create(dataset)
	condition := f.waitFor(dataset, classifierv1alpha1.ConditionValidated, metav1.ConditionFalse, classifierv1alpha1.ReasonInvalidSamples)

	if !strings.Contains(condition.Message, "line 3") {
		t.Errorf("the message does not name line 3: %s", condition.Message)
	}
	if got := dataset.Status.InvalidSamples; len(got) != 1 || got[0].Line != 3 || got[0].Reason == "" {
		t.Errorf("the status lists the invalid samples %+v", got)
	}
	if status, _ := json.Marshal(dataset.Status); strings.Contains(string(status), "secret that must not") {
		t.Error("the status shows a sample")
	}
	if files := f.remoteFiles(); len(files) != 0 || f.factory.calls.Load() != 1 {
		t.Errorf("%d files are at the factory, after %d calls", len(files), f.factory.calls.Load())
	}

	rows[2] = `{"text": "what a lovely thing", "labels": {"sentiment": "positive"}}`
	f.Edit(configMap, func() { configMap.Data["data"] = strings.Join(rows, "\n") })
	f.waitUntilReady(dataset)
	if len(dataset.Status.InvalidSamples) != 0 {
		t.Errorf("the corrected dataset still lists %+v", dataset.Status.InvalidSamples)
	}
}

func TestMissingConfigMapIsWaitedFor(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	dataset := f.dataset("late", "late", "data")
	f.Create(dataset)
	f.waitFor(dataset, classifierv1alpha1.ConditionSourceReady, metav1.ConditionFalse, classifierv1alpha1.ReasonSourceNotFound)
	configMap := f.configMap("late", map[string]string{"other": sentiments(4)})
	f.waitFor(dataset, classifierv1alpha1.ConditionSourceReady, metav1.ConditionFalse, classifierv1alpha1.ReasonSourceKeyNotFound)
	f.Edit(configMap, func() { configMap.Data["data"] = sentiments(4) })
	f.waitUntilReady(dataset)
}

func TestChangedConfigMapIsUploadedAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	configMap := f.configMap("changing", map[string]string{"data": sentiments(4)})
	dataset := f.dataset("changing", "changing", "data")
	dataset.Spec.RevisionHistoryLimit = new(int32(1))
	f.Create(dataset)
	f.waitUntilReady(dataset)
	first := dataset.Status.Files[0]

	for _, samples := range []int{6, 8} {
		f.Edit(configMap, func() { configMap.Data["data"] = sentiments(samples) })
		f.Eventually("waiting for the new samples", func() error {
			f.waitUntilReady(dataset)
			return equal("samples", dataset.Status.Samples.Total, int64(samples))
		})
	}
	var names []string
	for _, file := range f.remoteFiles() {
		names = append(names, file.Filename)
	}
	if len(names) != 2 || slices.Contains(names, first.Name) || len(dataset.Status.History) != 1 {
		t.Errorf("with one earlier revision to keep, the factory has %v and the history is %+v", names, dataset.Status.History)
	}
}

func TestWrongAPIKeyIsToldAndRecovers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	secret := f.connection("")
	f.Edit(secret, func() { secret.Data[connectionAPIKeyKey] = []byte("wrong") })
	dataset := f.inlineDataset("sentiment", sentiments(20))
	f.Create(dataset)
	f.waitFor(dataset, classifierv1alpha1.ConditionFactoryReachable, metav1.ConditionFalse, classifierv1alpha1.ReasonUnauthorized)
	f.waitFor(dataset, classifierv1alpha1.ConditionValidated, metav1.ConditionTrue, classifierv1alpha1.ReasonValidWithWarnings)

	f.Edit(secret, func() { secret.Data[connectionAPIKeyKey] = []byte(f.apiKey) })
	f.waitUntilReady(dataset)
	f.waitFor(dataset, classifierv1alpha1.ConditionFactoryReachable, metav1.ConditionTrue, classifierv1alpha1.ReasonReachable)
}
