package source

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"code.dny.dev/ssrf"
)

func TestAddresses(t *testing.T) {
	dial := dialer([]string{"minio.example", "127.0.0.1", "::1"})
	for _, test := range []struct {
		reason  string
		address string
		want    error
	}{
		{"the metadata of most clouds", "169.254.169.254:80", ssrf.ErrProhibitedIP},
		{"the metadata of most clouds as IPv6", "[::ffff:169.254.169.254]:80", ssrf.ErrProhibitedIP},
		{"credentials of containers at Amazon", "169.254.170.2:80", ssrf.ErrProhibitedIP},
		{"link-local", "[fe80::1]:80", ssrf.ErrProhibitedIP},
		{"Amazon's metadata over IPv6", "[fd00:ec2::254]:80", errMetadataAddress},
		{"Azure's", "168.63.129.16:80", errMetadataAddress},
		{"Alibaba's", "100.100.100.200:80", errMetadataAddress},
		{"loopback that is not named", "127.0.0.2:9", ssrf.ErrProhibitedIP},
		{"a name of loopback that is not named", "localhost:9", ssrf.ErrProhibitedIP},
		{"private", "10.0.0.1:443", ssrf.ErrProhibitedIP},
		{"private IPv6", "[fd12:3456::1]:443", ssrf.ErrProhibitedIP},
		{"this machine", "0.0.0.0:9", ssrf.ErrProhibitedIP},
	} {
		_, err := dial(t.Context(), "tcp", test.address)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.reason, err, test.want)
		}
	}
}

// Being named opens private addresses, never those that give credentials away.
func TestAddressesOfNamedHosts(t *testing.T) {
	hosts := []string{"10.1.2.3", "169.254.169.254", "fd00:ec2::254", "168.63.129.16", "100.100.100.200"}
	dial := dialer(hosts)
	for _, host := range hosts[1:] {
		_, err := dial(t.Context(), "tcp", joinPort(host))
		if !errors.Is(err, ssrf.ErrProhibitedIP) && !errors.Is(err, errMetadataAddress) {
			t.Errorf("%s: got %v", host, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nothing is there: only whether it would be tried matters
	if _, err := dial(ctx, "tcp", "10.1.2.3:80"); errors.Is(err, ssrf.ErrProhibitedIP) {
		t.Errorf("a named host at a private address: got %v", err)
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	connection, err := dialer([]string{"LocalHost"})(t.Context(), "tcp", strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "localhost", 1))
	if err != nil {
		t.Fatalf("a named host at loopback: %v", err)
	}
	_ = connection.Close()
}

func joinPort(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]:80"
	}
	return host + ":80"
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
	}))
	defer server.Close()
	response, err := newStorageClient([]string{"127.0.0.1"}).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusFound {
		t.Errorf("got status %d", response.StatusCode)
	}
}

func TestAnswersAreCapped(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/failure" {
			w.WriteHeader(http.StatusForbidden)
		}
		piece := make([]byte, 1<<20)
		for range maxAnswerBytes>>20 + 1 {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	for _, test := range []struct {
		reason string
		path   string
		ctx    context.Context
		want   error
	}{
		{"an answer", "/", t.Context(), errAnswerTooLong},
		{"an object's content is as long as the object", "/", expectContent(t.Context()), nil},
		{"the reason why there is no content", "/failure", expectContent(t.Context()), errAnswerTooLong},
	} {
		request, err := http.NewRequestWithContext(test.ctx, http.MethodGet, server.URL+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := newStorageClient([]string{"127.0.0.1"}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.reason, err, test.want)
		}
		_ = response.Body.Close()
	}
}
