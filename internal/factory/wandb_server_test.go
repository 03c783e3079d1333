package factory

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// wandbRun is what a server of Weights & Biases has of a run.
type wandbRun struct {
	key, project, displayName string
	config                    map[string]struct{ Value any }
	history                   []map[string]any
	summary                   map[string]any
	exitCode                  *int
	preempting                bool
}

// wandbServer keeps what it is told, as Weights & Biases does: of lines that are sent again
// at their offset, the later ones.
type wandbServer struct {
	t    *testing.T
	http *httptest.Server

	mutex sync.Mutex
	runs  map[string]*wandbRun
	// interfere, if set, may answer a request in place of the server.
	interfere func(w http.ResponseWriter, r *http.Request, serve func()) bool
}

func startWandb(t *testing.T) *wandbServer {
	t.Helper()
	w := &wandbServer{t: t, runs: map[string]*wandbRun{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /graphql", w.upsert)
	mux.HandleFunc("POST /files/{entity}/{project}/{run}/file_stream", w.stream)
	w.http = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		w.mutex.Lock()
		interfere := w.interfere
		w.mutex.Unlock()
		if interfere == nil || !interfere(answer, r, func() { mux.ServeHTTP(httptest.NewRecorder(), r) }) {
			mux.ServeHTTP(answer, r)
		}
	}))
	t.Cleanup(w.http.Close)
	return w
}

// reportTo is a change of a factory's configuration.
func (w *wandbServer) reportTo(c *Config) {
	c.WandbBaseURL, _ = url.Parse(w.http.URL)
}

func (w *wandbServer) set(interfere func(http.ResponseWriter, *http.Request, func()) bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.interfere = interfere
}

// refuse answers everything with a status, until it is set otherwise.
func (w *wandbServer) refuse(status int) {
	w.set(func(answer http.ResponseWriter, r *http.Request, _ func()) bool {
		user, key, _ := r.BasicAuth()
		http.Error(answer, user+" "+key, status) // whose answers must not be repeated
		return true
	})
}

func keyOf(r *http.Request) string {
	user, key, ok := r.BasicAuth()
	if !ok || user != "api" {
		return ""
	}
	return key
}

func (w *wandbServer) upsert(answer http.ResponseWriter, r *http.Request) {
	var request struct {
		Query     string
		Variables struct{ Name, Project, DisplayName, Config string }
	}
	run := &wandbRun{key: keyOf(r)}
	err := json.NewDecoder(r.Body).Decode(&request)
	if err == nil {
		err = json.Unmarshal([]byte(request.Variables.Config), &run.config)
	}
	if err != nil || run.key == "" || !strings.Contains(request.Query, "upsertBucket") {
		w.t.Errorf("no creation of a run: %v, %+v", err, request)
		http.Error(answer, "", http.StatusBadRequest)
		return
	}
	v := request.Variables
	run.project, run.displayName = v.Project, v.DisplayName
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if old := w.runs[v.Name]; old == nil {
		w.runs[v.Name] = run
	}
	_, _ = fmt.Fprintf(answer, `{"data":{"upsertBucket":{"bucket":{"id":"x","name":%q,"project":{"name":%q,"entity":{"name":"team"}}},"inserted":true}}}`, v.Name, v.Project)
}

func (w *wandbServer) stream(answer http.ResponseWriter, r *http.Request) {
	var told struct {
		Files map[string]struct {
			Offset  int
			Content []string
		}
		Preempting, Complete bool
		ExitCode             *int
	}
	err := json.NewDecoder(r.Body).Decode(&told)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	run := w.runs[r.PathValue("run")]
	if err != nil || run == nil || r.PathValue("entity") != "team" || r.PathValue("project") != run.project || keyOf(r) != run.key || run.exitCode != nil {
		w.t.Errorf("no report of a run: %v, %s, %+v", err, r.URL, run)
		http.Error(answer, "", http.StatusBadRequest)
		return
	}
	lines := told.Files["wandb-history.jsonl"]
	if lines.Offset > len(run.history) {
		w.t.Errorf("lines at %d of %d", lines.Offset, len(run.history))
	}
	for i, line := range lines.Content {
		var metrics map[string]any
		if err := json.Unmarshal([]byte(line), &metrics); err != nil {
			w.t.Error(err)
		}
		run.history = append(run.history[:lines.Offset+i:lines.Offset+i], metrics)
	}
	for _, line := range told.Files["wandb-summary.json"].Content {
		if err := json.Unmarshal([]byte(line), &run.summary); err != nil {
			w.t.Error(err)
		}
	}
	run.preempting = run.preempting || told.Preempting
	if told.Complete {
		run.exitCode = told.ExitCode
	}
	_, _ = answer.Write([]byte(`{"exitcode":null,"limits":{}}`))
}

// awaitRun waits until what the server has of a run satisfies a condition.
func (w *wandbServer) awaitRun(name string, holds func(*wandbRun) bool) wandbRun {
	w.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		w.mutex.Lock()
		run := w.runs[name]
		if run != nil && holds(run) {
			found := *run
			w.mutex.Unlock()
			return found
		}
		names := slices.Collect(maps.Keys(w.runs))
		w.mutex.Unlock()
		if time.Now().After(deadline) {
			w.t.Fatalf("the run %s is %+v of %v", name, run, names)
		}
	}
}

func ended(run *wandbRun) bool { return run.exitCode != nil }
