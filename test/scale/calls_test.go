package scale

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync"
	"testing"
)

const (
	createJob = "POST /v1/fine_tuning/jobs"
	startJob  = "POST /v1/fine_tuning/jobs/{id}/start"
	listJobs  = "GET /v1/fine_tuning/jobs"
)

// routes are what an operator asks a factory for.
var routes = []string{
	"POST /v1/files",
	"GET /v1/files",
	"DELETE /v1/files/{id}",
	createJob,
	listJobs,
	"GET /v1/fine_tuning/jobs/{id}",
	startJob,
	"POST /v1/fine_tuning/jobs/{id}/cancel",
	"GET /v1/models",
	"DELETE /v1/models/{id}",
	"GET /v1/keys",
	"POST /v1/keys",
	"DELETE /v1/keys/{id}",
}

// calls are counted between an operator and a factory.
type calls struct {
	url string

	mu        sync.Mutex
	looks     int // at the jobs of the connection, by their lists' first pages
	byRoute   map[string]int
	bySubject map[string]int // by the file or job that they are about, if it is one
}

func countCalls(t testing.TB, factory string) *calls {
	t.Helper()
	c := &calls{byRoute: map[string]int{}, bySubject: map[string]int{}}
	proxy := httputil.NewSingleHostReverseProxy(parse(t, factory))
	mux := http.NewServeMux()
	for _, route := range routes {
		mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
			c.count(r)
			proxy.ServeHTTP(w, r)
		})
	}
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	c.url = front.URL
	return c
}

func (c *calls) count(r *http.Request) {
	query := r.URL.Query()
	subject := cmp.Or(r.PathValue("id"), query.Get("suffix"), query.Get("search"))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byRoute[r.Pattern]++
	if r.Pattern == listJobs && query.Get("suffix") == "" && query.Get("page") == "" {
		c.looks++
	}
	if subject != "" {
		// The list that the datasets of a namespace share is searched for as a file is.
		c.bySubject[subject+" of "+r.Header.Get("Factory-Act-For")]++
	}
}

// of is how often a route was called.
func (c *calls) of(route string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byRoute[route]
}

// all is how many calls there were, and how many looks at all jobs among them.
func (c *calls) all() (count, looks int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range c.byRoute {
		count += of
	}
	return count, c.looks
}

// most is the most calls about one file or job.
func (c *calls) most() (most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, count := range c.bySubject {
		most = max(most, count)
	}
	return most
}
