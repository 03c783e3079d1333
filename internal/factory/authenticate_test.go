package factory

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestUnauthorized(t *testing.T) {
	s := startServer(t, nil)
	hash := NewAPIKey("alice", "alice-key").Hash
	for _, test := range []struct{ reason, header string }{
		{"no key", ""},
		{"unknown key", "Bearer mallory-key"},
		{"empty key", "Bearer "},
		{"another scheme", "Basic alice-key"},
		{"a key's hash is not the key", "Bearer " + hex.EncodeToString(hash[:])},
	} {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/v1/files", nil)
		if test.header != "" {
			request.Header.Set("Authorization", test.header)
		}
		response, err := s.http.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d", test.reason, response.StatusCode)
		}
	}
	if _, body := s.requestAs("", "GET", "/v1/models", "", nil); body != `{"detail":"Unauthorized"}` {
		t.Errorf("body %s", body)
	}
}

func TestTenantsSeeOnlyTheirOwn(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(40))
	job := s.await(s.create(autoStart, file).ID, mistral.JobSuccess)
	model := *job.FineTunedModel
	bob := s.client("bob-key")
	ctx := t.Context()

	if files, err := bob.ListFiles(ctx, mistral.FileFilter{}); err != nil || len(files.Data) != 0 {
		t.Errorf("bob lists %v, %v", files, err)
	}
	if jobs, err := bob.ListJobs(ctx, mistral.JobFilter{}); err != nil || len(jobs.Data) != 0 || jobs.Total != 0 {
		t.Errorf("bob lists %v, %v", jobs, err)
	}
	if models, err := bob.ListModels(ctx); err != nil || len(models.Data) != 1 {
		t.Errorf("bob lists %v, %v; want the base model only", models, err)
	}
	_, getFile := bob.GetFile(ctx, file.ID)
	_, download := bob.DownloadFile(ctx, file.ID)
	_, getJob := bob.GetJob(ctx, job.ID)
	_, start := bob.StartJob(ctx, job.ID)
	_, cancel := bob.CancelJob(ctx, job.ID)
	_, getModel := bob.GetModel(ctx, model)
	_, update := bob.UpdateModel(ctx, model, mistral.UpdateModelRequest{})
	_, archive := bob.ArchiveModel(ctx, model)
	_, classify := bob.Classify(ctx, mistral.ClassifyRequest{Model: model, Input: []string{"x"}})
	for operation, err := range map[string]error{
		"GetFile": getFile, "DownloadFile": download, "DeleteFile": bob.DeleteFile(ctx, file.ID),
		"GetJob": getJob, "StartJob": start, "CancelJob": cancel,
		"GetModel": getModel, "UpdateModel": update, "ArchiveModel": archive, "DeleteModel": bob.DeleteModel(ctx, model),
		"Classify": classify,
	} {
		if !mistral.IsNotFound(err) {
			t.Errorf("%s of another tenant's: %v, want 404", operation, err)
		}
	}
	_, err := bob.CreateJob(ctx, mistral.CreateJobRequest{Model: DefaultBaseModel, TrainingFiles: []mistral.TrainingFile{{FileID: file.ID, Weight: 1}}})
	if !mistral.IsInvalid(err) {
		t.Errorf("a job on another tenant's file: %v, want 422", err)
	}
}

func TestKeysChangeWhileServing(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(2))
	s.factory.SetAPIKeys([]APIKey{NewAPIKey("alice", "new-key")})
	if status, _ := s.request("GET", "/v1/files/"+file.ID, ""); status != http.StatusUnauthorized {
		t.Errorf("a revoked key: %d", status)
	}
	if status, body := s.requestAs("new-key", "GET", "/v1/files/"+file.ID, "", nil); status != http.StatusOK {
		t.Errorf("the tenant's new key: %d %s", status, body)
	}
	s.factory.SetAPIKeys(nil)
	if status, _ := s.requestAs("new-key", "GET", "/v1/files", "", nil); status != http.StatusUnauthorized {
		t.Errorf("no keys at all: %d; nobody may come in", status)
	}
}

func TestInsecureNoAuth(t *testing.T) {
	s := startServer(t, func(c *Config) { c.APIKeys, c.InsecureNoAuth = nil, true })
	if status, body := s.requestAs("", "GET", "/v1/files", "", nil); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
}

func TestReadAPIKeys(t *testing.T) {
	const hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" // of "secret"
	keys, err := ReadAPIKeys(strings.NewReader("# team keys\n\nalice:" + hash + "\r\nalice: " + strings.ToUpper(hash) + "\n"))
	if err != nil || len(keys) != 2 || keys[0] != NewAPIKey("alice", "secret") || keys[1] != keys[0] {
		t.Errorf("ReadAPIKeys() = %v, %v", keys, err)
	}
	for _, test := range []struct{ reason, line string }{
		{"no tenant", ":" + hash},
		{"no hash", "alice"},
		{"the key itself", "alice:secret"},
		{"hash cut off", "alice:" + hash[:60]},
	} {
		_, err := ReadAPIKeys(strings.NewReader("\n" + test.line))
		if err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v; want the line's number and nothing of the key", test.reason, err)
		}
	}
}
