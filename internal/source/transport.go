package source

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/dial"
)

const (
	handshakeTimeout = 10 * time.Second
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
func newStorageClient(privateHosts []string) *http.Client {
	transport := &http.Transport{
		DialContext:         dial.Public(privateHosts),
		TLSHandshakeTimeout: handshakeTimeout,
		IdleConnTimeout:     time.Minute,
		MaxIdleConnsPerHost: 8,
		ReadBufferSize:      readBufferBytes,
		DisableCompression:  true, // objects are read as they are stored
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
	if err != nil {
		return nil, err
	}
	isContent := request.Context().Value(contentKey{}) != nil && response.StatusCode < http.StatusMultipleChoices
	if !isContent {
		response.Body = &cappedBody{ReadCloser: response.Body, left: maxAnswerBytes}
	}
	return response, nil
}

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
