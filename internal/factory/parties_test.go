package factory

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// party is who asks: a key, and the namespace that it acts for, if any.
type party struct{ key, namespace string }

// actingFor sends requests in a namespace's name.
type actingFor struct {
	http.RoundTripper
	namespace string
}

func (a actingFor) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.namespace != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Factory-Act-For", a.namespace)
	}
	return a.RoundTripper.RoundTrip(r)
}

func (s *server) clientOf(p party) *mistral.Client {
	s.t.Helper()
	client, err := mistral.NewClient(mistral.Config{BaseURL: s.http.URL, Key: mistral.NewKey(p.key),
		HTTPClient: &http.Client{Transport: actingFor{s.http.Client().Transport, p.namespace}}})
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

func (s *server) requestOf(p party, method, path, contentType, body string) (int, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.http.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+p.key)
	request.Header.Set("Content-Type", contentType)
	client := &http.Client{Transport: actingFor{s.http.Client().Transport, p.namespace}}
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// trainAs trains on a file until there is a model.
func (s *server) trainAs(client *mistral.Client, file *mistral.File) *mistral.DetailedJob {
	s.t.Helper()
	created, err := client.CreateJob(s.t.Context(), mistral.CreateJobRequest{Model: DefaultBaseModel, JobType: mistral.JobTypeClassifier,
		AutoStart: true, TrainingFiles: []mistral.TrainingFile{{FileID: file.ID, Weight: 1}}})
	if err != nil {
		s.t.Fatal(err)
	}
	for {
		job, err := client.GetJob(s.t.Context(), created.ID)
		if err != nil || job.Status.Finished() && job.Status != mistral.JobSuccess {
			s.t.Fatalf("%+v, %v", job, err)
		}
		if job.Status == mistral.JobSuccess {
			return job
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// createdKey is what a client sees of a key.
type createdKey struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Tenant     string   `json:"tenant"`
	Scopes     []string `json:"scopes"`
	Models     []string `json:"models"`
	ExpiresAt  *int64   `json:"expires_at"`
	LastUsedAt *int64   `json:"last_used_at"`
	Key        string   `json:"key"`
}

func (s *server) createKey(maker party, body string) createdKey {
	s.t.Helper()
	status, answer := s.requestOf(maker, "POST", "/v1/keys", "application/json", body)
	if status != http.StatusOK {
		s.t.Fatalf("create the key %s: %d %s", body, status, answer)
	}
	return decoded[createdKey](s.t, answer)
}

func decoded[T any](t testing.TB, text string) (value T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return value
}
