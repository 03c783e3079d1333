package controller

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/factory"
	"github.com/classifier-factory/classifier-factory/internal/factory/api"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

var sentiments = controllertest.Sentiments

// fixture is a namespace with a factory of its own and the connection to it.
type fixture struct {
	*testing.T
	*controllertest.Namespace
	ctx     context.Context
	apiKey  string
	factory *testFactory
	api     *mistral.Client // to the factory, without what stands before it
}

const connectionSecret = "connection"

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, Namespace: cluster.NewNamespace(t), ctx: t.Context(), apiKey: rand.Text()}
	cluster.Monitor.Forbid(f.apiKey)
	f.factory = startFactory(t, f.apiKey)
	f.api = f.factory.client(t, f.apiKey, f.Namespace.Name)
	f.Create(f.connection(f.apiKey))
	return f
}

// testFactory is the real server behind a handler that counts and can interfere.
type testFactory struct {
	*httptest.Server
	calls     atomic.Int64
	interfere atomic.Pointer[func(http.ResponseWriter, *http.Request, http.Handler)]
}

func startFactory(t *testing.T, apiKey string) *testFactory {
	t.Helper()
	server, err := factory.Open(t.Context(), factory.Config{
		Directory: t.TempDir(),
		APIKeys:   []api.Key{operatorsKey(t, apiKey)},
	})
	if err != nil {
		t.Fatal(err)
	}
	real, counted := server.Handler(), &testFactory{}
	counted.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted.calls.Add(1)
		if interfere := counted.interfere.Load(); interfere != nil {
			(*interfere)(w, r, real)
			return
		}
		real.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		counted.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return counted
}

// operatorsKey has the scopes that the operator needs, and no more.
func operatorsKey(t *testing.T, key string) api.Key {
	t.Helper()
	scopes, err := factory.ParseScopes([]string{"classify", "train", "act-for"})
	if err != nil {
		t.Fatal(err)
	}
	made := api.NewKey("test", key)
	made.Scopes = scopes
	return made
}

// client asks in the name of a namespace, if one is named and the key may.
func (s *testFactory) client(t *testing.T, key, namespace string) *mistral.Client {
	t.Helper()
	api, err := mistral.NewClient(mistral.Config{BaseURL: s.URL, Key: mistral.NewKey(key), Namespace: namespace})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func (f *fixture) connection(key string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: f.ObjectMeta(connectionSecret),
		StringData: map[string]string{connectionURIKey: f.factory.URL, connectionAPIKeyKey: key},
	}
}

func (f *fixture) configMap(name string, data map[string]string) *corev1.ConfigMap {
	f.Helper()
	configMap := &corev1.ConfigMap{ObjectMeta: f.ObjectMeta(name), Data: data}
	f.Create(configMap)
	return configMap
}

// dataset makes a dataset of keys of a ConfigMap.
func (f *fixture) dataset(name, configMap string, keys ...string) *classifierv1alpha1.ClassifierDataset {
	dataset := &classifierv1alpha1.ClassifierDataset{
		ObjectMeta: f.ObjectMeta(name),
		Spec:       classifierv1alpha1.ClassifierDatasetSpec{ConnectionSecretRef: &classifierv1alpha1.SecretReference{Name: connectionSecret}},
	}
	for _, key := range keys {
		dataset.Spec.Source.ConfigMaps = append(dataset.Spec.Source.ConfigMaps, classifierv1alpha1.ConfigMapSource{Name: configMap, Key: key})
	}
	return dataset
}

// inlineDataset makes a dataset of the samples themselves.
func (f *fixture) inlineDataset(name, samples string) *classifierv1alpha1.ClassifierDataset {
	dataset := f.dataset(name, "")
	dataset.Spec.Source.Inline = &classifierv1alpha1.InlineSource{Data: samples}
	return dataset
}

func (f *fixture) trainingJob(name string, datasets ...string) *classifierv1alpha1.ClassifierTrainingJob {
	job := &classifierv1alpha1.ClassifierTrainingJob{
		ObjectMeta: f.ObjectMeta(name),
		Spec:       classifierv1alpha1.ClassifierTrainingJobSpec{ConnectionSecretRef: &classifierv1alpha1.SecretReference{Name: connectionSecret}},
	}
	for _, dataset := range datasets {
		job.Spec.Training.Datasets = append(job.Spec.Training.Datasets, classifierv1alpha1.TrainingDataset{Name: dataset})
	}
	return job
}

// waitFor waits for a condition of a dataset or job.
func (f *fixture) waitFor(object client.Object, kind string, status metav1.ConditionStatus, reason string) (found metav1.Condition) {
	f.Helper()
	f.Await(object, fmt.Sprintf("%s=%s, %s", kind, status, reason), func() bool {
		found = controllertest.Condition(object, kind)
		return found.Status == status && found.Reason == reason && found.ObservedGeneration == object.GetGeneration()
	})
	return found
}

func (f *fixture) waitUntilReady(object client.Object) {
	f.Helper()
	reason := classifierv1alpha1.ReasonPublished
	if _, ok := object.(*classifierv1alpha1.ClassifierDataset); ok {
		reason = classifierv1alpha1.ReasonUploaded
	}
	f.waitFor(object, classifierv1alpha1.ConditionReady, metav1.ConditionTrue, reason)
}

