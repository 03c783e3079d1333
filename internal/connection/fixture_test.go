package connection

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testKey = "key-5b1f0c9ae7"

// start is a whole second, as the factory's timestamps are.
var start = time.Unix(1_800_000_000, 0)

// fixture is a connection to a factory that does as it is told, at a time that
// stands still until the test moves it.
type fixture struct {
	*testing.T
	clock      *testingclock.FakeClock
	factory    *factory
	pool       *Pool
	end        context.CancelFunc // of the operator
	connection *Connection
	watchers   int
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return newFixtureWith(t, func(*Options) {})
}

func newFixtureWith(t *testing.T, change func(*Options)) *fixture {
	t.Helper()
	f := &fixture{T: t, clock: testingclock.NewFakeClock(start), factory: startFactory(t)}
	options := DefaultOptions()
	options.Clock = f.clock
	options.PrivateHosts = []string{"127.0.0.1"}
	change(&options)
	ctx, end := context.WithCancel(context.Background())
	t.Cleanup(end)
	f.pool, f.end = NewPool(ctx, options), end
	f.connection = f.get(f.factory.URL, testKey)
	return f
}

func (f *fixture) get(url, key string) *Connection {
	f.Helper()
	connection, err := f.pool.Get(url, mistral.NewKey(key), "test")
	if err != nil {
		f.Fatal(err)
	}
	return connection
}

// caller makes calls in a pass of its own.
func (f *fixture) caller(object string) *Pass {
	f.Helper()
	pass := f.connection.Pass(turns.Who{Namespace: "test", Object: object}, func() {})
	f.Cleanup(func() { pass.End() })
	return pass
}

// getJob asks for a job, as a watcher's own call.
func (f *fixture) getJob(id string) (*mistral.DetailedJob, error) {
	f.Helper()
	pass := f.caller("watcher")
	defer pass.End()
	return pass.GetJob(f.Context(), id)
}

func (f *fixture) startJob(id string) (*mistral.DetailedJob, error) {
	f.Helper()
	pass := f.caller("watcher")
	defer pass.End()
	return pass.StartJob(f.Context(), id)
}

// eventually waits for what another goroutine has to do.
func (f *fixture) eventually(what string, check func() bool) {
	f.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Microsecond) {
		if check() {
			return
		}
	}
	f.Fatalf("waited in vain: %s", what)
}

// rest waits until the poller has nothing to do before the clock moves.
func (f *fixture) rest() {
	f.Helper()
	f.eventually("the poller rests", f.clock.HasWaiters)
}

// expectEnd waits until the poller is no more.
func (f *fixture) expectEnd() {
	f.Helper()
	f.eventually("the poller ends", func() bool {
		f.connection.jobs.mu.Lock()
		defer f.connection.jobs.mu.Unlock()
		return !f.connection.jobs.running
	})
}

// pass lets time pass, and the poller do what is due then.
func (f *fixture) pass(d time.Duration) {
	f.Helper()
	f.clock.Step(d)
	f.rest()
}

// look lets the poller look once more, after a pause that outlasts every other.
func (f *fixture) look() {
	f.Helper()
	f.pass(2 * time.Minute)
}

// untilNextLook lets time pass until the poller looks, and says how long that took.
func (f *fixture) untilNextLook() time.Duration {
	f.Helper()
	const step = 100 * time.Millisecond
	f.factory.forgetCalls()
	for passed := step; passed < time.Hour; passed += step {
		if f.pass(step); len(f.factory.forgetCalls()) > 0 {
			return passed
		}
	}
	f.Fatal("the poller does not look any more")
	return 0
}

// watcher watches a job, and counts how often it is told of news.
type watcher struct {
	*fixture
	id   string
	who  turns.Who
	told atomic.Int64
}

func (f *fixture) watcher(id string) *watcher {
	f.watchers++
	return &watcher{fixture: f, id: id, who: turns.Who{Namespace: "test", Object: strconv.Itoa(f.watchers)}}
}

// watch watches jobs and waits until the poller has asked for each.
func (f *fixture) watch(ids ...string) []*watcher {
	f.Helper()
	var watchers []*watcher
	for _, id := range ids {
		w := f.watcher(id)
		watchers = append(watchers, w)
		if job, err := w.now(); job != nil || err != nil {
			f.Fatalf("the connection knows job %s before it asked: %v, %v", id, job, err)
		}
	}
	for _, w := range watchers {
		f.eventually("job "+w.id+" is asked for", func() bool {
			if len(ids) > DefaultOptions().CallBurst {
				f.clock.Step(time.Millisecond) // for the budget to fill up
			}
			return w.told.Load() > 0
		})
	}
	f.rest()
	return watchers
}

// watchOne watches a job and waits until the poller has asked for it.
func (f *fixture) watchOne(id string) *watcher {
	f.Helper()
	return f.watch(id)[0]
}

// now gives what is known of the job, as a watcher does that was told.
func (w *watcher) now() (*mistral.DetailedJob, error) {
	return w.connection.WatchJob(w.id, w.who, func() { w.told.Add(1) })
}

// expect checks what is known of the job, and how often there was news since the
// last time.
func (w *watcher) expect(status mistral.JobStatus, told int64) {
	w.Helper()
	job, err := w.now()
	if err != nil || job == nil || job.Status != status {
		w.Errorf("known of job %s is %+v with error %v, want it %s", w.id, job, err, status)
	}
	w.expectTold(told)
}

func (w *watcher) expectTold(want int64) {
	w.Helper()
	if got := w.told.Swap(0); got != want {
		w.Errorf("the watcher of job %s was told %d times, want %d", w.id, got, want)
	}
}

