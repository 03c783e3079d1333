package source

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/dial"
)

const (
	handshakeTimeout = 5 * time.Second
	// A page of 1000 names of 1024 bytes with all that is said of them is 2 MiB,
	// and several times that where the names must be escaped.
	maxAnswerBytes = 16 << 20
	// readBufferBytes is for contents: the standard 4 KiB are a system call each.
	readBufferBytes = 64 << 10
)

var errAnswerTooLong = errors.New("answer too long")

// newStorageClient makes the client for everything but the operator's own identity,
// which is asked of metadata addresses. It uses no proxy: behind one it could not
// see where it connects to.
func newStorageClient(options ObjectStorageOptions) *http.Client {
	transport := &http.Transport{
		DialContext:           dial.Public(options.PrivateHosts),
		TLSHandshakeTimeout:   handshakeTimeout,
		ResponseHeaderTimeout: options.Timeout / 3,
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   8,
		ReadBufferSize:        readBufferBytes,
		DisableCompression:    true, // objects are read as they are stored
	}
	return &http.Client{
		Transport:     cappingTransport{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// newIdentityClient makes the client that the SDKs ask for the operator's own
// identity with, at addresses that they and the operator's environment know. What
// they are given is not for a proxy either.
func newIdentityClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	return &http.Client{Transport: transport}
}

// cappingTransport caps the answers that SDKs read whole: all but an object's content.
type cappingTransport struct{ next http.RoundTripper }

type contentKey struct{}

// expectContent marks the requests whose answer is an object's content.
func expectContent(ctx context.Context) context.Context {
	return context.WithValue(ctx, contentKey{}, true)
}

func (t cappingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	if silent, ok := errors.AsType[net.Error](err); ok && silent.Timeout() {
		return nil, &silentError{err}
	}
	if err != nil {
		return nil, err
	}
	isContent := request.Context().Value(contentKey{}) != nil && response.StatusCode < http.StatusMultipleChoices
	if !isContent {
		response.Body = &cappedBody{ReadCloser: response.Body, left: maxAnswerBytes}
	}
	return response, nil
}

// silentError is a server that does not connect or answer in time. The SDKs ask it,
// each in its own way, whether to try again: whoever waited that long has waited
// enough, and the reconciler comes back. It hides what would tell them otherwise.
type silentError struct{ error }

func (e *silentError) RetryableError() bool { return false } // Amazon's
func (e *silentError) Temporary() bool      { return false } // Google's
func (e *silentError) NonRetriable()        {}               // Azure's

type cappedBody struct {
	io.ReadCloser
	left int
}

func (b *cappedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, errAnswerTooLong
	}
	return n, err
}
