package controller

import (
	"context"
	"errors"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/dial"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// credentialRecheck is how often a connection's Secret is read while its key is
// refused. Secrets are not watched, so this is how a corrected one is noticed.
const credentialRecheck = 10 * time.Second

// failureClass says what becomes of a call that failed.
type failureClass int

const (
	retryable failureClass = iota // by itself, less and less often
	slow                          // when a credential changes, or once a minute
	terminal                      // not before the spec, an input or a credential changes
)

// failure is what an error means. Its message is safe to show.
type failure struct {
	class      failureClass
	reason     string
	message    string
	retryAfter time.Duration
}

// classify is the one place where errors are judged. What is not known is retried.
func classify(err error) failure {
	var (
		closed   *connection.ClosedError
		remote   *mistral.Error
		unusable *secretError
		result   failure
	)
	switch {
	case errors.Is(err, dial.ErrRefused):
		return failure{class: slow, reason: classifierv1alpha1.ReasonAddressRefused,
			message: "the factory is at a private or loopback address, to which the operator connects only if its flag --factory-private-hosts names the host"}
	case errors.As(err, &remote) && remote.StatusCode == http.StatusNotFound && collections[remote.Operation]:
		return failure{class: slow, reason: classifierv1alpha1.ReasonUnreachable,
			message: remote.Error() + "; is the connection's uri that of a factory?"}
	case errors.As(err, &remote) && !mistral.IsUnreadableContent(err):
		result.class, result.reason = classifyStatus(remote.StatusCode)
		result.message = remote.Error()
		result.retryAfter = remote.RetryAfter
	case errors.Is(err, errImportMismatch):
		return failure{class: terminal, reason: classifierv1alpha1.ReasonImportMismatch, message: err.Error()}
	case errors.Is(err, connection.ErrNoFactory):
		return failure{class: slow, reason: classifierv1alpha1.ReasonUnreachable, message: err.Error()}
	case errors.As(err, &unusable):
		return failure{class: slow, reason: unusable.reason, message: unusable.message}
	case errors.As(err, &closed):
		result = failure{class: retryable, reason: classifierv1alpha1.ReasonRateLimited,
			message: "waiting for its turn: others call the factory first, within the operator's own limit"}
	default:
		// Errors of the cluster can repeat parts of objects: they go to the log, not into a status.
		return failure{class: retryable, reason: classifierv1alpha1.ReasonInternalError,
			message: "the operator met an error of its own or of the cluster; its log says more"}
	}
	if errors.As(err, &closed) {
		result.retryAfter = closed.RetryAfter
	}
	return result
}

// collections are calls that every factory knows: their 404 comes from something
// else that answers at its address.
var collections = map[string]bool{"ListFiles": true, "UploadFile": true, "ListJobs": true}

func classifyStatus(status int) (failureClass, string) {
	switch status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return terminal, classifierv1alpha1.ReasonRejected
	case http.StatusGone:
		return terminal, classifierv1alpha1.ReasonFactoryRetired
	case http.StatusUnauthorized:
		return slow, classifierv1alpha1.ReasonUnauthorized
	case http.StatusPaymentRequired, http.StatusForbidden:
		return slow, classifierv1alpha1.ReasonForbidden
	case http.StatusConflict:
		return retryable, classifierv1alpha1.ReasonRejected
	case http.StatusTooManyRequests:
		return retryable, classifierv1alpha1.ReasonRateLimited
	}
	return retryable, classifierv1alpha1.ReasonUnreachable
}

// concernsConnection tells a factory that cannot be used from one that answered
// and refused the one request.
func (f failure) concernsConnection() bool {
	return f.reason != classifierv1alpha1.ReasonRejected
}

const (
	// shortWait is how long an object may wait for its turn before its status speaks of
	// it: of many objects that are applied together most wait for some moments, and each
	// word is a write.
	shortWait = time.Minute
	// arrival is how long what is applied together may take to arrive.
	arrival = 5 * time.Second
)

// queued waits for the object's turn, which wakes it. Nothing was learnt before it.
func queued(closed *connection.ClosedError, judged failure) outcome {
	result := wait(0, judged.reason, judged.message)
	if closed.Cause != nil {
		return result
	}
	return result.briefly(shortWait - closed.Waited)
}

// failed is the outcome of a step that returned an error.
func failed(err error) outcome {
	if apierrors.IsConflict(err) || errors.Is(err, context.Canceled) {
		// Somebody else wrote first, or the operator ends: nothing worth a word.
		return outcome{verdict: waits, after: time.Second, reason: classifierv1alpha1.ReasonProgressing, message: "the object changed meanwhile"}
	}
	judged := classify(err)
	if closed, ok := errors.AsType[*connection.ClosedError](err); ok && closed.Queued {
		return queued(closed, judged)
	}
	switch judged.class {
	case terminal:
		return stop(judged.reason, judged.message).looksAgain(credentialRecheck)
	case slow:
		return wait(credentialRecheck, judged.reason, judged.message)
	}
	result := wait(judged.retryAfter, judged.reason, judged.message)
	result.err = err
	return result
}
