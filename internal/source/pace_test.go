package source

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	const second = time.Second
	for _, test := range []struct {
		reason string
		events func(p *pace)
		want   time.Duration // left of ten seconds, at 100 bytes a second
	}{
		{"nothing was waited for", func(*pace) {}, 10 * second},
		{"silence", func(p *pace) { p.read(4*second, 0) }, 6 * second},
		{"a byte now and then is no better", func(p *pace) {
			for range 5 {
				p.read(second, 1)
			}
		}, 5*second + 50*time.Millisecond},
		{"what comes at the pace costs nothing", func(p *pace) {
			for range 1000 {
				p.read(second, 100)
			}
		}, 10 * second},
		{"a lead is not saved up for a trickle", func(p *pace) {
			p.read(second, 1_000_000)
			p.read(7*second, 1)
		}, 3*second + 10*time.Millisecond},
		{"what was lost is made good by what comes", func(p *pace) {
			p.read(8*second, 0)
			p.read(second, 500)
		}, 6 * second},
		{"many small objects take their time to open", func(p *pace) {
			for range 10_000 {
				p.opened(objectAllowance)
				p.read(0, 1)
			}
		}, 10 * second},
		{"each of them no longer than others", func(p *pace) {
			for range 4 {
				p.opened(objectAllowance + second)
			}
		}, 6 * second},
		{"too late", func(p *pace) { p.read(11*second, 1) }, -990 * time.Millisecond},
	} {
		p := newPace(ObjectStorageOptions{Timeout: 10 * second, MinBytesPerSecond: 100})
		test.events(p)
		if (p.left - test.want).Abs() > time.Millisecond {
			t.Errorf("%s: %s are left, want %s", test.reason, p.left, test.want)
		}
	}
}

// list is a list of so many objects of a size.
func list(count, size int) string {
	var text strings.Builder
	for i := range count {
		fmt.Fprintf(&text, `<Contents><Key>intents/%04d</Key><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>"1"</ETag><Size>%d</Size></Contents>`, i, size)
	}
	return "<ListBucketResult>" + text.String() + "</ListBucketResult>"
}

// trickle sends a text, a byte every few milliseconds, until nobody reads any more.
func trickle(w http.ResponseWriter, r *http.Request, text io.ByteReader) {
	controller := http.NewResponseController(w)
	for r.Context().Err() == nil {
		next, err := text.ReadByte()
		if err != nil {
			return
		}
		_, _ = w.Write([]byte{next})
		_ = controller.Flush()
		time.Sleep(5 * time.Millisecond)
	}
}

type endless byte

func (e endless) ReadByte() (byte, error) { return byte(e), nil }

// TestTricklingStorageIsGivenUp holds that a storage which never falls silent, and
// never comes to an end either, is read for no longer than a silent one.
func TestTricklingStorageIsGivenUp(t *testing.T) {
	const timeout = 600 * time.Millisecond
	for _, test := range []struct {
		reason string
		answer http.HandlerFunc
		says   string
	}{
		{"a list", func(w http.ResponseWriter, r *http.Request) { trickle(w, r, endless(' ')) }, "within 600ms"},
		{"a list of pages", func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(100 * time.Millisecond)
			fmt.Fprint(w, `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a</NextContinuationToken></ListBucketResult>`)
		}, "within 600ms"},
		{"an object as large as may be", func(w http.ResponseWriter, r *http.Request) {
			if isList(r) {
				fmt.Fprint(w, list(1, 5<<30))
				return
			}
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("Content-Length", fmt.Sprint(5<<30))
			trickle(w, r, endless('a'))
		}, "--min-storage-throughput"},
		{"one that began quickly", func(w http.ResponseWriter, r *http.Request) {
			if isList(r) {
				fmt.Fprint(w, list(1, 5<<30))
				return
			}
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("Content-Length", fmt.Sprint(5<<30))
			_, _ = w.Write(make([]byte, 16<<20))
			trickle(w, r, endless('a'))
		}, "--min-storage-throughput"},
		{"many objects", func(w http.ResponseWriter, r *http.Request) {
			if isList(r) {
				fmt.Fprint(w, list(200, 100))
				return
			}
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("Content-Length", "100")
			time.Sleep(timeout / 6)
			trickle(w, r, strings.NewReader(strings.Repeat("slow", 25)))
		}, "--min-storage-throughput"},
		{"an answer that tells already why there is no content", func(w http.ResponseWriter, r *http.Request) {
			if isList(r) {
				fmt.Fprint(w, list(1, 20))
				return
			}
			w.WriteHeader(http.StatusForbidden)
			trickle(w, r, endless(' '))
		}, "does not let"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			storage := newHostileStorage(t, timeout, test.answer)
			started := time.Now()
			_, err := storage.readAll(t.Context(), storage.spec())
			failed, ok := errors.AsType[*Error](err)
			if !ok || !strings.Contains(failed.Message, test.says) {
				t.Errorf("got %#v, want %q", err, test.says)
			}
			if took := time.Since(started); took > 20*timeout {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// TestManyObjectsAreNoSlowStorage holds that the time to open small objects, which no
// storage makes shorter, does not add up to a failure.
func TestManyObjectsAreNoSlowStorage(t *testing.T) {
	const count = 40
	storage := newHostileStorage(t, 500*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
		if isList(r) {
			fmt.Fprint(w, list(count, 3))
			return
		}
		w.Header().Set("ETag", `"1"`)
		time.Sleep(30 * time.Millisecond)
		fmt.Fprint(w, "a1\n")
	})
	if got, err := storage.readAll(t.Context(), storage.spec()); err != nil || got != strings.Repeat("a1\n", count) {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestSilentStorageIsAskedOnce holds that the SDKs, which repeat what fails, do not
// wait for the first byte more than once.
func TestSilentStorageIsAskedOnce(t *testing.T) {
	var requests atomic.Int64
	storage := newHostileStorage(t, 1500*time.Millisecond, func(_ http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	_, err := storage.readAll(t.Context(), storage.spec())
	if failed, ok := errors.AsType[*Error](err); !ok || failed.Reason != ReasonUnreachable || !strings.Contains(failed.Message, "fell silent") {
		t.Errorf("got %#v", err)
	}
	if got := requests.Load(); got != 1 {
		t.Errorf("it was asked %d times", got)
	}
}
