package faults

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// apiTransport stands between an operator and the API server: all of its reads,
// writes and watches go through here.
type apiTransport struct {
	operator *operator
	next     http.RoundTripper
}

var errLost = errors.New("the connection broke")

// namedObject is the path of one object. Lists and watches of the caches, and
// events, are not counted: they come when they come.
var namedObject = regexp.MustCompile(`/namespaces/[^/]+/([a-z]+/.+)$`)

func (t *apiTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if t.operator.dead.Load() {
		return nil, errCrashed
	}
	if t.operator.world.plane.away.Load() {
		return nil, errLost
	}
	if request.URL.Query().Has("watch") {
		ctx, end := context.WithCancel(request.Context())
		t.operator.world.plane.watches.Store(&ctx, end)
		response, err := t.next.RoundTrip(request.WithContext(ctx))
		if err == nil {
			response.Body = &watchBody{ReadCloser: response.Body, operator: t.operator}
		}
		return response, err
	}
	named := namedObject.FindStringSubmatch(request.URL.Path)
	if named == nil || strings.HasPrefix(named[1], "events/") {
		return t.next.RoundTrip(request)
	}
	f, err := t.operator.begin(apiServer, request, named[1])
	if err != nil {
		return nil, err
	}
	response, err := t.answer(request, f)
	if crashed := t.operator.end(f); crashed != nil {
		if err == nil {
			response.Body.Close()
		}
		return nil, crashed
	}
	return response, err
}

func (t *apiTransport) answer(request *http.Request, f fault) (*http.Response, error) {
	switch f.kind {
	case loseRequest:
		return nil, errLost
	case fail:
		return refuse(request, http.StatusInternalServerError, "InternalError"), nil
	case throttle:
		return refuse(request, http.StatusTooManyRequests, "TooManyRequests"), nil
	case conflict:
		return refuse(request, http.StatusConflict, "Conflict"), nil
	case slow:
		time.Sleep(slowness)
	case staleCache:
		t.operator.world.staleUntil.Store(time.Now().Add(staleness).UnixNano())
	}
	response, err := t.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	switch f.kind {
	case loseAnswer:
		response.Body.Close()
		return nil, errLost
	case failAfter:
		response.Body.Close()
		return refuse(request, http.StatusInternalServerError, "InternalError"), nil
	}
	return response, nil
}

const (
	slowness  = 400 * time.Millisecond
	staleness = 500 * time.Millisecond
)

func refuse(request *http.Request, status int, reason string) *http.Response {
	body := `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"` + reason + `","message":"scripted"}`
	return &http.Response{
		StatusCode: status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  http.Header{"Content-Type": {"application/json"}},
		Body:    io.NopCloser(strings.NewReader(body)),
		Request: request,
	}
}

// watchBody is what a cache learns. It can be held back, so that the cache is stale.
type watchBody struct {
	io.ReadCloser
	operator *operator
}

func (b *watchBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	for until := b.operator.world.staleUntil.Load(); time.Now().UnixNano() < until && !b.operator.dead.Load(); {
		time.Sleep(10 * time.Millisecond)
	}
	if b.operator.dead.Load() {
		return 0, errCrashed
	}
	return n, err
}
