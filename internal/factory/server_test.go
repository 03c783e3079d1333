package factory

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/classifier-factory/classifier-factory/internal/factory/api"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestMain(m *testing.M) {
	RunIfChild()
	goleak.VerifyTestMain(postgrestest.Tests{M: m})
}

// server is a factory behind HTTP with two tenants.
type server struct {
	t       testing.TB
	config  Config
	factory *Factory
	http    *httptest.Server
}

func startServer(t testing.TB, change func(*Config)) *server {
	t.Helper()
	s := &server{t: t, config: Config{
		Directory:   t.TempDir(),
		DatabaseURL: postgrestest.Chosen(t),
		APIKeys:     []api.Key{api.NewKey("alice", "alice-key"), api.NewKey("bob", "bob-key")},
	}}
	if change != nil {
		change(&s.config)
	}
	s.open()
	t.Cleanup(s.close)
	return s
}

func (s *server) open() {
	s.t.Helper()
	var err error
	if s.factory, err = Open(s.t.Context(), s.config); err != nil {
		s.t.Fatal(err)
	}
	handler := s.factory.Handler()
	if _, ok := s.t.(*testing.T); ok { // a benchmark measures the server alone
		handler = documented(s.t, handler)
	}
	s.http = httptest.NewServer(handler)
}

func (s *server) location() Location {
	return Location{Directory: s.config.Directory, DatabaseURL: s.config.DatabaseURL}
}

func (s *server) close() {
	s.http.CloseClientConnections()
	s.http.Close()
	if err := s.factory.Close(); err != nil {
		s.t.Errorf("Close() = %v", err)
	}
}

func (s *server) client(key string) *mistral.Client {
	s.t.Helper()
	client, err := mistral.NewClient(mistral.Config{BaseURL: s.http.URL, Key: mistral.NewKey(key), HTTPClient: s.http.Client()})
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

// request sends a body as alice and returns the answer's status and body.
func (s *server) request(method, path, body string) (int, string) {
	s.t.Helper()
	return s.requestAs("alice-key", method, path, "application/json", strings.NewReader(body))
}

func (s *server) requestAs(key, method, path, contentType string, body io.Reader) (int, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.http.URL+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	request.Header.Set("Content-Type", contentType)
	response, err := s.http.Client().Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); got != "application/json" && response.StatusCode != http.StatusOK {
		s.t.Errorf("%s %s: Content-Type %q", method, path, got)
	}
	return response.StatusCode, string(answer)
}

func (s *server) upload(name, content string) *mistral.File {
	s.t.Helper()
	return uploadAs(s.t, s.client("alice-key"), name, content)
}

