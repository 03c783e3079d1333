package faults

import (
	"fmt"
	"net/http"
	"net/url"
)

// target is who an operator talks to.
type target string

const (
	apiServer target = "Kubernetes"
	remote    target = "factory"
)

// call is one request of an operator.
type call struct {
	to     target
	method string
	path   string // without the namespace, and with ID in place of IDs
	query  url.Values
	number int // among the calls to the same target, from 1
	repeat int // among those with the same method and path, from 1
}

func (c call) String() string { return fmt.Sprintf("%s %s %s", c.to, c.method, c.path) }

// changes reports whether the call is to change something.
func (c call) changes() bool { return c.method != http.MethodGet }

// fault is what becomes of a call instead of what should.
type fault struct {
	kind kind
	// pick decides between what a kind leaves open, such as which field is missing.
	pick int
}

type kind string

// Faults of both targets.
const (
	none        kind = ""
	crashBefore kind = "crash before"
	crashAfter  kind = "crash after" // it is done, but the operator never learns of it
	loseRequest kind = "lose request"
	loseAnswer  kind = "lose answer"
	fail        kind = "fail"            // 500, and nothing is done
	failAfter   kind = "fail after"      // 500, although it is done
	throttle    kind = "throttle"        // 429
	throttleFor kind = "throttle for 2s" // 429 with Retry-After
	slow        kind = "slow"
)

// Faults of the API server.
const (
	conflict   kind = "conflict"    // 409, and nothing is done
	staleCache kind = "stale cache" // watches say nothing new for a while
)

// Faults of the factory.
const (
	breakAnswer  kind = "break answer"    // the connection is reset in the middle of the body
	truncate     kind = "truncate answer" // the body ends too soon
	htmlError    kind = "HTML error"      // of a gateway, and nothing is done
	htmlPage     kind = "HTML page"       // with status 200, of somebody else altogether
	hang         kind = "hang"            // it is done, and the connection ends long after
	lag          kind = "lag"             // lists do not show what was created lately
	duplicate    kind = "duplicate"       // lists show everything twice
	nullField    kind = "null field"
	missingField kind = "missing field"
	oddStatus    kind = "odd status" // a state that no version of the protocol knows
	staleAnswer  kind = "stale answer"
)

var (
	kindsOfAPIServer = []kind{crashBefore, crashAfter, loseRequest, loseAnswer, fail, failAfter, throttle, slow, conflict, staleCache}
	kindsOfRemote    = []kind{crashBefore, crashAfter, loseRequest, loseAnswer, fail, failAfter, throttle, throttleFor, slow,
		breakAnswer, truncate, htmlError, htmlPage, hang, lag, duplicate, nullField, missingField, oddStatus, staleAnswer}
)

// begin counts a call and says what is to become of it. An error is a crash.
func (o *operator) begin(to target, request *http.Request, path string) (fault, error) {
	if o.dead.Load() {
		return fault{}, errCrashed
	}
	f := o.world.judge(o.world.count(call{
		to: to, method: request.Method, path: anyID.ReplaceAllString(path, "ID"), query: request.URL.Query(),
	}))
	if f.kind == crashBefore {
		o.crash()
		return f, errCrashed
	}
	return f, nil
}

func (w *world) count(made call) call {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[string(made.to)]++
	w.calls[made.String()]++
	made.number, made.repeat = w.calls[string(made.to)], w.calls[made.String()]
	return made
}

// end lets a crash happen after a call was made.
func (o *operator) end(f fault) error {
	if f.kind == crashAfter {
		o.crash()
	}
	if o.dead.Load() {
		return errCrashed
	}
	return nil
}

// made is how many calls were made to a target.
func (w *world) made(to target) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[string(to)]
}
