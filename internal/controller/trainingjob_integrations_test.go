package controller

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/factory"
	"github.com/classifier-factory/classifier-factory/internal/factory/api"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestWeightsAndBiasesKeyComesFromItsSecret holds that the factory gets the key as
// it is when the job is created, and the status the page of the run, not the key.
func TestWeightsAndBiasesKeyComesFromItsSecret(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.Training.WeightsAndBiases = &classifierv1alpha1.WeightsAndBiases{
		Project:         "sentiments",
		RunName:         "first",
		APIKeySecretRef: classifierv1alpha1.SecretKeyReference{Name: "wandb", Key: "key"},
	}
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonCredentialsNotFound)

	secret := &corev1.Secret{ObjectMeta: d.ObjectMeta("wandb"),
		StringData: map[string]string{"key": strings.Repeat("k", 39)}}
	d.Create(secret)
	d.settle(job, classifierv1alpha1.ReasonCredentialsInvalid)

	const page = "https://wandb.ai/team/sentiments/runs/1"
	key := strings.Repeat("k", 86)
	requests := d.spyOnCreations(func(job map[string]any) {
		job["integrations"] = []any{map[string]any{"type": "wandb", "project": "sentiments", "url": page}}
	})
	d.Edit(secret, func() { secret.StringData = map[string]string{"key": key + "\n"} }) // as editors end a file
	d.settle(job, classifierv1alpha1.ReasonPublished)

	created := requests()
	if len(created) != 1 || len(created[0].Integrations) != 1 {
		t.Fatalf("%d requests", len(created))
	}
	sent := created[0].Integrations[0]
	if sent.APIKey != key || sent.Project != "sentiments" || sent.RunName == nil || *sent.RunName != "first" || sent.Name != nil {
		t.Error("the factory did not get what the spec asks for")
	}
	if job.Status.WeightsAndBiasesURL != page {
		t.Errorf("the page is %q", job.Status.WeightsAndBiasesURL)
	}
	shown, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(shown), key) || strings.Contains(strings.Join(d.told(), "\n"), key) {
		t.Error("the key is shown")
	}
}

// TestRunPageOfAFactoryThatReports is in the status of the finished job, however short it was.
func TestRunPageOfAFactoryThatReports(t *testing.T) {
	t.Parallel()
	wandb := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct{ Variables struct{ Name string } }
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			t.Error(err)
		}
		_, _ = fmt.Fprintf(w, `{"data":{"upsertBucket":{"bucket":{"name":%q,"project":{"name":"sentiments","entity":{"name":"team"}}}}}}`, request.Variables.Name)
	}))
	defer wandb.Close()
	base, err := url.Parse(wandb.URL)
	if err != nil {
		t.Fatal(err)
	}
	d := newDriver(t)
	reporting, err := factory.Open(t.Context(), factory.Config{Directory: t.TempDir(), APIKeys: []api.Key{api.NewKey("test", d.apiKey)}, WandbBaseURL: base})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := reporting.Close(); err != nil {
			t.Error(err)
		}
	})
	// In place of the fixture's, and with the addresses of an encrypted server.
	instead := func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		recorder := httptest.NewRecorder()
		reporting.Handler().ServeHTTP(recorder, r)
		w.Header().Set("Content-Type", recorder.Header().Get("Content-Type"))
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(bytes.ReplaceAll(recorder.Body.Bytes(), []byte(wandb.URL), []byte("https://wandb.example.com")))
	}
	d.factory.interfere.Store(&instead)

	d.ready(d.inlineDataset("data", sentiments(20)))
	d.Create(&corev1.Secret{ObjectMeta: d.ObjectMeta("wandb"), StringData: map[string]string{"key": strings.Repeat("k", 86)}})
	job := driven(d.trainingJob("job", "data"))
	job.Spec.Training.WeightsAndBiases = &classifierv1alpha1.WeightsAndBiases{
		Project: "sentiments", APIKeySecretRef: classifierv1alpha1.SecretKeyReference{Name: "wandb", Key: "key"},
	}
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	if want := "https://wandb.example.com/team/sentiments/runs/" + job.Status.RemoteJob.ID + "-0"; job.Status.WeightsAndBiasesURL != want {
		t.Errorf("the page is %q, want %q", job.Status.WeightsAndBiasesURL, want)
	}
}

// spyOnCreations keeps the requests for jobs and changes every job that is shown.
func (f *fixture) spyOnCreations(change func(job map[string]any)) func() []mistral.CreateJobRequest {
	var (
		mu       sync.Mutex
		requests []mistral.CreateJobRequest
	)
	distortJobs(f.factory, change)
	distorted := *f.factory.interfere.Load()
	spying := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		if r.Method == http.MethodPost && r.URL.Path == "/v1/fine_tuning/jobs" {
			body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
			r.Body = io.NopCloser(bytes.NewReader(body))
			var request mistral.CreateJobRequest
			if err := json.Unmarshal(body, &request); err != nil {
				f.Error(err)
			}
			mu.Lock()
			requests = append(requests, request)
			mu.Unlock()
		}
		distorted(w, r, real)
	}
	f.factory.interfere.Store(&spying)
	return func() []mistral.CreateJobRequest {
		mu.Lock()
		defer mu.Unlock()
		return requests
	}
}

// TestRunPageIsAnAddressToOpen holds which of a server's words become a link.
func TestRunPageIsAnAddressToOpen(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ reason, url, want string }{
		{"what Weights & Biases has", "https://wandb.ai/team/project/runs/1", "https://wandb.ai/team/project/runs/1"},
		{"a script", "javascript:alert(1)", ""},
		{"a password", "https://user:password@wandb.ai/", ""},
		{"a key in the query", "https://wandb.ai/?apiKey=secret", ""},
		{"no host", "https:///runs/1", ""},
		{"not encrypted", "http://wandb.ai/", ""},
		{"too long", "https://wandb.ai/" + strings.Repeat("x", maxRunURLLength), ""},
	} {
		if got := fitRunURL([]mistral.Integration{{URL: &test.url}}); got != test.want {
			t.Errorf("%s: got %q", test.reason, got)
		}
	}
	if got := fitRunURL([]mistral.Integration{{}}); got != "" {
		t.Errorf("before the run starts: got %q", got)
	}
}
