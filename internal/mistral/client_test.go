package mistral

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

const testKey = "key-5b1f0c9ae7"

// serve starts a server and returns a client of it.
func serve(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newTestClient(t, server.URL)
}

func newTestClient(t *testing.T, baseURL string) *Client {
	t.Helper()
	client, err := NewClient(Config{BaseURL: baseURL, Key: NewKey(testKey)})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// answering is a handler with one answer for everything.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestRoutes(t *testing.T) {
	const model = "ft:classifier:ministral-3b-latest:abcd1234:20260101:0b6d0000"
	created := time.Date(2026, 1, 2, 4, 4, 5, 678e6, time.FixedZone("CET", 3600))
	steps := int64(100)

	tests := []struct {
		reason string
		call   func(context.Context, *Client) (any, error)
		want   string // method and request URI
		body   string // JSON; empty for no body
		answer string
		result any
	}{
		{
			reason: "a list without a filter has no query, so that the server's defaults apply",
			call:   func(ctx context.Context, c *Client) (any, error) { return c.ListFiles(ctx, FileFilter{}) },
			want:   "GET /v1/files",
			answer: `{"data":[{"id":"f1"}],"object":"list","total":1}`,
			result: &FileList{Data: []File{{ID: "f1"}}, Object: "list", Total: new(int64(1))},
		},
		{
			reason: "files are filtered by name and purpose",
			call: func(ctx context.Context, c *Client) (any, error) {
				return c.ListFiles(ctx, FileFilter{Page: 2, PageSize: 50, Search: "a b&c", Purpose: PurposeFineTune})
			},
			want:   "GET /v1/files?page=2&page_size=50&purpose=fine-tune&search=a+b%26c",
			answer: `{"data":[],"object":"list","total":null}`,
			result: &FileList{Data: []File{}, Object: "list"},
		},
		{
			reason: "a file's metadata",
			call:   func(ctx context.Context, c *Client) (any, error) { return c.GetFile(ctx, "f1") },
			want:   "GET /v1/files/f1",
			answer: `{"id":"f1","bytes":null,"deleted":false}`,
			result: &File{ID: "f1", Deleted: new(false)},
		},
		{
			reason: "a file's deletion",
			call:   func(ctx context.Context, c *Client) (any, error) { return nil, c.DeleteFile(ctx, "f1") },
			want:   "DELETE /v1/files/f1",
			answer: `{"id":"f1","object":"file","deleted":true}`,
		},
		{
			reason: "a job's creation says auto_start and the skipped share even when they are zero",
			call: func(ctx context.Context, c *Client) (any, error) {
				return c.CreateJob(ctx, CreateJobRequest{
					Model:           "ministral-3b-latest",
					JobType:         JobTypeClassifier,
					TrainingFiles:   []TrainingFile{{FileID: "f1", Weight: 1}},
					Hyperparameters: Hyperparameters{TrainingSteps: &steps},
					Suffix:          new("intents-a1b2c3d4"),
				})
			},
			want: "POST /v1/fine_tuning/jobs",
			body: `{"model":"ministral-3b-latest","job_type":"classifier","training_files":[{"file_id":"f1","weight":1}],
				"hyperparameters":{"training_steps":100},"suffix":"intents-a1b2c3d4","auto_start":false,"invalid_sample_skip_percentage":0}`,
			answer: `{"id":"j1","status":"QUEUED"}`,
			result: &Job{ID: "j1", Status: JobQueued},
		},
		{
			reason: "hyperparameters left to the server are an empty object, which it requires",
			call:   func(ctx context.Context, c *Client) (any, error) { return c.CreateJob(ctx, CreateJobRequest{}) },
			want:   "POST /v1/fine_tuning/jobs",
			body: `{"model":"","job_type":"","training_files":[],"hyperparameters":{},"auto_start":false,
				"invalid_sample_skip_percentage":0}`,
			answer: `{"id":"j1"}`,
			result: &Job{ID: "j1"},
		},
		{
			reason: "jobs are found by suffix and creation, in UTC with milliseconds as SDKs send it",
			call: func(ctx context.Context, c *Client) (any, error) {
				return c.ListJobs(ctx, JobFilter{
					Page: 1, PageSize: 10, Model: "m", Status: JobRunning, Suffix: "s", CreatedAfter: created,
				})
			},
			want:   "GET /v1/fine_tuning/jobs?created_after=2026-01-02T03%3A04%3A05.678Z&model=m&page=1&page_size=10&status=RUNNING&suffix=s",
			answer: `{"data":[{"id":"j1"}],"object":"list","total":1}`,
			result: &JobList{Data: []Job{{ID: "j1"}}, Object: "list", Total: 1},
		},
		{
			reason: "a job with its details",
			call:   func(ctx context.Context, c *Client) (any, error) { return c.GetJob(ctx, "j1") },
			want:   "GET /v1/fine_tuning/jobs/j1",
			answer: `{"id":"j1","events":[{"name":"status-updated","data":null,"created_at":7}],"checkpoints":null}`,
			result: &DetailedJob{Job: Job{ID: "j1"}, Events: []Event{{Name: EventStatusUpdated, Data: json.RawMessage("null"), CreatedAt: 7}}},
		},
		{
			reason: "a start has no body",
			call:   func(ctx context.Context, c *Client) (any, error) { return c.StartJob(ctx, "j1") },
			want:   "POST /v1/fine_tuning/jobs/j1/start",
			answer: `{"id":"j1"}`,
			result: &DetailedJob{Job: Job{ID: "j1"}},
		},
		{
			reason: "a cancellation has no body",
			call:   func(ctx context.Context, c *Client) (any, error) { return c.CancelJob(ctx, "j1") },
			want:   "POST /v1/fine_tuning/jobs/j1/cancel",
			answer: `{"id":"j1","status":"CANCELLATION_REQUESTED"}`,
			result: &DetailedJob{Job: Job{ID: "j1", Status: JobCancellationRequested}},
		},
		{
			reason: "the models",
			call:   func(ctx context.Context, c *Client) (any, error) { return c.ListModels(ctx) },
			want:   "GET /v1/models",
			answer: `{"object":"list","data":[{"id":"m"}]}`,
			result: &ModelList{Object: "list", Data: []Model{{ID: "m"}}},
		},
		{
			reason: "a fine-tuned model's ID has colons",
			call:   func(ctx context.Context, c *Client) (any, error) { return c.GetModel(ctx, model) },
			want:   "GET /v1/models/" + model,
			answer: `{"id":"m","description":null,"aliases":null}`,
			result: &Model{ID: "m"},
		},
		{
			reason: "an ID cannot leave its place in the path",
			call:   func(ctx context.Context, c *Client) (any, error) { return c.GetModel(ctx, "a/../b?c#d") },
			want:   "GET /v1/models/a%2F..%2Fb%3Fc%23d",
			answer: `{"id":"m"}`,
			result: &Model{ID: "m"},
		},
		{
			reason: "only what is to change is sent",
			call: func(ctx context.Context, c *Client) (any, error) {
				return c.UpdateModel(ctx, model, UpdateModelRequest{Name: new("Intents")})
			},
			want:   "PATCH /v1/fine_tuning/models/" + model,
			body:   `{"name":"Intents"}`,
			answer: `{"id":"m","name":"Intents"}`,
			result: &ClassifierModel{ID: "m", Name: new("Intents")},
		},
		{
			reason: "a model's deletion, whose answer needs no more than the ID",
			call:   func(ctx context.Context, c *Client) (any, error) { return nil, c.DeleteModel(ctx, model) },
			want:   "DELETE /v1/models/" + model,
			answer: `{"id":"m"}`,
		},
		{
			reason: "a model's archiving",
			call:   func(ctx context.Context, c *Client) (any, error) { return c.ArchiveModel(ctx, model) },
			want:   "POST /v1/fine_tuning/models/" + model + "/archive",
			answer: `{"id":"m","archived":true}`,
			result: &ArchivedModel{ID: "m", Archived: true},
		},
		{
			reason: "the undoing of a model's archiving",
			call:   func(ctx context.Context, c *Client) (any, error) { return c.UnarchiveModel(ctx, model) },
			want:   "DELETE /v1/fine_tuning/models/" + model + "/archive",
			answer: `{"id":"m","archived":false}`,
			result: &ArchivedModel{ID: "m"},
		},
		{
			reason: "texts go under the key input, with no key that a closed schema refuses",
			call: func(ctx context.Context, c *Client) (any, error) {
				return c.Classify(ctx, ClassifyRequest{Model: model, Input: []string{"wake me"}})
			},
			want:   "POST /v1/classifications",
			body:   `{"model":"` + model + `","input":["wake me"]}`,
			answer: `{"id":"c1","model":"m","results":[{"intent":{"scores":{"set":0.75,"ask":0.25}}}]}`,
			result: &ClassifyResponse{ID: "c1", Model: "m", Results: []map[string]TargetScores{
				{"intent": {Scores{{"set", 0.75}, {"ask", 0.25}}}},
			}},
		},
		{
			reason: "conversations go under the same key",
			call: func(ctx context.Context, c *Client) (any, error) {
				return c.ClassifyChat(ctx, ClassifyChatRequest{Model: model, Input: []Chat{{Messages: []Message{{Role: "user", Content: "hi"}}}}})
			},
			want:   "POST /v1/chat/classifications",
			body:   `{"model":"` + model + `","input":[{"messages":[{"role":"user","content":"hi"}]}]}`,
			answer: `{"id":"c1","model":"m","results":[{}]}`,
			result: &ClassifyResponse{ID: "c1", Model: "m", Results: []map[string]TargetScores{{}}},
		},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			client := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if got := r.Method + " " + r.RequestURI; got != test.want {
					t.Errorf("request is %s, want %s", got, test.want)
				}
				for name, want := range map[string]string{
					"Authorization": "Bearer " + testKey,
					"Accept":        "application/json",
					"User-Agent":    "classifier-factory",
				} {
					if got := r.Header.Get(name); got != want {
						t.Errorf("header %s is %q, want %q", name, got, want)
					}
				}
				expectBody(t, r, test.body)
				answering(http.StatusOK, test.answer)(w, r)
			})
			got, err := test.call(t.Context(), client)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.result) {
				t.Errorf("answer is %+v, want %+v", got, test.result)
			}
		})
	}
}