// factory speaks the protocol as far as jobs go, over HTTP. It lists the newest
// job first.
type factory struct {
	*httptest.Server

	mu       sync.Mutex
	jobs     []*mistral.DetailedJob
	unlisted map[string]bool
	pageSize int // most of a page, whatever is asked for; 0: no such limit
	calls    []string
	// interfere, if set, may answer a call first.
	interfere func(call string, w http.ResponseWriter) bool
}

func startFactory(t *testing.T) *factory {
	f := &factory{unlisted: map[string]bool{}}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /v1/fine_tuning/jobs", f.list)
	routes.HandleFunc("GET /v1/fine_tuning/jobs/{id}", f.job)
	routes.HandleFunc("POST /v1/fine_tuning/jobs/{id}/{action}", f.job)
	f.Server = httptest.NewServer(f.interfering(routes))
	t.Cleanup(f.Close)
	return f
}

func (f *factory) interfering(routes http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := describe(r)
		f.mu.Lock()
		f.calls = append(f.calls, call)
		interfere := f.interfere
		f.mu.Unlock()
		if interfere == nil || !interfere(call, w) {
			routes.ServeHTTP(w, r)
		}
	})
}

// describe names a call: "list", "list 1" for the second page, "get a", "start a".
func describe(r *http.Request) string {
	parts := strings.Split(strings.Trim(strings.TrimPrefix(r.URL.Path, "/v1/fine_tuning/jobs"), "/"), "/")
	switch {
	case len(parts) == 2:
		return parts[1] + " " + parts[0]
	case parts[0] != "":
		return "get " + parts[0]
	}
	return strings.TrimSpace("list " + r.URL.Query().Get("page"))
}

func (f *factory) list(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	query := r.URL.Query()
	page, _ := strconv.Atoi(query.Get("page"))
	size, _ := strconv.Atoi(query.Get("page_size"))
	if f.pageSize > 0 {
		size = min(size, f.pageSize)
	}
	after, err := time.Parse(time.RFC3339, query.Get("created_after"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	answer := mistral.JobList{Object: mistral.ObjectList, Data: mistral.List[mistral.Job]{}}
	for _, job := range f.jobs {
		if !f.unlisted[job.ID] && time.Unix(job.CreatedAt, 0).After(after) {
			answer.Data = append(answer.Data, job.Job)
		}
	}
	answer.Total = int64(len(answer.Data))
	from := min(page*size, len(answer.Data))
	answer.Data = answer.Data[from:min(from+size, len(answer.Data))]
	_ = json.NewEncoder(w).Encode(answer)
}

func (f *factory) job(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, job := range f.jobs {
		if job.ID == r.PathValue("id") {
			if r.PathValue("action") == "start" {
				job.Status = mistral.JobQueued
				job.ModifiedAt++
			}
			_ = json.NewEncoder(w).Encode(job)
			return
		}
	}
	http.Error(w, `{"detail":"no such job"}`, http.StatusNotFound)
}

// add adds jobs, each newer than those before.
func (f *factory) add(status mistral.JobStatus, ids ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		job := &mistral.DetailedJob{Job: mistral.Job{
			ID:         id,
			Status:     status,
			CreatedAt:  start.Unix() - 1000 + int64(len(f.jobs)),
			ModifiedAt: start.Unix(),
		}}
		f.jobs = slices.Insert(f.jobs, 0, job)
	}
}

// change changes a job within the second of its last change.
func (f *factory) change(id string, change func(*mistral.DetailedJob)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, job := range f.jobs {
		if job.ID == id {
			change(job)
		}
	}
}

// set changes a job's status, in a second of its own.
func (f *factory) set(id string, status mistral.JobStatus) {
	f.change(id, func(job *mistral.DetailedJob) {
		job.Status = status
		job.ModifiedAt++
	})
}

// remove makes the factory forget a job, and gives it back.
func (f *factory) remove(id string) *mistral.DetailedJob {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.jobs, func(job *mistral.DetailedJob) bool { return job.ID == id })
	removed := f.jobs[i]
	f.jobs = slices.Delete(f.jobs, i, i+1)
	return removed
}

func (f *factory) restore(job *mistral.DetailedJob) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jobs = append(f.jobs, job)
}

// when makes the factory do something before it answers a call, or instead of
// that if it returns true.
func (f *factory) when(interfere func(call string, w http.ResponseWriter) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.interfere = interfere
}

// answer makes the factory answer calls that begin with a text with a status; the
// empty text is all calls.
func (f *factory) answer(calls string, status int, headers ...string) {
	f.when(func(call string, w http.ResponseWriter) bool {
		if !strings.HasPrefix(call, calls) {
			return false
		}
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		http.Error(w, `{"detail":"scripted"}`, status)
		return true
	})
}

// behave ends all interference.
func (f *factory) behave() { f.when(nil) }

// hold makes the factory keep calls until released. arrived gets each one.
func (f *factory) hold(held string) (arrived <-chan struct{}, release func()) {
	arrivals, released := make(chan struct{}, 100), make(chan struct{})
	f.when(func(call string, _ http.ResponseWriter) bool {
		if call == held {
			arrivals <- struct{}{}
			<-released
		}
		return false
	})
	return arrivals, sync.OnceFunc(func() { close(released) })
}

// forgetCalls gives the calls since the last time.
func (f *factory) forgetCalls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}

// expectCalls checks the calls since the last time, in any order.
func (f *fixture) expectCalls(want ...string) {
	f.Helper()
	got := f.factory.forgetCalls()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		f.Errorf("the calls were %q, want %q", got, want)
	}
}
