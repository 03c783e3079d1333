package mistral

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxRetryAfter bounds what a server can make its clients wait. A proxy may say a
// day for what is over in a minute, and one call in vain costs next to nothing.
const maxRetryAfter = 15 * time.Minute

// Error is a request that did not get the answer that the protocol describes.
// Its text consists of this package's words and the sanitised code, so that it
// can be shown and logged: never a part of the answer, of the URL or of the key.
type Error struct {
	Operation  string        // the Client's method
	StatusCode int           // 0 when no answer came
	Code       string        // the server's name for the error; empty when it gave none that is safe to show
	RetryAfter time.Duration // 0 when the server did not say; 15 minutes at most
	// OutcomeUnknown is true when a change that was asked for may have been
	// made nevertheless.
	OutcomeUnknown bool

	problem string // what went wrong, unless the status alone says it
	cause   error
}

// Error says what went wrong.
func (e *Error) Error() string {
	problem := e.problem
	if problem == "" {
		problem = "the server answered " + describeStatus(e.StatusCode)
	}
	if e.Code != "" {
		problem += " (" + e.Code + ")"
	}
	return e.Operation + ": " + problem
}

// Unwrap gives the cause of a broken exchange, such as context.DeadlineExceeded.
func (e *Error) Unwrap() error { return e.cause }

func describeStatus(code int) string {
	description := strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
	switch {
	case code >= 300 && code < 400:
		description += ": redirects are not followed, correct the base URL"
	case code == http.StatusUnauthorized:
		description += ": it does not accept the API key"
	case code == http.StatusGone:
		description += ": it no longer offers this operation"
	}
	return description
}

// IsInvalid reports whether the server found the request at fault (400, 422).
func IsInvalid(err error) bool {
	return hasStatus(err, http.StatusBadRequest, http.StatusUnprocessableEntity)
}

// IsUnauthorized reports whether the server did not accept the key (401).
func IsUnauthorized(err error) bool { return hasStatus(err, http.StatusUnauthorized) }

// IsForbidden reports whether the key may not do this (403).
func IsForbidden(err error) bool { return hasStatus(err, http.StatusForbidden) }

// IsNotFound reports whether the server does not know the object (404).
func IsNotFound(err error) bool { return hasStatus(err, http.StatusNotFound) }

// IsConflict reports whether the object's state, or another object like it, is
// in the way (409).
func IsConflict(err error) bool { return hasStatus(err, http.StatusConflict) }

// IsRetired reports whether the server no longer offers the operation (410).
func IsRetired(err error) bool { return hasStatus(err, http.StatusGone) }

// IsTooManyRequests reports whether the key's rate limit was reached (429).
func IsTooManyRequests(err error) bool { return hasStatus(err, http.StatusTooManyRequests) }

// IsUnreadableContent reports whether an upload failed because its content could
// not be read in its announced size. That says nothing of the server.
func IsUnreadableContent(err error) bool {
	var content *contentError
	return errors.As(err, &content)
}

func hasStatus(err error, codes ...int) bool {
	var answer *Error
	if !errors.As(err, &answer) {
		return false
	}
	for _, code := range codes {
		if answer.StatusCode == code {
			return true
		}
	}
	return false
}

// OutcomeUnknown reports whether a change may have been made although the
// request for it failed: its answer was lost, unreadable or no definite refusal.
func OutcomeUnknown(err error) bool {
	var answer *Error
	return errors.As(err, &answer) && answer.OutcomeUnknown
}

// refusal is the error for an answer whose status is not 2xx. Every 4xx but a
// time-out says that nothing was done.
func refusal(r request, response *http.Response, body []byte, now time.Time) *Error {
	status := response.StatusCode
	refused := status >= 400 && status < 500 && status != http.StatusRequestTimeout
	return &Error{
		Operation:      r.operation,
		StatusCode:     status,
		Code:           errorCode(body),
		RetryAfter:     retryAfter(response.Header.Get("Retry-After"), now),
		OutcomeUnknown: r.changes() && !refused,
	}
}

// unreadable is the error for a 2xx answer that cannot be read: what it
// acknowledges was probably done.
func unreadable(r request, status int, problem string, cause error) *Error {
	return &Error{
		Operation:      r.operation,
		StatusCode:     status,
		OutcomeUnknown: r.changes(),
		problem:        problem,
		cause:          cause,
	}
}

// transportError is the error for a request without an answer.
func transportError(ctx context.Context, r request, err error, sent bool) *Error {
	// A url.Error's text has the URL; what it wraps has not.
	var wrapper *url.Error
	if errors.As(err, &wrapper) {
		err = wrapper.Err
	}
	// A context that was cancelled with a cause of its own hides that it ended.
	err = cmp.Or(ctx.Err(), err)
	return &Error{
		Operation:      r.operation,
		OutcomeUnknown: r.changes() && sent && !IsUnreadableContent(err),
		problem:        describeTransport(err, sent),
		cause:          err,
	}
}

func describeTransport(err error, sent bool) string {
	var (
		timeout     net.Error
		certificate *tls.CertificateVerificationError
		name        *net.DNSError
		errno       syscall.Errno
	)
	switch {
	case IsUnreadableContent(err):
		return "the content could not be read in its announced size"
	case errors.Is(err, context.Canceled):
		return "the request was cancelled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "the request timed out"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the base URL says https, but the server speaks HTTP"
	case errors.As(err, &certificate):
		return "the server's certificate is not trusted"
	case errors.As(err, &name):
		return "the server's name could not be resolved"
	case errors.As(err, &errno):
		return fmt.Sprintf("%s: %s", connectionProblem(sent), errno.Error())
	}
	return connectionProblem(sent)
}

func connectionProblem(sent bool) string {
	if sent {
		return "the connection broke before the answer"
	}
	return "could not connect to the server"
}

// safeCode is what a code may look like to be shown.
var safeCode = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// errorCode finds the code in an error's body. Services and gateways use
// several shapes; what is missing or odd in one is looked for in the next.
func errorCode(body []byte) string {
	type coded struct {
		Code json.RawMessage `json:"code"`
		Type json.RawMessage `json:"type"`
	}
	var shape struct {
		coded
		Detail json.RawMessage `json:"detail"`
		Error  json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &shape) != nil {
		return ""
	}
	var details []coded
	var nested coded
	_ = json.Unmarshal(shape.Detail, &details) // a string in another shape
	_ = json.Unmarshal(shape.Error, &nested)

	candidates := []json.RawMessage{shape.Code, shape.Type}
	for _, detail := range details {
		candidates = append(candidates, detail.Type)
	}
	candidates = append(candidates, nested.Code, nested.Type)
	for _, candidate := range candidates {
		if code := scalarText(candidate); safeCode.MatchString(code) {
			return code
		}
	}
	return ""
}

// scalarText is the text of a JSON string or number, and empty for anything else.
func scalarText(data json.RawMessage) string {
	var text string
	if json.Unmarshal(data, &text) == nil {
		return text
	}
	var number json.Number
	_ = json.Unmarshal(data, &number)
	return number.String()
}

// retryAfter reads seconds, which some servers send as a decimal, or an HTTP date.
func retryAfter(header string, now time.Time) time.Duration {
	if header == "" {
		return 0
	}
	var wait time.Duration
	if seconds, err := strconv.ParseFloat(header, 64); err == nil {
		wait = time.Duration(min(max(seconds, 0), maxRetryAfter.Seconds()) * float64(time.Second))
	} else if date, err := http.ParseTime(header); err == nil {
		wait = date.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}
