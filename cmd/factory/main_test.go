package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob/buckettest"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestMain is the factory itself when a test starts it as a process of its own.
func TestMain(m *testing.M) {
	factory.RunIfChild()
	if os.Getenv("RUN_FACTORY") == "1" {
		main()
		return
	}
	os.Exit(buckettest.Tests{Tests: postgrestest.Tests{M: m}}.Run())
}

func command(t *testing.T, key string, arguments ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], arguments...)
	command.Env = append(os.Environ(), "RUN_FACTORY=1", "FACTORY_API_KEY="+key)
	return command
}

// noKeepAlive has no connections to a process that is no more.
var noKeepAlive = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// process is a factory that listens.
type process struct {
	*exec.Cmd
	url  string            // of the API
	urls map[string]string // by server
	logs *bufio.Reader
}

func start(t *testing.T, directory string, arguments ...string) *process {
	t.Helper()
	return startWithKey(t, "secret-key", directory, arguments...)
}

func startWithKey(t *testing.T, key, directory string, arguments ...string) *process {
	t.Helper()
	p := &process{Cmd: command(t, key, append([]string{"--listen", "127.0.0.1:0", "--data-dir", directory}, arguments...)...), urls: map[string]string{}}
	logs, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	p.logs = bufio.NewReader(logs)
	for p.url == "" {
		line, err := p.logs.ReadString('\n')
		if err != nil {
			t.Fatalf("%v after %q", err, line)
		}
		var entry struct{ Msg, Server, Address string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("log line %q", line)
		}
		if entry.Msg != "listening" {
			continue // a job that goes on after a restart may be done with a stage already
		}
		p.urls[entry.Server] = "http://" + entry.Address
		p.url = p.urls["api"]
	}
	return p
}

