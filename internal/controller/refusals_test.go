package controller

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	testclock "k8s.io/utils/clock/testing"

	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestRefusedCallsAreRemembered holds how long a call is not repeated.
func TestRefusedCallsAreRemembered(t *testing.T) {
	answered := func(operation string, status int) error {
		return &mistral.Error{Operation: operation, StatusCode: status}
	}
	for _, test := range []struct {
		err   error
		pause time.Duration
		why   string
	}{
		{nil, 0, "what came through is no refusal"},
		{answered("CreateJob", http.StatusUnprocessableEntity), terminalRetry, "the same request gets the same answer until the factory is upgraded"},
		{answered("CreateJob", http.StatusNotFound), terminalRetry, "a model that is not there does not come by itself"},
		{answered("CreateJob", http.StatusForbidden), slowRetry, "somebody may grant it"},
		{answered("ListFiles", http.StatusNotFound), slowRetry, "every factory has this route: what answered was none"},
		{answered("UploadFile", http.StatusNotFound), slowRetry, "every factory has this route: what answered was none"},
		{answered("ListJobs", http.StatusNotFound), slowRetry, "every factory has this route: what answered was none"},
		{answered("CreateJob", http.StatusServiceUnavailable), 0, "the queue backs off"},
		{answered("CreateJob", http.StatusConflict), 0, "the other may end"},
		{&connection.ClosedError{RetryAfter: time.Second}, 0, "the call was not made"},
		{errors.New("of the cluster"), 0, "it says nothing of the factory"},
	} {
		now := testclock.NewFakeClock(time.Unix(1e9, 0))
		refused := newRefusals(now)
		if got := refused.learn("object", "request", test.err); !errors.Is(got, test.err) {
			t.Errorf("%v came back as %v", test.err, got)
		}
		if test.pause > 0 {
			now.SetTime(now.Now().Add(test.pause))
			if got := refused.check("object", "request"); !errors.Is(got, test.err) {
				t.Errorf("%v is forgotten before %s: %s", test.err, test.pause, test.why)
			}
		}
		now.SetTime(now.Now().Add(time.Second))
		if got := refused.check("object", "request"); got != nil {
			t.Errorf("%v is remembered longer than %s: %s", test.err, test.pause, test.why)
		}
	}
}

// TestRefusalsConcernOneCallOfOneObject holds what ends a refusal before its time.
func TestRefusalsConcernOneCallOfOneObject(t *testing.T) {
	refusal := &mistral.Error{Operation: "CreateJob", StatusCode: http.StatusUnprocessableEntity}
	for _, test := range []struct {
		name    string
		object  types.UID
		request string
		then    func(*refusals)
		known   bool
	}{
		{"the same call", "object", "request", func(*refusals) {}, true},
		{"another call of the object", "object", "another", func(*refusals) {}, false},
		{"the same call of another object", "another", "request", func(*refusals) {}, false},
		{"after it came through", "object", "request", func(r *refusals) { _ = r.learn("object", "request", nil) }, false},
		{"after it failed for a moment's reason", "object", "request", func(r *refusals) {
			_ = r.learn("object", "request", &mistral.Error{StatusCode: http.StatusBadGateway})
		}, false},
		{"after the object went", "object", "request", func(r *refusals) { r.forget("object") }, false},
		{"after another object went", "object", "request", func(r *refusals) { r.forget("another") }, true},
	} {
		refused := newRefusals(testclock.NewFakeClock(time.Unix(1e9, 0)))
		_ = refused.learn("object", "request", refusal)
		test.then(refused)
		if got := refused.check(test.object, test.request); (got != nil) != test.known {
			t.Errorf("%s: got %v, known: %t", test.name, got, test.known)
		}
	}
}

// TestRefusalsOfLostObjectsAreForgotten refuses a call of each of many objects that
// go without a finalizer, as imported jobs do.
func TestRefusalsOfLostObjectsAreForgotten(t *testing.T) {
	now := testclock.NewFakeClock(time.Unix(1e9, 0))
	refused := newRefusals(now)
	for object := range 100 {
		_ = refused.learn(types.UID(fmt.Sprint(object)), "request", &mistral.Error{StatusCode: http.StatusNotFound})
		now.SetTime(now.Now().Add(terminalRetry / 10))
	}
	if got := len(refused.entries); got > 12 {
		t.Errorf("%d objects are remembered", got)
	}
}
