package api

import (
	"io"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"time"
)

// turnTime is how long one works before those who wait are looked at.
const turnTime = time.Millisecond

// cpuTurns share out the CPUs among those who classify. As many work at a time as Go uses
// CPUs, but one: where all are busy, what comes over the network is noticed only every ten
// milliseconds. A tenant of whom nobody works waits for nobody, however many of another do.
// Tenants take turns, and in each its requests.
type cpuTurns struct {
	cpus int

	mutex   sync.Mutex
	working int
	tenants map[string]*tenantTurns
	order   []*tenantTurns // of whom somebody waits
}

// tenantTurns are those of one tenant that has requests.
type tenantTurns struct {
	requests int
	working  int
	waiting  []chan struct{} // closed when its turn has come
}

func newCPUTurns() *cpuTurns {
	return &cpuTurns{cpus: max(runtime.GOMAXPROCS(0)-1, 1), tenants: map[string]*tenantTurns{}}
}

// turn is that of one request. It begins when the body has come, and anew for what there is to
// do after a part of the answer was written.
type turn struct {
	turns  *cpuTurns
	tenant string
	own    *tenantTurns
	works  bool
	since  time.Time
}

// request is a tenant's one more, until it is over.
func (t *cpuTurns) request(tenant string) *turn {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	own := t.tenants[tenant]
	if own == nil {
		own = &tenantTurns{}
		t.tenants[tenant] = own
	}
	own.requests++
	return &turn{turns: t, tenant: tenant, own: own}
}

func (t *turn) over() {
	t.end()
	t.turns.mutex.Lock()
	defer t.turns.mutex.Unlock()
	if t.own.requests--; t.own.requests == 0 {
		delete(t.turns.tenants, t.tenant)
	}
}

// begin waits until it is the tenant's turn.
func (t *turn) begin() {
	if turn := t.turns.enter(t.own); turn != nil {
		<-turn
	}
	t.works, t.since = true, time.Now() //nolint:forbidigo // work is measured in real time
}

// enter lets somebody of a tenant work, or gives what is closed when it may.
func (t *cpuTurns) enter(own *tenantTurns) (turn <-chan struct{}) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if own.working == 0 || t.working < t.cpus {
		t.admit(own)
		return nil
	}
	if len(own.waiting) == 0 {
		t.order = append(t.order, own)
	}
	called := make(chan struct{})
	own.waiting = append(own.waiting, called)
	return called
}

func (t *cpuTurns) admit(own *tenantTurns) {
	own.working++
	t.working++
}

func (t *turn) end() {
	if t.works {
		t.works = false
		t.turns.leave(t.own)
	}
}

// leave lets the next one in: of the same tenant if nobody of it works any more, else of
// whichever tenant has waited longest.
func (t *cpuTurns) leave(own *tenantTurns) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	own.working--
	t.working--
	switch {
	case own.working == 0 && len(own.waiting) > 0:
		t.call(own)
	case t.working < t.cpus && len(t.order) > 0:
		t.call(t.order[0])
	}
}

// call calls a tenant's next one in; its others have to wait for those of others.
func (t *cpuTurns) call(own *tenantTurns) {
	t.admit(own)
	close(own.waiting[0])
	own.waiting = own.waiting[1:]
	t.order = slices.DeleteFunc(t.order, func(other *tenantTurns) bool { return other == own })
	if len(own.waiting) > 0 {
		t.order = append(t.order, own)
	}
}

func (t *cpuTurns) isAwaited() bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return len(t.order) > 0
}

// pass is called before more work. It lets others work who have waited while this one did.
func (t *turn) pass() {
	if !t.works {
		t.begin()
		return
	}
	if time.Since(t.since) < turnTime { //nolint:forbidigo // as above
		return
	}
	if t.turns.isAwaited() {
		t.end()
		t.begin()
		return
	}
	runtime.Gosched()    // nor need whoever does not classify wait
	t.since = time.Now() //nolint:forbidigo // as above
}

// pause lets others work until it is resumed.
func (t *turn) pause() (resume func()) {
	t.end()
	return t.begin
}

// body is read without keeping the turn while bytes are waited for.
func (t *turn) body(body io.ReadCloser) io.ReadCloser { return &turnBody{body, t} }

type turnBody struct {
	io.ReadCloser
	turn *turn
}

// Read implements io.Reader. There is nothing to do before all has come.
func (b *turnBody) Read(p []byte) (int, error) {
	b.turn.end()
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.turn.begin()
	}
	return n, err
}

// writer is written to likewise. Nobody waits for a turn after the last part.
func (t *turn) writer(w http.ResponseWriter) http.ResponseWriter { return &turnWriter{w, t} }

type turnWriter struct {
	http.ResponseWriter
	turn *turn
}

// Write implements io.Writer.
func (w *turnWriter) Write(p []byte) (int, error) {
	w.turn.end()
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *turnWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
