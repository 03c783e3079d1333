package faults

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// proxy stands between the operators and the factory.
type proxy struct {
	real http.Handler
	// lagTime is for how long a lagging list does not show what was created.
	lagTime time.Duration

	lives     atomic.Int64 // of operators that ever used it
	operators sync.Map     // *operator by its name

	mu      sync.Mutex
	started []string          // IDs of jobs, one for each start that the factory accepted
	seen    map[string][]byte // the first answer to each request for reading
	minted  []string          // keys
}

// mintedKeys are all that the factory made, whether anybody learnt of them or not.
func (p *proxy) mintedKeys() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.minted)
}

// hangTime is short, because the time-outs of calls are in real time.
const hangTime = 400 * time.Millisecond

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	life, ok := p.operators.Load(r.UserAgent())
	if !ok { // the test itself
		p.real.ServeHTTP(w, r)
		return
	}
	operator := life.(*operator)
	f, err := operator.begin(remote, r, r.URL.Path)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	p.answer(w, r, operator, f)
}

func (p *proxy) answer(w http.ResponseWriter, r *http.Request, operator *operator, f fault) {
	switch f.kind {
	case loseRequest:
		panic(http.ErrAbortHandler)
	case fail:
		http.Error(w, `{"detail":"scripted"}`, http.StatusInternalServerError)
		return
	case throttle, throttleFor:
		if f.kind == throttleFor {
			w.Header().Set("Retry-After", "2")
		}
		http.Error(w, `{"detail":"scripted"}`, http.StatusTooManyRequests)
		return
	case htmlError:
		sendHTML(w, http.StatusBadGateway)
		return
	case htmlPage:
		sendHTML(w, http.StatusOK)
		return
	case slow:
		time.Sleep(slowness)
	}
	answer := p.perform(r)
	if operator.end(f) != nil {
		panic(http.ErrAbortHandler)
	}
	switch f.kind {
	case loseAnswer:
		panic(http.ErrAbortHandler)
	case hang:
		time.Sleep(hangTime)
		panic(http.ErrAbortHandler)
	case failAfter:
		http.Error(w, `{"detail":"scripted"}`, http.StatusInternalServerError)
		return
	}
	body := p.distort(r, answer.Body.Bytes(), f)
	w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
	if f.kind == breakAnswer {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body)
}

// perform lets the factory do what is asked for, and keeps count of starts and keys.
func (p *proxy) perform(r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	p.real.ServeHTTP(answer, r)
	if path, isStart := strings.CutSuffix(r.URL.Path, "/start"); isStart && answer.Code == http.StatusOK {
		p.mu.Lock()
		p.started = append(p.started, path[strings.LastIndex(path, "/")+1:])
		p.mu.Unlock()
	}
	var created struct{ Key string }
	if r.URL.Path == "/v1/keys" && json.Unmarshal(answer.Body.Bytes(), &created) == nil && created.Key != "" {
		p.mu.Lock()
		p.minted = append(p.minted, created.Key)
		p.mu.Unlock()
	}
	return answer
}

func sendHTML(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("<html><body><h1>Something else</h1></body></html>"))
}

// distort makes an answer untrue.
func (p *proxy) distort(r *http.Request, body []byte, f fault) []byte {
	switch f.kind {
	case truncate:
		return body[:len(body)/2]
	case staleAnswer:
		return p.firstAnswer(r, body)
	case lag, duplicate, nullField, missingField, oddStatus:
		var message map[string]any
		if json.Unmarshal(body, &message) != nil {
			return body
		}
		p.distortMessage(message, f)
		body, _ = json.Marshal(message)
	}
	p.firstAnswer(r, body)
	return body
}

// firstAnswer is what a replica says of one job that has not heard of it since.
func (p *proxy) firstAnswer(r *http.Request, body []byte) []byte {
	if r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, "/v1/fine_tuning/jobs/") {
		return body
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.seen[r.URL.Path]; !ok {
		p.seen[r.URL.Path] = body
	}
	return p.seen[r.URL.Path]
}

func isKey(list []any) bool { return len(list) > 0 && list[0].(map[string]any)["object"] == "key" }

// shortLag is less than the grace that a creation is given.
const shortLag = 30 * time.Second

func (p *proxy) distortMessage(message map[string]any, f fault) {
	list, isList := message["data"].([]any)
	switch f.kind {
	case lag:
		// The factory's own list of keys is never old: no other server has one.
		if isList && !isKey(list) {
			message["data"] = slices.DeleteFunc(list, func(entry any) bool {
				created, _ := entry.(map[string]any)["created_at"].(float64)
				return worldClock.Since(time.Unix(int64(created), 0)) < p.lagTime
			})
		}
	case duplicate:
		if isList {
			message["data"] = slices.Concat(list, list)
		}
	case nullField, missingField:
		if isList && len(list) > 0 {
			message = list[f.pick%len(list)].(map[string]any)
		}
		fields := slices.Sorted(maps.Keys(message))
		if len(fields) == 0 {
			return
		}
		field := fields[f.pick%len(fields)]
		if message[field] = nil; f.kind == missingField {
			delete(message, field)
		}
	case oddStatus:
		if isList && len(list) > 0 {
			message = list[f.pick%len(list)].(map[string]any)
		}
		if _, ok := message["status"]; ok {
			message["status"] = "DREAMING"
		}
	}
}