func uploadAs(t testing.TB, client *mistral.Client, name, content string) *mistral.File {
	t.Helper()
	file, err := client.UploadFile(t.Context(), mistral.Upload{Filename: name, Content: bytes.NewReader([]byte(content)), Size: int64(len(content))})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// create creates a job of alice that trains on the files.
func (s *server) create(change func(*mistral.CreateJobRequest), files ...*mistral.File) *mistral.Job {
	s.t.Helper()
	request := mistral.CreateJobRequest{Model: DefaultBaseModel, JobType: mistral.JobTypeClassifier}
	for _, file := range files {
		request.TrainingFiles = append(request.TrainingFiles, mistral.TrainingFile{FileID: file.ID, Weight: 1})
	}
	if change != nil {
		change(&request)
	}
	job, err := s.client("alice-key").CreateJob(s.t.Context(), request)
	if err != nil {
		s.t.Fatal(err)
	}
	return job
}

func autoStart(request *mistral.CreateJobRequest) { request.AutoStart = true }

// await polls a job of alice until it has the status.
func (s *server) await(id string, status mistral.JobStatus) *mistral.DetailedJob {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	client := s.client("alice-key")
	for {
		job, err := client.GetJob(ctx, id)
		if err != nil {
			s.t.Fatal(err)
		}
		if job.Status == status {
			return job
		}
		if job.Status.Finished() {
			s.t.Fatalf("job is %s instead of %s: %s", job.Status, status, events(job))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// events shows a job's story.
func events(job *mistral.DetailedJob) string {
	var story []string
	for _, event := range job.Events {
		story = append(story, string(event.Data))
	}
	return strings.Join(story, " ")
}

// statuses is what a job's events say, without the reasons.
func statuses(job *mistral.DetailedJob) string {
	return strings.NewReplacer(`{"status":"`, "", `"}`, "").Replace(events(job))
}

// intents are rows of one target with two labels.
func intents(rows int) string {
	var text strings.Builder
	for i := range rows {
		if i%2 == 0 {
			fmt.Fprintf(&text, `{"text": "switch on the lamp in room %d", "labels": {"intent": "light"}}`+"\n", i)
		} else {
			fmt.Fprintf(&text, `{"text": "play song number %d", "labels": {"intent": "music"}}`+"\n", i)
		}
	}
	return text.String()
}

// slowIntents take the engine several seconds.
func slowIntents() string {
	var text strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&text, `{"text": %q, "labels": {"intent": "label%d"}}`+"\n", strings.Repeat(fmt.Sprintf("words of row%d ", i), 12), i%20)
	}
	return text.String()
}

func TestOpenRefuses(t *testing.T) {
	used := startServer(t, nil)
	key := []api.Key{api.NewKey("alice", "k")}
	for _, test := range []struct {
		reason string
		config Config
		want   string
	}{
		{"a server that nobody could use", Config{Directory: t.TempDir()}, "no API keys"},
		{"a server that keeps nothing", Config{APIKeys: key}, "no directory"},
		{"a comma too many in a list of names", Config{Directory: t.TempDir(), APIKeys: key, BaseModels: []string{"a", ""}}, "no name"},
		{"two servers would train the same jobs", Config{Directory: used.config.Directory, APIKeys: key}, "in use by another factory"},
	} {
		opened, err := Open(t.Context(), test.config)
		if err == nil {
			_ = opened.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Open() = %v, want an error with %q", test.reason, err, test.want)
		}
	}
}

func TestReopenGoesOnWithJobs(t *testing.T) {
	s := startServer(t, nil)
	running := s.create(autoStart, s.upload("slow.jsonl", slowIntents()))
	s.await(running.ID, mistral.JobRunning)
	queued := s.create(nil, s.upload("intents.jsonl", intents(20)))
	s.await(queued.ID, mistral.JobValidated)
	if _, err := s.client("alice-key").StartJob(t.Context(), queued.ID); err != nil {
		t.Fatal(err)
	}

	s.close()
	s.open()

	resumed := s.await(running.ID, mistral.JobRunning)
	if got, want := statuses(resumed), "QUEUED VALIDATING VALIDATED RUNNING QUEUED RUNNING"; got != want {
		t.Errorf("the running job went through %q, want %q", got, want)
	}
	again, err := s.client("alice-key").GetJob(t.Context(), queued.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := statuses(again), "QUEUED VALIDATING VALIDATED"; got != want && got != want+" RUNNING SUCCESS" {
		t.Errorf("the queued job went through %q, want %q and perhaps more", got, want)
	}
}

func TestReopenKeepsEverything(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(40))
	made := s.await(s.create(autoStart, file).ID, mistral.JobSuccess)

	s.close()
	s.open()

	client := s.client("alice-key")
	if again, err := client.GetFile(t.Context(), file.ID); err != nil || *again.Signature != *file.Signature {
		t.Errorf("GetFile() = %+v, %v", again, err)
	}
	if _, err := client.Classify(t.Context(), mistral.ClassifyRequest{Model: *made.FineTunedModel, Input: []string{"lamp"}}); err != nil {
		t.Errorf("Classify() = %v", err)
	}
}

func TestHealthNeedsNoKey(t *testing.T) {
	s := startServer(t, nil)
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := s.requestAs("", "GET", path, "", nil); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func TestRoutesThatAreNone(t *testing.T) {
	s := startServer(t, nil)
	for _, test := range []struct {
		reason, method, path string
		status               int
	}{
		{"unknown path", "GET", "/v1/nothing", http.StatusNotFound},
		{"no delete-job route in the protocol", "DELETE", "/v1/fine_tuning/jobs/x", http.StatusMethodNotAllowed},
		{"method of another route", "PUT", "/v1/files", http.StatusMethodNotAllowed},
	} {
		status, body := s.request(test.method, test.path, "")
		if status != test.status || !strings.HasPrefix(body, `{"detail":`) {
			t.Errorf("%s: %d %s, want %d", test.reason, status, body, test.status)
		}
	}
}

// TestRoutesOfTheVendor that are not ours say what this server is instead, to anybody.
func TestRoutesOfTheVendor(t *testing.T) {
	s := startServer(t, nil)
	for _, route := range []string{
		"POST /v1/moderations", "POST /v1/chat/moderations", "POST /v1/chat/completions", "POST /v1/completions", "POST /v1/embeddings",
		"POST /v1/fim/completions", "POST /v1/ocr", "POST /v1/agents/completions", "GET /v1/agents", "GET /v1/agents/a", "POST /v1/conversations",
		"GET /v1/conversations/c/history", "POST /v1/audio/transcriptions", "POST /v1/audio/speech", "GET /v1/audio/voices", "GET /v1/batch/jobs",
		"POST /v1/batch/jobs", "POST /v1/batch/jobs/j/cancel", "GET /v1/libraries", "POST /v1/rag/indexes", "GET /v1/workflows", "GET /v1/connectors",
		"GET /v1/fine_tuning/models", "GET /v1/observability/datasets", "GET /v1/a-route-of-next-year", "GET /",
	} {
		method, path, _ := strings.Cut(route, " ")
		for _, key := range []string{"alice-key", "wrong", ""} {
			status, body := s.requestAs(key, method, path, "application/json", strings.NewReader(`{"model": "m"}`))
			if status != http.StatusNotFound || !strings.Contains(body, "This server is a Classifier Factory") {
				t.Errorf("%s with key %q: %d %s", route, key, status, body)
			}
		}
	}
}

// TestBehindAProxy that takes a prefix away and speaks TLS: the signed URL is one of the
// proxy's, and leads through it to the file.
func TestBehindAProxy(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(4))
	target, err := url.Parse(s.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewTLSServer(http.StripPrefix("/ml/factory", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.SetXForwarded()
		r.Out.Header.Set("X-Forwarded-Prefix", "/ml/factory")
	}}))
	defer proxy.Close()
	get := func(address string) string {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer alice-key")
		response, err := proxy.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %s, %v", address, response.Status, body, err)
		}
		return string(body)
	}
	var signed mistral.SignedURL
	decode(t, get(proxy.URL+"/ml/factory/v1/files/"+file.ID+"/url"), &signed)
	if !strings.HasPrefix(signed.URL, proxy.URL+"/ml/factory/v1/files/") {
		t.Fatalf("signed URL %s", signed.URL)
	}
	if got := get(signed.URL); got != intents(4) {
		t.Errorf("downloaded %q", got)
	}
}

