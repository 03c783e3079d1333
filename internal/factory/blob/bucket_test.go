package blob

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob/buckettest"
)

// TestDamagedObjectsAreTold as damaged files are.
func TestDamagedObjectsAreTold(t *testing.T) {
	at := Location{Directory: t.TempDir(), URL: buckettest.S3(t)}
	s := opened(t, at)
	sound := bytes.Repeat([]byte("0123456789"), 20_000)
	flipped := bytes.Clone(sound)
	flipped[len(flipped)/2] ^= 1
	for _, test := range []struct {
		reason string
		bytes  []byte
	}{
		{"a flipped bit", flipped},
		{"cut off", sound[:len(sound)-1]},
		{"grown", append(bytes.Clone(sound), 'x')},
		{"nothing left of it", nil},
	} {
		digest := keep(t, s, sound) // which puts right what was damaged before
		if read, err := readAll(s, digest); err != nil || !bytes.Equal(read, sound) {
			t.Errorf("%s: before: %v", test.reason, err)
		}
		if err := os.WriteFile(buckettest.Path(t, at.URL, "blobs/"+digest), test.bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readAll(s, digest)
		if found, ok := errors.AsType[*DamagedError](err); !ok || found.Digest != digest || found.Missing {
			t.Errorf("%s: %v", test.reason, err)
		}
	}
}

// proxied puts a server before S3 that can misbehave, and opens a bucket behind it.
func proxied(t *testing.T, misbehave func(w http.ResponseWriter, r *http.Request, next http.Handler)) *Bucket {
	t.Helper()
	address := buckettest.S3(t)
	gateway, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { // the signature is of the host's name
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = gateway.Scheme, gateway.Host, r.In.Host
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { misbehave(w, r, proxy) }))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	b := opened(t, Location{Directory: t.TempDir(), URL: address}).(*Bucket)
	b.patience = 10 * time.Second
	return b
}

// cutOff is an answer that ends in its midst.
type cutOff struct {
	http.ResponseWriter
	left int
}

func (w *cutOff) Write(data []byte) (int, error) {
	if w.left -= len(data); w.left < 0 {
		panic(http.ErrAbortHandler)
	}
	return w.ResponseWriter.Write(data)
}

// TestReadingGoesOn where a connection was lost.
func TestReadingGoesOn(t *testing.T) {
	var lose atomic.Bool
	var ranges atomic.Int64
	b := proxied(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodGet && lose.Load() && strings.Contains(r.URL.Path, "/blobs/") {
			ranges.Add(1)
			w = &cutOff{w, 700_000}
		}
		next.ServeHTTP(w, r)
	})
	data := bytes.Repeat([]byte("0123456789"), 200_000)
	digest := keep(t, b, data)
	lose.Store(true)
	if read, err := readAll(b, digest); err != nil || !bytes.Equal(read, data) || ranges.Load() < 3 {
		t.Errorf("%d bytes after %d requests, %v", len(read), ranges.Load(), err)
	}
}

// TestABucketThatIsAway is no fault of the bytes: it is waited for, and then said.
func TestABucketThatIsAway(t *testing.T) {
	var away atomic.Value
	away.Store("")
	release := make(chan struct{})
	b := proxied(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		switch away.Load() {
		case "failing":
			http.Error(w, "", http.StatusServiceUnavailable)
		case "refusing":
			http.Error(w, "", http.StatusForbidden)
		case "silent":
			select {
			case <-release:
			case <-r.Context().Done():
			}
		case "gone":
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `<Error><Code>NoSuchBucket</Code></Error>`)
		default:
			next.ServeHTTP(w, r)
		}
	})
	t.Cleanup(func() { close(release) })
	digest := keep(t, b, []byte("bytes"))
	b.patience = 300 * time.Millisecond
	for _, how := range []string{"failing", "refusing", "silent", "gone"} {
		away.Store(how)
		asked := map[string]func() error{
			"reading": func() error { _, err := readAll(b, digest); return err },
			"listing": func() error { _, err := b.Digests(); return err },
			"writing": func() error { return b.WriteNote("note", []byte("x")) },
			"sending": func() error { return name(b, []byte("other bytes")) },
		}
		for what, ask := range asked {
			err := ask()
			if !errors.As(err, new(*UnavailableError)) || errors.As(err, new(*DamagedError)) || !strings.Contains(err.Error(), "s3://factory/") {
				t.Errorf("%s, while it is %s: %v", what, how, err)
			}
		}
	}
	b.patience = 10 * time.Second
	away.Store("failing")
	time.AfterFunc(300*time.Millisecond, func() { away.Store("") })
	if read, err := readAll(b, digest); err != nil || string(read) != "bytes" {
		t.Errorf("when it is back: %q, %v", read, err)
	}
}

// name stores bytes.
func name(s Store, data []byte) error {
	staged, err := s.Stage()
	if err != nil {
		return err
	}
	defer staged.Discard()
	if _, err := staged.Write(data); err != nil {
		return err
	}
	digest, err := staged.Sync()
	if err != nil {
		return err
	}
	return staged.Name(digest)
}

// TestWhatIsCutOffHasNoName: neither of one request nor of several parts.
func TestWhatIsCutOffHasNoName(t *testing.T) {
	var cut atomic.Bool
	b := proxied(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if cut.Load() && r.Method != http.MethodGet && r.Method != http.MethodDelete {
			_, _ = io.CopyN(io.Discard, r.Body, 1000)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
	cut.Store(true)
	b.patience = 300 * time.Millisecond
	for _, size := range []int{100_000, 20 << 20} {
		if err := name(b, make([]byte, size)); !errors.As(err, new(*UnavailableError)) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	cut.Store(false)
	if found, err := b.Digests(); err != nil || len(found) > 0 {
		t.Errorf("Digests() = %v, %v", found, err)
	}
}

// TestAFullBucketIsAFullDisk to whoever sends bytes.
func TestAFullBucketIsAFullDisk(t *testing.T) {
	var full atomic.Bool
	b := proxied(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if full.Load() && r.Method == http.MethodPut {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `<Error><Code>QuotaExceeded</Code></Error>`)
			return
		}
		next.ServeHTTP(w, r)
	})
	full.Store(true)
	if err := name(b, []byte("bytes")); !errors.Is(err, errFull) {
		t.Errorf("Name() = %v", err)
	}
}

// TestBucketsThatCannotBeUsed are refused at once, with what to look at and no secret.
func TestBucketsThatCannotBeUsed(t *testing.T) {
	address := buckettest.S3(t)
	for _, test := range []struct{ reason, url, key string }{
		{"there is none", "s3://another", os.Getenv("AWS_SECRET_ACCESS_KEY")},
		{"another key", address, "geheim"},
	} {
		t.Setenv("AWS_SECRET_ACCESS_KEY", test.key)
		_, err := Location{Directory: t.TempDir(), URL: test.url}.Open(t.Context(), true)
		if err == nil || !strings.Contains(err.Error(), "see that --blob-url names a bucket") || strings.Contains(err.Error(), "geheim") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", test.reason, err)
		}
	}
}
