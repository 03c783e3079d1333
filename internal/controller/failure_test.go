package controller

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/iotest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/dial"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestFailuresAreJudgedByTheirStatus(t *testing.T) {
	answered := func(status int) error { return &mistral.Error{Operation: "CreateJob", StatusCode: status} }
	for _, test := range []struct {
		err    error
		class  failureClass
		reason string
		why    string
	}{
		{answered(http.StatusBadRequest), terminal, classifierv1alpha1.ReasonRejected, "the same request gets the same answer"},
		{answered(http.StatusNotFound), terminal, classifierv1alpha1.ReasonRejected, "a model or file that is not there does not come by itself"},
		{answered(http.StatusGone), terminal, classifierv1alpha1.ReasonFactoryRetired, "a retired route stays retired"},
		{answered(http.StatusRequestEntityTooLarge), terminal, classifierv1alpha1.ReasonRejected, "the file does not shrink"},
		{answered(http.StatusUnprocessableEntity), terminal, classifierv1alpha1.ReasonRejected, "the request must change"},
		{answered(http.StatusUnauthorized), slow, classifierv1alpha1.ReasonUnauthorized, "somebody must correct the key"},
		{answered(http.StatusPaymentRequired), slow, classifierv1alpha1.ReasonForbidden, "somebody must pay, and no event tells that"},
		{answered(http.StatusForbidden), slow, classifierv1alpha1.ReasonForbidden, "somebody must grant it, and no event tells that"},
		{answered(http.StatusRequestTimeout), retryable, classifierv1alpha1.ReasonUnreachable, "it may go faster"},
		{answered(http.StatusConflict), retryable, classifierv1alpha1.ReasonRejected, "what stands in the way may end"},
		{answered(http.StatusTooEarly), retryable, classifierv1alpha1.ReasonUnreachable, "it says so"},
		{answered(http.StatusTooManyRequests), retryable, classifierv1alpha1.ReasonRateLimited, "it is not fatal, only too soon"},
		{answered(http.StatusInternalServerError), retryable, classifierv1alpha1.ReasonUnreachable, "servers recover"},
		{answered(http.StatusServiceUnavailable), retryable, classifierv1alpha1.ReasonUnreachable, "servers recover"},
		{answered(http.StatusTeapot), retryable, classifierv1alpha1.ReasonUnreachable, "what is not known is retried"},
		{answered(0), retryable, classifierv1alpha1.ReasonUnreachable, "no answer came"},
		{answered(http.StatusOK), retryable, classifierv1alpha1.ReasonUnreachable, "an answer that is not of the protocol is a proxy's, mostly"},
		{fmt.Errorf("wrapped: %w", answered(http.StatusGone)), terminal, classifierv1alpha1.ReasonFactoryRetired, "wrapping changes nothing"},
		{&connection.ClosedError{RetryAfter: time.Second}, retryable, classifierv1alpha1.ReasonRateLimited, "the budget fills up again"},
		{&connection.ClosedError{RetryAfter: time.Second, Cause: answered(http.StatusUnauthorized)}, slow, classifierv1alpha1.ReasonUnauthorized, "a call that was not made fails as the last one did"},
		{&secretError{classifierv1alpha1.ReasonConnectionNotFound, "no Secret"}, slow, classifierv1alpha1.ReasonConnectionNotFound, "Secrets are not watched"},
		{fmt.Errorf("dialing: %w", dial.ErrRefused), slow, classifierv1alpha1.ReasonAddressRefused, "only another address or flag helps"},
		{errImportMismatch, terminal, classifierv1alpha1.ReasonImportMismatch, "a job stays what it is"},
		{unreadableContent(t), retryable, classifierv1alpha1.ReasonInternalError, "the disk is the operator's own"},
		{errors.New("etcd says no to token hunter2"), retryable, classifierv1alpha1.ReasonInternalError, "the cluster recovers"},
	} {
		got := classify(test.err)
		if got.class != test.class || got.reason != test.reason {
			t.Errorf("%v: got class %d and %s, want %d and %s, because %s", test.err, got.class, got.reason, test.class, test.reason, test.why)
		}
		if got.message == "" || got.message == "etcd says no to token hunter2" {
			t.Errorf("%v: the message is %q", test.err, got.message)
		}
	}
}

func TestFailedStepsEndThePass(t *testing.T) {
	limited := &mistral.Error{StatusCode: http.StatusTooManyRequests, RetryAfter: 7 * time.Second}
	for _, test := range []struct {
		err     error
		verdict verdict
		after   time.Duration
		backOff bool
		why     string
	}{
		{apierrors.NewConflict(schema.GroupResource{}, "x", nil), waits, time.Second, false, "a conflict is no failure"},
		{context.Canceled, waits, time.Second, false, "the operator's end is no failure"},
		{limited, waits, 7 * time.Second, true, "Retry-After is obeyed"},
		{&mistral.Error{StatusCode: http.StatusBadGateway}, waits, 0, true, "without it the queue backs off"},
		{&mistral.Error{StatusCode: http.StatusUnauthorized}, waits, credentialRecheck, false, "the Secret is read again"},
		{&mistral.Error{StatusCode: http.StatusGone}, stops, credentialRecheck, false, "another Secret may name another server"},
	} {
		got := failed(test.err)
		if got.verdict != test.verdict || got.after != test.after || (got.err != nil) != test.backOff {
			t.Errorf("%v: got %+v, because %s", test.err, got, test.why)
		}
	}
}

// unreadableContent is an upload of which the content could not be read.
func unreadableContent(t *testing.T) error {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	client, err := mistral.NewClient(mistral.Config{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.UploadFile(t.Context(), mistral.Upload{Filename: "a.jsonl", Size: 5, Content: iotest.ErrReader(errors.New("disk on fire"))})
	return err
}