// status is what a path answers without a key.
func status(t *testing.T, url string) int {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func (p *process) client(t *testing.T) *mistral.Client {
	t.Helper()
	client, err := mistral.NewClient(mistral.Config{BaseURL: p.url, Key: mistral.NewKey("secret-key")})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestRefusesToStart(t *testing.T) {
	badKeys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(badKeys, []byte("alice:plain-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		reason, key string
		arguments   []string
		want        string
	}{
		{"nobody could use it", "", []string{"--data-dir", t.TempDir()}, "no API keys"},
		{"nowhere to keep anything", "k", nil, "no directory"},
		{"a key in plain", "", []string{"--data-dir", t.TempDir(), "--api-keys-file", badKeys}, "line 1: not tenant:hash"},
		{"an address that is none", "k", []string{"--public-url", "example.com"}, "no address such as"},
		{"no server of Weights & Biases", "k", []string{"--wandb-base-url", "api.wandb.ai"}, "must start with http"},
		{"an origin that no browser sends", "k", []string{"--cors-origins", "https://app.example.com/"}, "no origin such as"},
		{"an empty file", "k", []string{"--data-dir", t.TempDir(), "--api-keys-file", os.DevNull}, "no keys"},
		{"a flag that is none", "k", []string{"--unknown"}, "flag provided but not defined"},
	} {
		output, err := command(t, test.key, test.arguments...).CombinedOutput()
		if err == nil || !strings.Contains(string(output), test.want) || strings.Contains(string(output), "plain-secret") {
			t.Errorf("%s: %v, %s; want %q", test.reason, err, output, test.want)
		}
	}
}

func TestVersion(t *testing.T) {
	output, err := command(t, "", "--version").Output()
	if err != nil || !strings.Contains(string(output), ", commit ") {
		t.Errorf("--version: %q, %v", output, err)
	}
}

func TestKillLosesNothingAcknowledged(t *testing.T) {
	directory := t.TempDir()
	killed := start(t, directory)
	content := strings.Repeat(`{"text": "lamp", "labels": {"intent": "light"}}`+"\n"+`{"text": "song", "labels": {"intent": "music"}}`+"\n", 50)
	client := killed.client(t)
	file, err := client.UploadFile(t.Context(), mistral.Upload{Filename: "intents.jsonl", Content: strings.NewReader(content), Size: int64(len(content))})
	if err != nil {
		t.Fatal(err)
	}
	job, err := client.CreateJob(t.Context(), mistral.CreateJobRequest{
		Model: "ministral-3b-latest", JobType: mistral.JobTypeClassifier, AutoStart: true,
		TrainingFiles: []mistral.TrainingFile{{FileID: file.ID, Weight: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = killed.Process.Kill()
	_ = killed.Wait()

	client = start(t, directory).client(t)
	for {
		found, err := client.GetJob(t.Context(), job.ID)
		if err != nil {
			t.Fatal(err)
		}
		if found.Status == mistral.JobSuccess {
			return
		}
		if found.Status.Finished() {
			t.Fatalf("the job is %s", found.Status)
		}
	}
}

func TestTerminatesGracefully(t *testing.T) {
	running := start(t, t.TempDir())
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := status(t, running.url+path); got != http.StatusOK {
			t.Errorf("%s: %d", path, got)
		}
	}
	if err := running.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	logs, _ := io.ReadAll(running.logs)
	if err := running.Wait(); err != nil {
		t.Errorf("ended with %v: %s", err, logs)
	}
	if strings.Contains(string(logs), "secret-key") {
		t.Errorf("the key is logged: %s", logs)
	}
}

// TestShutdownWaitsForRequests: an upload that has begun is completed and
// acknowledged, and a job that runs goes on with the next start.
func TestShutdownWaitsForRequests(t *testing.T) {
	directory := t.TempDir()
	running := start(t, directory)
	client := running.client(t)
	var rows strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&rows, `{"text": %q, "labels": {"intent": "label%d"}}`+"\n", strings.Repeat(fmt.Sprintf("words of row%d ", i), 12), i%20)
	}
	upload := func(name string, content io.Reader) (*mistral.File, error) {
		return client.UploadFile(t.Context(), mistral.Upload{Filename: name, Content: content, Size: int64(rows.Len())})
	}
	file, err := upload("slow.jsonl", strings.NewReader(rows.String()))
	if err != nil {
		t.Fatal(err)
	}
	job, err := client.CreateJob(t.Context(), mistral.CreateJobRequest{
		Model: "ministral-3b-latest", JobType: mistral.JobTypeClassifier, AutoStart: true,
		TrainingFiles: []mistral.TrainingFile{{FileID: file.ID, Weight: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	reader, writer := io.Pipe()
	uploaded := make(chan error, 1)
	go func() {
		_, err := upload("during.jsonl", reader)
		_ = reader.CloseWithError(errors.New("the upload has ended")) // or its writer would wait for ever
		uploaded <- err
	}()
	half := rows.Len() / 2
	if _, err := io.WriteString(writer, rows.String()[:half]); err != nil {
		t.Fatal(err)
	}
	// What was written may still be on its way: only what the server has is under way.
	for deadline := time.Now().Add(time.Minute); !receives(t, directory); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the upload does not arrive")
		}
	}
	if err := running.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // into the shutdown
	if _, err := io.WriteString(writer, rows.String()[half:]); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	if err := <-uploaded; err != nil {
		t.Errorf("the upload under way: %v", err)
	}
	logs, _ := io.ReadAll(running.logs)
	if err := running.Wait(); err != nil {
		t.Errorf("ended with %v: %s", err, logs)
	}

	client = start(t, directory).client(t)
	files, err := client.ListFiles(t.Context(), mistral.FileFilter{Search: "during"})
	if err != nil || len(files.Data) != 1 {
		t.Errorf("files %+v, %v", files, err)
	}
	found, err := client.GetJob(t.Context(), job.ID)
	if err != nil || found.Status.Finished() && found.Status != mistral.JobSuccess {
		t.Errorf("job %+v, %v; want it to go on", found, err)
	}
}

// receives reports whether the factory is writing something down.
func receives(t *testing.T, directory string) bool {
	t.Helper()
	incoming, err := os.ReadDir(filepath.Join(directory, "incoming"))
	if err != nil {
		t.Fatal(err)
	}
	return len(incoming) > 0
}

// TestMetricsAddress is never the API's.
func TestMetricsAddress(t *testing.T) {
	for _, test := range []struct{ reason, listen, metrics, want string }{
		{"on the next port", ":8080", "", ":8081"},
		{"of the same host", "127.0.0.1:8080", "", "127.0.0.1:8081"},
		{"or of the same, by IPv6", "[::1]:8080", "", "[::1]:8081"},
		{"the system chooses both", "127.0.0.1:0", "", "127.0.0.1:0"},
		{"a port by its name", "localhost:http", "", "localhost:81"},
		{"as asked for", ":8080", ":9090", ":9090"},
	} {
		o := options{listen: test.listen, metricsListen: test.metrics}
		if got, err := o.metricsAddress(); got != test.want || err != nil {
			t.Errorf("%s: %q, %v; want %q", test.reason, got, err, test.want)
		}
	}
	o := options{listen: "8080"}
	if _, err := o.metricsAddress(); err == nil || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("no address: %v", err)
	}
}

// TestMetricsAreNotOnTheAPI, which more may reach.
func TestMetricsAreNotOnTheAPI(t *testing.T) {
	running := start(t, t.TempDir())
	if got := status(t, running.url+"/metrics"); got != http.StatusNotFound {
		t.Errorf("API: %d", got)
	}
	for running.urls["metrics"] == "" {
		line, err := running.logs.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		var entry struct{ Msg, Server, Address string }
		if err := json.Unmarshal([]byte(line), &entry); err == nil && entry.Msg == "listening" {
			running.urls[entry.Server] = "http://" + entry.Address
		}
	}
	if got := status(t, running.urls["metrics"]+"/metrics"); got != http.StatusOK {
		t.Errorf("metrics server: %d", got)
	}
}

func TestMetricsOnTheirOwn(t *testing.T) {
	running := start(t, t.TempDir(), "--metrics-listen", "127.0.0.1:0")
	if got := status(t, running.urls["metrics"]+"/metrics"); got != http.StatusOK {
		t.Errorf("metrics server: %d", got)
	}
	if got := status(t, running.url+"/metrics"); got != http.StatusNotFound {
		t.Errorf("API: %d; the metrics moved away", got)
	}
}

// TestEveryAnswerHasARequestID, also those that no route gives.
func TestEveryAnswerHasARequestID(t *testing.T) {
	running := start(t, t.TempDir(), "--metrics-listen", "127.0.0.1:0")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, test := range []struct {
		reason, url string
		status      int
	}{
		{"a route", running.url + "/healthz", 200},
		{"no key", running.url + "/v1/models", 401},
		{"no route", running.url + "/nothing", 404},
		{"a path that is not clean", running.url + "//v1//models", 307},
		{"metrics", running.urls["metrics"] + "/metrics", 200},
		{"no metrics", running.urls["metrics"] + "/nothing", 404},
	} {
		response, err := client.Get(test.url)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if ids := response.Header.Values("X-Request-Id"); response.StatusCode != test.status || len(ids) != 1 || response.Header.Get("Server") == "" {
			t.Errorf("%s: %d %v", test.reason, response.StatusCode, response.Header)
		}
	}
}

// TestKeysAreReadAgain exchanges them as Kubernetes does: by another target of a link.
func TestKeysAreReadAgain(t *testing.T) {
	directory := t.TempDir()
	publish := func(name string, keys ...string) {
		t.Helper()
		var lines strings.Builder
		for _, key := range keys {
			fmt.Fprintf(&lines, "alice:%x\n", sha256.Sum256([]byte(key)))
		}
		link := filepath.Join(directory, "next")
		if err := errors.Join(os.WriteFile(filepath.Join(directory, name), []byte(lines.String()), 0o600),
			os.Symlink(name, link), os.Rename(link, filepath.Join(directory, "keys"))); err != nil {
			t.Fatal(err)
		}
	}
	publish("first", "old-key")
	running := start(t, t.TempDir(), "--api-keys-file", filepath.Join(directory, "keys"))
	go func() { _, _ = io.Copy(io.Discard, running.logs) }()
	accepted := func(key string) bool {
		t.Helper()
		client, err := mistral.NewClient(mistral.Config{BaseURL: running.url, Key: mistral.NewKey(key)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.ListModels(t.Context())
		if err != nil && !mistral.IsUnauthorized(err) {
			t.Fatal(err)
		}
		return err == nil
	}
	if !accepted("old-key") || !accepted("secret-key") || accepted("new-key") {
		t.Fatal("at the start: want the key of the file and that of the environment")
	}
	publish("second", "new-key")
	for deadline := time.Now().Add(time.Minute); !accepted("new-key"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the new key is not accepted")
		}
	}
	if accepted("old-key") || !accepted("secret-key") {
		t.Error("the old key is accepted still, or that of the environment no longer")
	}
	if err := os.WriteFile(filepath.Join(directory, "second"), []byte("half a li"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(keyInterval + keyInterval/2)
	if !accepted("new-key") {
		t.Error("a file that cannot be read took the keys away")
	}
	if err := os.WriteFile(filepath.Join(directory, "second"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(keyInterval + keyInterval/2)
	if !accepted("new-key") {
		t.Error("an empty file took the keys away")
	}
}