// remoteFiles are the factory's files.
func (f *fixture) remoteFiles() []mistral.File {
	f.Helper()
	list, err := f.api.ListFiles(f.ctx, mistral.FileFilter{})
	if err != nil {
		f.Fatal(err)
	}
	return list.Data
}

// remoteJobs are the factory's jobs.
func (f *fixture) remoteJobs() []mistral.Job {
	f.Helper()
	list, err := f.api.ListJobs(f.ctx, mistral.JobFilter{})
	if err != nil {
		f.Fatal(err)
	}
	return list.Data
}

func (f *fixture) fineTunedModels() int {
	f.Helper()
	list, err := f.api.ListModels(f.ctx)
	if err != nil {
		f.Fatal(err)
	}
	count := 0
	for _, model := range list.Data {
		if model.Type == mistral.ModelTypeFineTuned {
			count++
		}
	}
	return count
}

// eventReasons are the reasons of an object's events.
func (f *fixture) eventReasons(name string) []string {
	f.Helper()
	list := &corev1.EventList{}
	f.List(list)
	var reasons []string
	for _, event := range list.Items {
		if event.InvolvedObject.Name == name {
			reasons = append(reasons, event.Reason)
		}
	}
	return reasons
}

// quickstart reads a file of the quickstart's data.
func quickstart(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "config", "samples", "quickstart", "data", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// answer makes the factory answer requests to a path with a status instead of
// doing what they ask for. An empty method is any; "/" is every path.
func (s *testFactory) answer(method, path string, status int) {
	interfere := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		if (method == "" || r.Method == method) && (path == "/" || r.URL.Path == path) {
			http.Error(w, `{"detail":"scripted"}`, status)
			return
		}
		real.ServeHTTP(w, r)
	}
	s.interfere.Store(&interfere)
}

// refuse makes the factory answer calls to change something, where a path ends so.
func (s *testFactory) refuse(pathSuffix string, status int) {
	interfere := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, pathSuffix) {
			http.Error(w, `{"detail":"scripted"}`, status)
			return
		}
		real.ServeHTTP(w, r)
	}
	s.interfere.Store(&interfere)
}

// distort changes the JSON that the factory answers with where a path starts so.
func (s *testFactory) distort(pathPrefix string, change func(answer map[string]any)) {
	interfere := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		recorded := httptest.NewRecorder()
		real.ServeHTTP(recorded, r)
		body := recorded.Body.Bytes()
		var answer map[string]any
		if strings.HasPrefix(r.URL.Path, pathPrefix) && json.Unmarshal(body, &answer) == nil {
			change(answer)
			body, _ = json.Marshal(answer)
		}
		w.Header().Set("Content-Type", recorded.Header().Get("Content-Type"))
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(body)
	}
	s.interfere.Store(&interfere)
}

// price makes the factory ask for money.
func (f *fixture) price(amount, currency any) {
	f.factory.distort("/v1/fine_tuning/jobs/", func(job map[string]any) {
		if metadata, ok := job["metadata"].(map[string]any); ok {
			metadata["cost"], metadata["cost_currency"] = amount, currency
		}
	})
}

// breakOff makes the factory say of each training that succeeded that it broke off.
func (f *fixture) breakOff() {
	distortJobs(f.factory, func(job map[string]any) {
		if job["status"] == string(mistral.JobSuccess) {
			job["status"], job["fine_tuned_model"] = mistral.JobFailed, nil
		}
	})
}

// distortJobs changes jobs wherever the factory shows them.
func distortJobs(server *testFactory, change func(job map[string]any)) {
	server.distort("/v1/fine_tuning/jobs", func(answer map[string]any) {
		jobs, isList := answer["data"].([]any)
		if !isList {
			change(answer)
		}
		for _, job := range jobs {
			change(job.(map[string]any))
		}
	})
}

// behave ends all interference.
func (s *testFactory) behave() { s.interfere.Store(nil) }

// largeDataset is one that the engine takes seconds to learn.
func (f *fixture) largeDataset(name string) *classifierv1alpha1.ClassifierDataset {
	f.Helper()
	dataset := f.dataset(name, "")
	random := mathrand.New(mathrand.NewPCG(1, 2))
	for part := range 8 {
		var lines strings.Builder
		for lines.Len() < 900<<10 {
			label := random.IntN(100)
			fmt.Fprintf(&lines, `{"text": "`)
			for range 30 {
				fmt.Fprintf(&lines, "word%d ", random.IntN(500)+label*20)
			}
			fmt.Fprintf(&lines, "\", \"labels\": {\"topic\": \"topic-%d\"}}\n", label)
		}
		configMap := fmt.Sprintf("%s-%d", name, part)
		f.configMap(configMap, map[string]string{"data": lines.String()})
		dataset.Spec.Source.ConfigMaps = append(dataset.Spec.Source.ConfigMaps, classifierv1alpha1.ConfigMapSource{Name: configMap, Key: "data"})
	}
	return dataset
}
