package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/storetest"
)

// loggingServer has everything that it logs in a buffer, and asks for a key.
func loggingServer(t *testing.T) (*Server, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	stored, blobs := storetest.Open(t)
	return New(Config{
		Store: stored, Blobs: blobs, Keys: []Key{NewKey("alice", "alice-key")}, Clock: time.Now, Registry: prometheus.NewRegistry(),
		Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}), &log
}

// logged are the lines of a log.
func logged(t *testing.T, log *bytes.Buffer) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		lines = append(lines, entry)
	}
	return lines
}

// TestRequestIDs: whatever the answer, it says which request it is of, as the log does.
func TestRequestIDs(t *testing.T) {
	for _, test := range []struct {
		reason, method, path, key, sent string
		status                          int
		kept                            bool
	}{
		{"the client's own", "GET", "/v1/models", "alice-key", "4f1c-client.7", 200, true},
		{"none is sent", "GET", "/v1/models", "alice-key", "", 200, false},
		{"without a key", "GET", "/v1/models", "", "mine", 401, true},
		{"with a wrong key", "POST", "/v1/files", "wrong", "mine", 401, true},
		{"no such object", "GET", "/v1/files/none", "alice-key", "mine", 404, true},
		{"no such route", "GET", "/v2/nothing", "", "mine", 404, true},
		{"another method", "PUT", "/v1/files", "", "mine", 405, true},
		{"a body that is refused", "POST", "/v1/classifications", "alice-key", "mine", 422, true},
		{"a path that is not clean", "GET", "//v1/models", "alice-key", "mine", 307, true},
		{"health", "GET", "/healthz", "", "mine", 200, true},
		{"a trace of W3C", "GET", "/healthz", "", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 200, true},
		{"the longest", "GET", "/healthz", "", strings.Repeat("x", 128), 200, true},
		{"too long for a log", "GET", "/healthz", "", strings.Repeat("x", 129), 200, false},
		{"it looks like another entry of a log", "GET", "/healthz", "", `mine" level="ERROR`, 200, false},
		{"a control character", "GET", "/healthz", "", "mine\tyours", 200, false},
		{"no ASCII", "GET", "/healthz", "", "mïne", 200, false},
	} {
		s, log := loggingServer(t)
		request := httptest.NewRequest(test.method, test.path, nil)
		request.URL.Path = test.path
		if test.key != "" {
			request.Header.Set("Authorization", "Bearer "+test.key)
		}
		if test.sent != "" {
			request.Header.Set("X-Request-Id", test.sent)
		}
		answer := httptest.NewRecorder()
		s.Handler().ServeHTTP(answer, request)
		id := answer.Header().Get("X-Request-Id")
		if answer.Code != test.status || id == "" || (id == test.sent) != test.kept {
			t.Errorf("%s: %d with ID %q, want %d", test.reason, answer.Code, id, test.status)
		}
		if server := answer.Header().Get("Server"); !strings.HasPrefix(server, "classifier-factory/") {
			t.Errorf("%s: server %q", test.reason, server)
		}
		lines := logged(t, log)
		if len(lines) == 0 {
			t.Errorf("%s: nothing is logged", test.reason)
		}
		for _, line := range lines {
			if line["request_id"] != id {
				t.Errorf("%s: %v is logged for request %s", test.reason, line, id)
			}
		}
	}
}

// TestLinesOfOneRequest: what fails inside is logged with the request's ID as well, and
// durations have a unit.
func TestLinesOfOneRequest(t *testing.T) {
	for _, test := range []struct {
		reason, message string
		operate         operation
	}{
		{"the server's own fault", "request failed", func(*http.Request, string) (any, error) { return nil, errors.New("broken") }},
		{"a panic", "request panicked", func(*http.Request, string) (any, error) { panic("broken") }},
		{"an answer that is no JSON", "answer cannot be written as JSON", func(*http.Request, string) (any, error) { return func() {}, nil }},
	} {
		s, log := loggingServer(t)
		request := httptest.NewRequest("GET", "/", nil)
		request.Header.Set("Authorization", "Bearer alice-key")
		request.Header.Set("X-Request-Id", "mine")
		answer := httptest.NewRecorder()
		Identified(s.observed(s.operation(maxBodyBytes, test.operate))).ServeHTTP(answer, request)
		if answer.Code != 500 || answer.Body.String() != `{"detail":"Internal Server Error"}` || answer.Header().Get("X-Request-Id") != "mine" {
			t.Errorf("%s: %d %s", test.reason, answer.Code, answer.Body)
		}
		lines := logged(t, log)
		if len(lines) != 2 || lines[0]["msg"] != test.message || lines[0]["request_id"] != "mine" || lines[1]["request_id"] != "mine" {
			t.Errorf("%s: %v", test.reason, lines)
			continue
		}
		seconds, ok := lines[1]["duration_seconds"].(float64)
		if _, unclear := lines[1]["duration"]; unclear || !ok || seconds < 0 || seconds > 60 {
			t.Errorf("%s: %v", test.reason, lines[1])
		}
	}
}

// TestPanicWithinAnAnswer: what the client has of it must not look whole.
func TestPanicWithinAnAnswer(t *testing.T) {
	s, log := loggingServer(t)
	server := httptest.NewServer(Identified(s.observed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write([]byte("half"))
		_ = http.NewResponseController(w).Flush()
		panic("broken")
	}))))
	defer server.Close()
	response, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := bytes.NewBuffer(nil).ReadFrom(response.Body); err == nil {
		t.Error("the answer looks whole")
	}
	server.Close() // which waits for what is logged
	if lines := logged(t, log); len(lines) != 2 || lines[0]["msg"] != "request panicked" {
		t.Errorf("logged %v", lines)
	}
}
