package neighbours

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// tenant is a client with a key of its own.
type tenant struct {
	t      *testing.T
	server string
	key    string
	http   *http.Client
	client *mistral.Client
}

func newTenant(t *testing.T, server, key string) *tenant {
	t.Helper()
	connections := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	t.Cleanup(connections.CloseIdleConnections)
	client, err := mistral.NewClient(mistral.Config{BaseURL: server, Key: mistral.NewKey(key), HTTPClient: connections})
	if err != nil {
		t.Fatal(err)
	}
	return &tenant{t: t, server: server, key: key, http: connections, client: client}
}

// send sends a request and gives the answer, whose body the caller closes.
func (c *tenant) send(ctx context.Context, method, path, contentType string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.server+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.Header.Set("Content-Type", contentType)
	return c.http.Do(request)
}

// try sends a request of which only the status matters; 0: there was no answer.
func (c *tenant) try(ctx context.Context, method, path string, body io.Reader) (status int) {
	response, err := c.send(ctx, method, path, "application/json", body)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

func (c *tenant) upload(ctx context.Context, name, content string) (*mistral.File, error) {
	return c.client.UploadFile(ctx, mistral.Upload{Filename: name, Content: strings.NewReader(content), Size: int64(len(content))})
}

func (c *tenant) mustUpload(name, content string) *mistral.File {
	c.t.Helper()
	file, err := c.upload(c.t.Context(), name, content)
	if err != nil {
		c.t.Fatal(err)
	}
	return file
}

// jobRequest is for a training on a file that starts by itself.
func jobRequest(file *mistral.File) mistral.CreateJobRequest {
	suffix := rand.Text()[:8] // or it would be the job that there is
	return mistral.CreateJobRequest{
		Model: "ministral-3b-latest", JobType: mistral.JobTypeClassifier, AutoStart: true, Suffix: &suffix,
		TrainingFiles: []mistral.TrainingFile{{FileID: file.ID, Weight: 1}},
	}
}

// train creates a job and waits until it has succeeded.
func (c *tenant) train(ctx context.Context, request mistral.CreateJobRequest) (model string, err error) {
	created, err := c.client.CreateJob(ctx, request)
	if err != nil {
		return "", err
	}
	job, err := c.await(ctx, created.ID, mistral.JobSuccess)
	if err != nil {
		return "", err
	}
	return *job.FineTunedModel, nil
}

func (c *tenant) await(ctx context.Context, id string, status mistral.JobStatus) (*mistral.DetailedJob, error) {
	for {
		job, err := c.client.GetJob(ctx, id)
		switch {
		case err != nil:
			return nil, err
		case job.Status == status:
			return job, nil
		case job.Status.Finished():
			return nil, fmt.Errorf("the job is %s", job.Status)
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return nil, fmt.Errorf("the job is %s still: %w", job.Status, ctx.Err())
		}
	}
}

// classify sends texts and waits for the whole answer.
func (c *tenant) classify(ctx context.Context, model string, texts ...string) error {
	body, err := json.Marshal(map[string]any{"model": model, "input": texts})
	if err != nil {
		return err
	}
	response, err := c.send(ctx, http.MethodPost, "/v1/classifications", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	return err
}

// rows are labelled texts, different ones for each call.
func rows(number, labels int) string {
	var text strings.Builder
	salt := rand.Text()[:8]
	for i := range number {
		fmt.Fprintf(&text, `{"text": "please do what number %d of %s says, row %d", "labels": {"intent": "label_%d"}}`+"\n", i%labels, salt, i, i%labels)
	}
	return text.String()
}

// conversations are like rows.
func conversations(number, labels int) string {
	return strings.NewReplacer(`"text": `, `"messages": [{"role": "user", "content": `, `, "labels"`, `}], "labels"`).Replace(rows(number, labels))
}
