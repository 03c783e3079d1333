package storage

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/source"
)

// line is what is between the operator and a store.
type line struct {
	bytesPerSecond atomic.Int64 // 0: as many as there are
}

// behind gives the store as it is seen through a line.
func (s *store) behind(t *testing.T, line *line) *store {
	t.Helper()
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: s.address})
			if s.scheme == "s3" {
				r.Out.Host = r.In.Host // it is signed
			}
		},
		ModifyResponse: func(response *http.Response) error {
			response.Body = slowBody{response.Body, line}
			return nil
		},
		FlushInterval: -1,
	}
	server := httptest.NewServer(forward)
	t.Cleanup(server.Close)
	seen := *s
	address := strings.TrimPrefix(server.URL, "http://")
	move := func(text string) string { return strings.ReplaceAll(text, s.address, address) }
	seen.endpoint, seen.google, seen.secret = move(s.endpoint), move(s.google), maps.Clone(s.secret)
	for key, value := range seen.secret {
		seen.secret[key] = move(value)
	}
	return &seen
}

type slowBody struct {
	io.ReadCloser
	line *line
}

func (b slowBody) Read(p []byte) (int, error) {
	rate := b.line.bytesPerSecond.Load()
	if rate == 0 {
		return b.ReadCloser.Read(p)
	}
	const step = 20 * time.Millisecond
	n, err := b.ReadCloser.Read(p[:min(len(p), max(1, int(rate*int64(step)/int64(time.Second))))])
	time.Sleep(step)
	return n, err
}

// TestSlowStorage reads each kind of storage over lines below and above the throughput
// that is asked for.
func TestSlowStorage(t *testing.T) {
	const size = 4 << 20
	everywhere(t, func(t *testing.T, s *store) {
		s.fill(t, "intents/a.jsonl", strings.Repeat("a", size))
		line := &line{}
		seen := s.behind(t, line)
		options := seen.options()
		options.Timeout = 2 * time.Second
		for _, test := range []struct {
			reason         string
			bytesPerSecond int64
			listing        bool // over the slow line, too
			says           string
		}{
			{"some bytes a second", 50, false, "less than 262144 bytes a second"},
			{"a quarter of what is asked for", options.MinBytesPerSecond / 4, false, "have the operator's flag --min-storage-throughput lowered"},
			{"some bytes a second for the list", 50, true, "did not say within 2s"},
			{"enough, for longer than the time-out", 2 * options.MinBytesPerSecond, false, ""},
		} {
			t.Run(test.reason, func(t *testing.T) {
				line.bytesPerSecond.Store(0)
				if test.listing {
					line.bytesPerSecond.Store(test.bytesPerSecond)
				}
				started := time.Now()
				resolved, err := seen.try(t.Context(), seen.spec("intents/"), options)
				got := ""
				if err == nil {
					line.bytesPerSecond.Store(test.bytesPerSecond)
					got, err = read(t.Context(), resolved)
				}
				took := time.Since(started)
				if test.says == "" {
					if err != nil || len(got) != size+1 || took < options.Timeout {
						t.Errorf("got %d bytes after %s, %v", len(got), took, err)
					}
					return
				}
				failed, ok := errors.AsType[*source.Error](err)
				if !ok || failed.Reason != source.ReasonUnreachable || !strings.Contains(failed.Message, test.says) {
					t.Errorf("got %#v, want %q", err, test.says)
				}
				if most := 5 * options.Timeout; took > most {
					t.Errorf("it took %s, more than %s", took, most)
				}
			})
		}
	})
}