// TestGzip: bodies of every kind may be packed.
func TestGzip(t *testing.T) {
	s := startServer(t, nil)
	contentType, body := form(t, "packed.jsonl", intents(40))
	post := func(path, contentType string, body io.Reader) (int, string) {
		var packed bytes.Buffer
		writer := gzip.NewWriter(&packed)
		if _, err := io.Copy(writer, body); err != nil {
			t.Fatal(err)
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+path, &packed)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer alice-key")
		request.Header.Set("Content-Type", contentType)
		request.Header.Set("Content-Encoding", "gzip")
		response, err := s.http.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(answer)
	}
	var file mistral.File
	status, answer := post("/v1/files", contentType, body)
	if decode(t, answer, &file); status != 200 || file.Bytes != int64(len(intents(40))) {
		t.Fatalf("a file: %d %s", status, answer)
	}
	var job mistral.Job
	status, answer = post("/v1/fine_tuning/jobs", "application/json", strings.NewReader(`{"model": "ministral-3b-latest", "hyperparameters": {}, "auto_start": true, "training_files": ["`+file.ID+`"]}`))
	if decode(t, answer, &job); status != 200 {
		t.Fatalf("a job: %d %s", status, answer)
	}
	model := *s.await(job.ID, mistral.JobSuccess).FineTunedModel
	for path, input := range map[string]string{
		"/v1/classifications":      `["lamp"` + strings.Repeat(`, "a song of many"`, 1000) + `]`,
		"/v1/chat/classifications": `{"messages": [{"role": "user", "content": "lamp"}]}`,
	} {
		if status, answer := post(path, "application/json", strings.NewReader(`{"model": "`+model+`", "input": `+input+`}`)); status != 200 {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	bomb := io.MultiReader(strings.NewReader(`{"model": "`+model+`", "input": "`), io.LimitReader(spaces{}, 64<<20), strings.NewReader(`"}`))
	if status, answer := post("/v1/classifications", "application/json", bomb); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a bomb: %d %s", status, answer)
	}
}

// spaces have no end.
type spaces struct{}

func (spaces) Read(data []byte) (int, error) {
	for i := range data {
		data[i] = ' '
	}
	return len(data), nil
}

func TestMetrics(t *testing.T) {
	s := startServer(t, nil)
	s.await(s.create(autoStart, s.upload("intents.jsonl", intents(20))).ID, mistral.JobSuccess)
	s.factory.queue.Close() // a stage is measured when its job's end is recorded already
	recorder := httptest.NewRecorder()
	s.factory.MetricsHandler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`classifier_factory_build_info{`,
		`classifier_factory_jobs{status="SUCCESS"} 1`,
		`classifier_factory_http_request_duration_seconds_count{code="200",route="POST /v1/files"} 1`,
		`classifier_factory_job_stage_duration_seconds_count{stage="RUNNING"} 1`,
		`classifier_factory_jobs{status="FAILED"} 0`,
		`classifier_factory_oldest_waiting_job_seconds{stage="training"} 0`,
	} {
		if !strings.Contains(recorder.Body.String(), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

// TestTheLongestWaitIsTold: a queue that nobody takes from is seen.
func TestTheLongestWaitIsTold(t *testing.T) {
	var offset atomic.Int64
	s := startServer(t, func(c *Config) { c.Clock = func() time.Time { return time.Unix(1_800_000_000+offset.Load(), 0) } })
	s.factory.queue.Close()
	s.create(autoStart, s.upload("intents.jsonl", intents(20)))
	offset.Store(3600)
	recorder := httptest.NewRecorder()
	s.factory.MetricsHandler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`classifier_factory_oldest_waiting_job_seconds{stage="validating"} 3600`,
		`classifier_factory_oldest_waiting_job_seconds{stage="training"} 0`,
	} {
		if !strings.Contains(recorder.Body.String(), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

func TestReopenForgetsWhatWasCutOff(t *testing.T) {
	s := startServer(t, nil)
	s.close()
	if err := os.WriteFile(filepath.Join(s.config.Directory, "incoming", "cut-off"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.open()
	if staged, err := os.ReadDir(filepath.Join(s.config.Directory, "incoming")); err != nil || len(staged) != 0 {
		t.Errorf("incoming %v, %v", staged, err)
	}
}