func expectBody(t *testing.T, r *http.Request, want string) {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	if want == "" {
		if len(body) > 0 || r.Header.Get("Content-Type") != "" {
			t.Errorf("body is %q of type %q, want none", body, r.Header.Get("Content-Type"))
		}
		return
	}
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type is %q", got)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(want)); err != nil {
		t.Fatal(err)
	}
	if string(body) != compact.String() {
		t.Errorf("body is %s\nwant    %s", body, compact.String())
	}
}

func TestNoKeySendsNoAuthorization(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, present := r.Header["Authorization"]; present {
			t.Error("an Authorization header was sent")
		}
		answering(http.StatusOK, `{"object":"list","data":[]}`)(w, r)
	}))
	defer server.Close()
	client, err := NewClient(Config{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.ListModels(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestBaseURL(t *testing.T) {
	const secret = "hunter2"
	tests := []struct {
		reason, base string
		want         string // the request URI of a list of models
		problem      string
	}{
		{reason: "an address alone", base: "", want: "/v1/models"},
		{reason: "a trailing slash", base: "/", want: "/v1/models"},
		{reason: "with the version that the routes have anyway", base: "/v1", want: "/v1/models"},
		{reason: "with both", base: "/v1/", want: "/v1/models"},
		{reason: "a path prefix is kept", base: "/factories/a", want: "/factories/a/v1/models"},
		{reason: "a path prefix with an escape is kept", base: "/a%2Fb/v1//", want: "/a%2Fb/v1/models"},
		{reason: "surrounding space, as a Secret's value may have", base: "/\n", want: "/v1/models"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.RequestURI != test.want {
					t.Errorf("request URI is %s, want %s", r.RequestURI, test.want)
				}
				answering(http.StatusOK, `{"object":"list","data":[]}`)(w, r)
			}))
			defer server.Close()
			if _, err := newTestClient(t, server.URL+test.base).ListModels(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}

	if base, err := parseBaseURL("http://v1"); err != nil || base.String() != "http://v1/v1" {
		t.Errorf("a host called v1 gives %v, %v", base, err)
	}

	refused := map[string]string{
		"":                              "must start with http",
		"example.com/" + secret:         "must start with http",
		"ftp://example.com/" + secret:   "must start with http",
		"http://:80/" + secret:          "has no host",
		"http:example.com":              "has no host",
		"http://u:" + secret + "@host/": "user or password",
		"http://host/?key=" + secret:    "query",
		"http://host/#" + secret:        "fragment",
		"http://host/%zz" + secret:      "cannot be parsed",
		"http://host:" + secret:         "cannot be parsed",
	}
	for base, want := range refused {
		_, err := NewClient(Config{BaseURL: base})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives the error %v, want one about %q", base, err, want)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("the error repeats the URL: %v", err)
		}
	}
}

func TestIDThatNamesNoObjectIsRefused(t *testing.T) {
	client := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was sent", r.Method, r.RequestURI)
	})
	for _, id := range []string{"", ".", ".."} {
		err := client.DeleteFile(t.Context(), id)
		if err == nil || OutcomeUnknown(err) {
			t.Errorf("ID %q gives %v, want an error of a known outcome", id, err)
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				t.Errorf("the redirect was followed with Authorization %q", r.Header.Get("Authorization"))
			}))
			defer elsewhere.Close()
			client := serve(t, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, elsewhere.URL+"/secret-path", status)
			})
			_, getErr := client.GetJob(t.Context(), "j1")
			_, createErr := client.CreateJob(t.Context(), CreateJobRequest{})
			for _, err := range []error{getErr, createErr} {
				var answer *Error
				if !errors.As(err, &answer) || answer.StatusCode != status {
					t.Fatalf("error is %v, want one of status %d", err, status)
				}
				if !strings.Contains(err.Error(), "redirects are not followed") || strings.Contains(err.Error(), "secret-path") {
					t.Errorf("error is %q", err)
				}
			}
		})
	}
}

