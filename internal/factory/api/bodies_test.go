package api

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// idleServer has tenants whose keys are their names.
func idleServer(tenants ...string) *Server {
	keys := make([]Key, len(tenants))
	for i, tenant := range tenants {
		keys[i] = NewKey(tenant, tenant)
	}
	return New(Config{Keys: keys, Clock: time.Now, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
}

// stalled is a body of which some bytes have come, and no others do until it goes on.
type stalled struct {
	size, come int64
	goOn       <-chan struct{}
}

func (s stalled) reader() io.Reader {
	return io.MultiReader(io.LimitReader(zeros{}, s.come), waitFor(s.goOn), io.LimitReader(zeros{}, s.size-s.come))
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type waitFor <-chan struct{}

func (w waitFor) Read([]byte) (int, error) { <-w; return 0, io.EOF }

// reading answers when all of a body is there.
func (s *Server) reading(maxBytes int64) http.Handler {
	return s.admitted(classify, s.authenticated(s.inMemory(maxBytes, func(r *http.Request, _ string) (any, error) {
		_, err := io.Copy(io.Discard, r.Body)
		return nil, err
	})))
}

func serve(handler http.Handler, tenant string, size int64, body io.Reader) int {
	request := httptest.NewRequest(http.MethodPost, "/", body)
	request.Header.Set("Authorization", "Bearer "+tenant)
	request.ContentLength = size
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	return answer.Code
}

// TestBodiesTakeMemoryAsTheyArrive, and of one tenant no more than its share.
func TestBodiesTakeMemoryAsTheyArrive(t *testing.T) {
	const largest, unknown, hostile, good = maxClassifyBytes, -1, "hostile", "good"
	type before struct {
		tenant         string
		number         int
		declared, come int64
	}
	for _, test := range []struct {
		reason string
		before before // requests whose bodies have stalled
		size   int64
		tenant string
		waits  bool
		status int
	}{
		{"what is declared takes nothing", before{hostile, 6, largest, 1}, largest, good, false, 200},
		{"nor does it take anything from the same tenant", before{hostile, 6, largest, 1}, largest, hostile, false, 200},
		{"what does not say its size takes no more", before{hostile, 6, unknown, 1}, largest, good, false, 200},
		{"what has come is the tenant's own share", before{hostile, 6, largest, largest - 1}, largest, good, false, 200},
		{"of which nothing is left to the same tenant", before{hostile, 6, largest, largest - 1}, largest, hostile, true, 200},
		{"so of many that are each a part of it", before{hostile, 60, largest, 1 << 20}, largest, hostile, true, 200},
		{"which leave others theirs", before{hostile, 60, largest, 1 << 20}, largest, good, false, 200},
		{"a few texts take next to nothing", before{hostile, 6, largest, largest - 1}, smallBodyBytes, hostile, false, 200},
		{"it is too large, and refused unread", before{hostile, 6, largest, largest - 1}, largest + 1, good, false, 413},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := idleServer(hostile, good)
			release := make(chan struct{})
			for range test.before.number {
				go serve(s.reading(maxClassifyBytes), test.before.tenant, test.before.declared, stalled{largest, test.before.come, release}.reader())
			}
			synctest.Wait()

			answered := make(chan int, 1)
			go func() {
				answered <- serve(s.reading(maxClassifyBytes), test.tenant, test.size, io.LimitReader(zeros{}, test.size))
			}()
			synctest.Wait()
			if waits := len(answered) == 0; waits != test.waits {
				t.Errorf("%s: it waits: %v", test.reason, waits)
			}
			close(release)
			if status := <-answered; status != test.status {
				t.Errorf("%s: %d, want %d", test.reason, status, test.status)
			}
			synctest.Wait()
			if left := len(s.bodies.bodies); left != 0 {
				t.Errorf("%s: memory is still taken by %d", test.reason, left)
			}
		})
	}
}

// TestBodiesThatWaitForEachOtherEnd: each has a part of what it needs, and nobody's
// client is at fault.
func TestBodiesThatWaitForEachOtherEnd(t *testing.T) {
	tenants := []string{"a", "b", "c", "d"}
	s := idleServer(tenants...)
	const each = 4
	answered := make(chan int)
	for _, tenant := range tenants {
		for range each {
			go func() {
				answered <- serve(s.reading(maxClassifyBytes), tenant, maxClassifyBytes, iotest.HalfReader(io.LimitReader(zeros{}, maxClassifyBytes)))
			}()
		}
	}
	for range each * len(tenants) {
		if status := <-answered; status != http.StatusOK {
			t.Errorf("%d", status)
		}
	}
}

// TestBodiesOfOneTenantInHand are few. Another's are not held up.
func TestBodiesOfOneTenantInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idleServer("hostile", "good")
		release := make(chan struct{})
		for range bodiesInHand {
			go serve(s.reading(maxBodyBytes), "hostile", 100, stalled{100, 1, release}.reader())
		}
		synctest.Wait()
		if status := serve(s.reading(maxBodyBytes), "good", 100, io.LimitReader(zeros{}, 100)); status != http.StatusOK {
			t.Errorf("another tenant: %d", status)
		}
		if status := serve(s.reading(maxBodyBytes), "hostile", 0, nil); status != http.StatusOK {
			t.Errorf("without a body: %d", status)
		}
		answered := make(chan int, 1)
		go func() {
			answered <- serve(s.reading(maxBodyBytes), "hostile", 100, io.LimitReader(zeros{}, 100))
		}()
		synctest.Wait()
		if len(answered) != 0 {
			t.Errorf("a body more did not wait: %d", <-answered)
		}
		close(release)
		if status := <-answered; status != http.StatusOK {
			t.Errorf("when there is room: %d", status)
		}
	})
}

// TestChangesOfOneTenant wait for each other, and not for what has not come.
func TestChangesOfOneTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idleServer("hostile", "good")
		release := make(chan struct{})
		changing := s.admitted(train, s.operation(maxBodyBytes, func(_ *http.Request, tenant string) (any, error) {
			if tenant == "hostile" {
				<-release
			}
			return nil, nil
		}))
		for range 2 * changesInHand {
			go serve(changing, "hostile", 100, stalled{100, 1, release}.reader())
		}
		answered := make(chan int, 2*changesInHand)
		for range 2 * changesInHand {
			go func() { answered <- serve(changing, "hostile", 0, nil) }()
		}
		synctest.Wait()
		if status := serve(changing, "good", 0, nil); status != http.StatusOK {
			t.Errorf("another tenant: %d", status)
		}
		own := s.changeSlots.tenants["hostile"]
		if own == nil || own.users != 2*changesInHand || own.TryAcquire(1) {
			t.Errorf("those whose bodies are there are not the ones that wait: %+v", own)
		}
		close(release)
		for range 2 * changesInHand {
			if status := <-answered; status != http.StatusOK {
				t.Errorf("in the end: %d", status)
			}
		}
	})
}
