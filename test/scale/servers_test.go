package scale

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// serveSilence accepts connections and never answers.
func serveSilence(t testing.TB) (url string) {
	t.Helper()
	return serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

// serveHeaders answers, but the body never comes.
func serveHeaders(t testing.TB) (url string) {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		begin(w)
		<-r.Context().Done()
	})
}

// serveTrickle answers with a body that never ends: white space, a byte a second.
func serveTrickle(t testing.TB) (url string) {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		begin(w)
		trickle(w, r, strings.NewReader(strings.Repeat(" ", 1<<20)), time.Second)
	})
}

// serveUntilSilent stands before a factory until it falls silent.
func serveUntilSilent(t testing.TB, factory string) (url string, fallSilent func()) {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(parse(t, factory))
	var silent atomic.Bool
	url = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if silent.Load() {
			<-r.Context().Done()
			return
		}
		proxy.ServeHTTP(w, r)
	})
	return url, func() { silent.Store(true) }
}

// serveEndless stands before a factory and lets every training that is started run for
// ever: the factory hears of no start, and its answers say that the job runs.
func serveEndless(t testing.TB, factory string) (url string) {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(parse(t, factory))
	var started sync.Map // by the job's ID
	proxy.ModifyResponse = func(answer *http.Response) error {
		var body map[string]any
		if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
			return err
		}
		listed, _ := body["data"].([]any)
		for _, entry := range append(listed, body) {
			if job, ok := entry.(map[string]any); ok && isIn(&started, job["id"]) {
				job["status"] = mistral.JobRunning
			}
		}
		encoded, err := json.Marshal(body)
		answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(encoded)), int64(len(encoded))
		answer.Header.Set("Content-Length", strconv.Itoa(len(encoded)))
		return err
	}
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if job, isStart := strings.CutSuffix(r.URL.Path, "/start"); isStart {
			started.Store(path.Base(job), true)
			r.Method, r.URL.Path = http.MethodGet, job
		}
		proxy.ServeHTTP(w, r)
	})
}

func isIn(set *sync.Map, key any) bool {
	_, ok := set.Load(key)
	return ok
}

// serveNobody is where connecting takes for ever: the system takes no more
// connections for a listener that has not accepted those that it has.
func serveNobody(t testing.TB) (url string) {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(socket) })
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(socket, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	address := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*syscall.SockaddrInet4).Port}
	for range 16 {
		connection, err := net.DialTimeout("tcp", address.String(), 200*time.Millisecond)
		if err != nil {
			return "http://" + address.String()
		}
		t.Cleanup(func() { _ = connection.Close() })
	}
	t.Skip("this system lets everybody connect")
	return ""
}

// serveBucket is object storage with one object, of which it sends a byte at a time
// with a pause after each; without a pause all at once.
func serveBucket(t testing.TB, pause time.Duration) (endpoint string) {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		content := strings.NewReader(controllertest.Sentiments(20))
		w.Header().Set("ETag", `"1"`)
		if pause > 0 && r.Method == http.MethodGet {
			begin(w)
			trickle(w, r, content, pause)
			return
		}
		http.ServeContent(w, r, "", time.Unix(1, 0), content)
	})
}

// objectIn is the object of such a bucket.
func objectIn(endpoint string) *classifierv1alpha1.ObjectStorageSource {
	return &classifierv1alpha1.ObjectStorageSource{URL: "s3://bucket/data.jsonl", Endpoint: endpoint}
}

func serve(t testing.TB, handler http.HandlerFunc) (url string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections() // who hangs would hold up the end
		server.Close()
	})
	return server.URL
}

func begin(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
}

func trickle(w http.ResponseWriter, r *http.Request, content io.Reader, pause time.Duration) {
	for {
		if _, err := io.CopyN(w, content, 1); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(pause):
		case <-r.Context().Done():
			return
		}
	}
}

func parse(t testing.TB, address string) *url.URL {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
