package source

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

const (
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 10 * time.Second
	// A page of 1000 names of 1024 bytes with all that is said of them is 2 MiB,
	// and several times that where the names must be escaped.
	maxAnswerBytes = 16 << 20
	// readBufferBytes is for contents: the standard 4 KiB are a system call each.
	readBufferBytes = 64 << 10
)

var (
	errMetadataAddress = errors.New("address of cloud metadata")
	errAnswerTooLong   = errors.New("answer too long")
)

// metadataAddresses give credentials to whoever asks from inside a cloud, and are
// not in the link-local range, where the others are.
var metadataAddresses = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),   // Amazon
	netip.MustParseAddr("fd20:ce::254"),    // Google
	netip.MustParseAddr("168.63.129.16"),   // Azure
	netip.MustParseAddr("100.100.100.200"), // Alibaba
}

// newStorageClient makes the client for everything but the operator's own identity,
// which is asked of metadata addresses. It uses no proxy: behind one it could not
// see where it connects to.
func newStorageClient(privateHosts []string) *http.Client {
	transport := &http.Transport{
		DialContext:         dialer(privateHosts),
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

// dialer decides when the address is known: a name may stand for any.
func dialer(privateHosts []string) func(ctx context.Context, network, address string) (net.Conn, error) {
	anywhere := ssrf.New(ssrf.WithAnyPort(),
		ssrf.WithAllowedV4Prefixes(
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
			netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("127.0.0.0/8")),
		ssrf.WithAllowedV6Prefixes(netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("::1/128")))
	private := &net.Dialer{Timeout: dialTimeout, Control: control(anywhere)}
	public := &net.Dialer{Timeout: dialTimeout, Control: control(ssrf.New(ssrf.WithAnyPort()))}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(address)
		isHost := func(private string) bool { return strings.EqualFold(private, host) }
		if slices.ContainsFunc(privateHosts, isHost) {
			return private.DialContext(ctx, network, address)
		}
		return public.DialContext(ctx, network, address)
	}
}

func control(guardian *ssrf.Guardian) func(network, address string, connection syscall.RawConn) error {
	return func(network, address string, connection syscall.RawConn) error {
		if at, err := netip.ParseAddrPort(address); err == nil && slices.Contains(metadataAddresses, at.Addr().Unmap()) {
			return errMetadataAddress
		}
		return guardian.Safe(network, address, connection)
	}
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
