package api

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// idleServer asks for no key.
func idleServer() *Server {
	return New(Config{InsecureNoAuth: true, Clock: time.Now, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
}

// TestLargeBodiesWait while others that were there before fill the memory that they
// have together.
func TestLargeBodiesWait(t *testing.T) {
	const largest, unknown = maxClassifyBytes, -1
	for _, test := range []struct {
		reason string
		before []int64 // sizes of requests that are being answered
		size   int64
		waits  bool
		status int
	}{
		{"there is room for it", []int64{largest}, largest, false, 200},
		{"there is none", []int64{largest, largest}, largest, true, 200},
		{"there is little", []int64{largest, largest - smallBodyBytes}, smallBodyBytes + 1, true, 200},
		{"a small one takes next to nothing", []int64{largest, largest}, smallBodyBytes, false, 200},
		{"it may be large", []int64{largest, largest}, unknown, true, 200},
		{"what did not say its size may be large", []int64{unknown, unknown}, largest, true, 200},
		{"it is too large, and refused unread", []int64{largest, largest}, largest + 1, false, 413},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := idleServer()
			release := make(chan struct{})
			blocking := s.inMemory(func(*http.Request, string) (any, error) { <-release; return nil, nil })
			serve := func(handler http.Handler, size int64) *httptest.ResponseRecorder {
				request := httptest.NewRequest(http.MethodPost, "/v1/classifications", nil)
				request.ContentLength = size
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, request)
				return answer
			}
			for _, size := range test.before {
				go serve(blocking, size)
			}
			synctest.Wait()

			answered := make(chan int, 1)
			go func() {
				answered <- serve(s.inMemory(func(*http.Request, string) (any, error) { return nil, nil }), test.size).Code
			}()
			synctest.Wait()
			if waits := len(answered) == 0; waits != test.waits {
				t.Errorf("%s: it waits: %v", test.reason, waits)
			}
			close(release)
			if status := <-answered; status != test.status {
				t.Errorf("%s: %d, want %d", test.reason, status, test.status)
			}
			synctest.Wait()
			if !s.bodies.TryAcquire(heldBodyBytes) {
				t.Errorf("%s: memory is still taken", test.reason)
			}
		})
	}
}

// TestWaitingIsNotTimedOut: a body has its time from when it may come.
func TestWaitingIsNotTimedOut(t *testing.T) {
	s := idleServer()
	slow := httptest.NewUnstartedServer(s.inMemory(func(r *http.Request, _ string) (any, error) {
		_, err := io.Copy(io.Discard, r.Body)
		return "read", err
	}))
	slow.Config.ReadTimeout = 50 * time.Millisecond
	slow.Config.WriteTimeout = 50 * time.Millisecond
	slow.Start()
	defer slow.Close()
	if err := s.bodies.Acquire(t.Context(), heldBodyBytes); err != nil {
		t.Fatal(err)
	}
	go func() {
		time.Sleep(100 * time.Millisecond)
		s.bodies.Release(heldBodyBytes)
	}()
	body := `{"model": "unknown", "input": "` + strings.Repeat("x", 1<<20) + `"}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, slow.URL+"/v1/classifications", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := slow.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if answer, err := io.ReadAll(response.Body); response.StatusCode != http.StatusOK || err != nil {
		t.Errorf("%s %s, %v; want it read", response.Status, answer, err)
	}
}