func TestAnswerIsCapped(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":"j1","model":"`)
		chunk := bytes.Repeat([]byte("x"), 1<<20)
		for range maxAnswerBytes >> 20 {
			_, _ = w.Write(chunk)
		}
		_, _ = io.WriteString(w, `"}`)
	})
	_, err := client.StartJob(t.Context(), "j1")
	if err == nil || !strings.Contains(err.Error(), "larger than 8 MiB") || !OutcomeUnknown(err) {
		t.Errorf("error is %v", err)
	}
}

func TestDownloadFile(t *testing.T) {
	content := strings.Repeat("{\"text\":\"a\"}\n", 1<<16)
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Method + " " + r.RequestURI; got != "GET /v1/files/f1/content" {
			t.Errorf("request is %s", got)
		}
		if got := r.Header.Get("Accept"); got != "application/octet-stream" {
			t.Errorf("Accept is %q", got)
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = io.WriteString(w, content)
	})
	body, err := client.DownloadFile(t.Context(), "f1")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); err != nil || string(got) != content {
		t.Errorf("read %d bytes, %v; want %d", len(got), err, len(content))
	}

	missing := serve(t, answering(http.StatusNotFound, `{"detail":"No file."}`))
	if _, err := missing.DownloadFile(t.Context(), "f1"); !IsNotFound(err) {
		t.Errorf("error is %v, want not found", err)
	}
}

func TestResultsThatDoNotMatchTheInputsAreRefused(t *testing.T) {
	client := serve(t, answering(http.StatusOK, `{"id":"c1","model":"m","results":[{}]}`))
	_, err := client.Classify(t.Context(), ClassifyRequest{Input: []string{"a", "b"}})
	if err == nil || OutcomeUnknown(err) {
		t.Errorf("error is %v, want one of a known outcome, as classifying changes nothing", err)
	}
}
